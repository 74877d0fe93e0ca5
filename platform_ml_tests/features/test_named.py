import pytest

from platform_ml.features import Exists, Mean, Named, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.features import TYPES, SummedContract


class TestNamed(SummedContract):
    @pytest.fixture
    def feature(self):
        return Named(of=Mean(days=7, of="amount"), called="usual_amount")

    def oracle(self, events, day):
        known = [event.amount for event in events if event.amount is not None]
        return float(sum(known)) / len(known) if known else None

    def test_only_the_name_is_another(self, feature):
        assert feature.name == "usual_amount"
        assert feature.meaning == "Mean amount per event of the last 7 days."
        assert (feature.measured_in({"amount": "EUR"}), feature.absent) == ("EUR", None)
        assert feature.result(TYPES) == feature.of.result(TYPES)

    def test_a_wrong_one_cannot_be_made(self):
        with pytest.raises(DeclarationError, match="'Usual amount': a name is lower_snake_case"):
            Named(of=Total(days=7, of="amount"), called="Usual amount")
        with pytest.raises(DeclarationError, match="Named 'there': 'seen' adds nothing up over days"):
            Named(of=Exists(called="seen"), called="there")
