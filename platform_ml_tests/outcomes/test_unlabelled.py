from dataclasses import replace

import pytest

from platform_ml.outcomes import Total, Unlabelled
from platform_ml.spec.task import CLUSTERING, REGRESSION
from platform_ml.testing.declarations import lapsed
from platform_ml.testing.outcomes import OutcomeContract


class TestUnlabelled(OutcomeContract):
    @pytest.fixture
    def outcome(self):
        return Unlabelled()

    def oracle(self, events):
        return 0


def test_its_label_has_nothing_to_learn_from():
    label = replace(lapsed, outcome=Unlabelled(days=2))
    assert (label.task, label.learning, label.horizon_days) == (CLUSTERING, "unsupervised", 2)


def test_a_label_of_the_same_records_is_called_self_supervised():
    """Next week's load from the loads before: it is a label of numbers like any other, and the card says what it is."""
    label = replace(lapsed, outcome=Total(of="amount", days=7), self_supervised=True)
    assert (label.task, label.learning) == (REGRESSION, "self-supervised")
    assert replace(label, self_supervised=False).learning == "supervised"
