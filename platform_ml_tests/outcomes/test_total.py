from decimal import Decimal as Exact

import pytest

from platform_ml.outcomes import Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Double
from platform_ml.testing.features import FIRST, TYPES, Visit
from platform_ml.testing.outcomes import OutcomeContract, found


class TestTotal(OutcomeContract):
    @pytest.fixture(params=["amount", "pieces"])
    def outcome(self, request):
        self.column = request.param
        return Total(of=request.param, days=14)

    def oracle(self, events):
        known = [value for event in events if (value := getattr(event, self.column)) is not None]
        return float(sum(known))

    def test_by_hand(self, outcome):
        assert outcome.meaning == f"Sum of {outcome.of} over the next 14 days."
        visits = [Visit(day=FIRST, shopper=3, amount=Exact("0.10"), pieces=1)] * 3
        assert found(outcome, visits) == {3: 0.3 if outcome.of == "amount" else 3}


def test_a_column_without_exact_sums_is_refused():
    with pytest.raises(DeclarationError, match=r"Total of 'amount': the column is DOUBLE, whose sums differ"):
        Total(of="amount", days=14).result(TYPES | {"amount": Double()})
