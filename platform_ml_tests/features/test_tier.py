from collections import Counter
from decimal import Decimal

import pytest

from platform_ml.features import Tier
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestTier(RollingContract):
    @pytest.fixture
    def feature(self):
        return Tier(days=7, of="amount", cuts=(0.25, 0.5, 0.9))

    def oracle(self, events, day):
        return sum(event.amount or 0 for event in events)

    def expected(self, feature, events, day):
        sums = super().expected(feature, events, day)
        others = max(len(sums) - 1, 1)
        below = {who: sum(other < mine for other in sums.values()) / others for who, mine in sums.items()}
        return {who: 1 + sum(share >= cut for cut in feature.cuts) for who, share in below.items()}

    def test_by_hand(self, feature):
        assert feature.name == "amount_tier_7d"
        assert feature.meaning == "Tier of the sum of amount over the last 7 days: 1 to 4, cut at 25%, 50%, 90%."
        spent = [0, 10, 10, 30, 40, 50, 60, 70, 80, 90, 100]
        visits = [Visit(day=FIRST, shopper=who, amount=Decimal(amount)) for who, amount in enumerate(spent)]
        found = rows(feature, visits)
        # Shares of the ten others below: 0, .1, .1, .3, .4, .5, ... 1.
        assert [found[FIRST, who] for who in range(11)] == [1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4]
        assert Counter(value for (day, _), value in found.items() if day == FIRST + 7) == {1: 11}

    def test_who_is_alone_is_in_the_lowest_tier(self, feature):
        assert rows(feature, [Visit(day=FIRST, amount=Decimal(5))])[FIRST, 1] == 1

    @pytest.mark.parametrize("cuts", [(), (0.5, 0.5), (0.8, 0.2), (0.0, 0.5), (0.5, 1.0), (float("nan"),)])
    def test_cuts_are_rising_shares(self, cuts):
        with pytest.raises(DeclarationError, match=r"Tier: cuts .* must be rising shares between 0 and 1, like \(0.5"):
            Tier(days=7, of="amount", cuts=cuts)
