import math
from decimal import Decimal
from fractions import Fraction

import pytest

from platform_ml.aggregations import Total
from platform_ml.testing.aggregations import AggregationContract, Asked, Sale, answers, windowed


class TestTotal(AggregationContract):
    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        self.exact = request.param != "weight"
        return Total(of=request.param)

    def oracle(self, how, events, seconds):
        return float(sum(Fraction(value) for value, _ in events)) if events else None

    def test_by_hand(self):
        how = Total(of="amount")
        assert (how.name, how.meaning) == ("amount_total", "Sum of amount")
        events = [Sale(at=0, amount=Decimal("0.10")), Sale(at=1), Sale(at=2, amount=Decimal("0.20"))]
        found = answers(windowed(how)[-1:], events, [Asked(at=0), Asked(at=2), Asked(at=3)])
        assert found == {"amount_total_ever": [None, 0.1, 0.3]}

    def test_whole_numbers_and_decimals_are_added_up_exactly(self):
        events = [Sale(at=n, pieces=2**53 + 1, amount=Decimal(2**53 + 1).scaleb(-2)) for n in range(3)]
        events += [Sale(at=3, pieces=-3 * 2**53, amount=Decimal(-3 * 2**53).scaleb(-2))]
        features = [windowed(Total(of=column))[-1] for column in ("pieces", "amount")]
        assert answers(features, events, [Asked(at=9)]) == {"pieces_total_ever": [3.0], "amount_total_ever": [0.03]}

    @pytest.mark.parametrize("sign", [1, -1])
    def test_sums_beyond_64_bits_are_rounded(self, sign):
        most = {"pieces": sign * (2**63 - 1), "amount": sign * (Decimal(10**18 - 1).scaleb(-2))}
        features = [windowed(Total(of=column))[-1] for column in most]
        found = answers(features, [Sale(at=n, **most) for n in range(40)], [Asked(at=1), Asked(at=99)])
        for column, value in most.items():
            wanted = [float(value), float(40 * Fraction(value))]
            assert found[f"{column}_total_ever"] == pytest.approx(wanted, rel=1e-14)

    def test_infinity(self):
        events = [Sale(at=0, weight=math.inf), Sale(at=1, weight=-math.inf)]
        (found,) = answers(windowed(Total(of="weight"))[-1:], events, [Asked(at=1), Asked(at=2)]).values()
        assert found[0] == math.inf
        assert math.isnan(found[1])
