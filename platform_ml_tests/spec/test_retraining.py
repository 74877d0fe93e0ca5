from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml import Retraining
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import lapse
from platform_ml.triggers import Degraded, Drifted, Every, NewLabels

RETRAINING = Retraining(when=(NewLabels(rows=500), Every(days=28), Drifted(), Degraded(metric="roc_auc")))


def test_when_a_model_is_trained_changes_no_fingerprint():
    assert fingerprint(replace(lapse, retraining=RETRAINING)) == fingerprint(lapse)


def test_it_says_when_and_what_has_to_be_measured():
    assert RETRAINING.rule.startswith("500 rows with a known outcome are new since the newest model. Or: ")
    assert RETRAINING.rule.endswith(" At most once in 1 hour.")
    assert RETRAINING.reads == {"labels", "features", "performance"}
    assert Retraining(when=(Every(days=7),), pause=timedelta(0)).reads == {"labels"}


def test_a_trigger_that_the_model_cannot_answer_is_refused_where_it_is_declared():
    wrong = Retraining(when=(Degraded(metric="roc_acu"),))
    with pytest.raises(DeclarationError, match=r"has no metric 'roc_acu'\. Did you mean 'roc_auc'"):
        replace(lapse, retraining=wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"when": ()}, "no triggers"),
        ({"when": (Every(days=7), Every(days=28))}, "'every' 2 times"),
        ({"when": (Every(days=7),), "pause": timedelta(-1)}, "Use 0 or more"),
    ],
)
def test_what_would_do_nothing_or_never_end_is_refused(wrong, said):
    with pytest.raises(DeclarationError, match=said):
        Retraining(**wrong)
