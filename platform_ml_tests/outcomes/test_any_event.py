import pytest

from platform_ml.outcomes import AnyEvent
from platform_ml.testing.features import FIRST, Visit
from platform_ml.testing.outcomes import OutcomeContract, found


class TestAnyEvent(OutcomeContract):
    @pytest.fixture
    def outcome(self):
        return AnyEvent(days=14)

    def oracle(self, events):
        return bool(events)

    def test_by_hand(self, outcome):
        assert outcome.meaning == "An event within the next 14 days."
        assert found(outcome, [Visit(day=FIRST, shopper=3)]) == {3: True}
