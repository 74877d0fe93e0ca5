import pytest

from platform_ml.outcomes import NoEvent
from platform_ml.testing.features import FIRST, Visit
from platform_ml.testing.outcomes import OutcomeContract, found


class TestNoEvent(OutcomeContract):
    @pytest.fixture
    def outcome(self):
        return NoEvent(days=14)

    def oracle(self, events):
        return not events

    def test_by_hand(self, outcome):
        assert outcome.meaning == "No event within the next 14 days."
        assert found(outcome, [Visit(day=FIRST, shopper=3)]) == {3: False}
