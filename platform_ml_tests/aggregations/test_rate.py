from datetime import timedelta

import pytest

from platform_ml.aggregations import Rate
from platform_ml.features import Windowed
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.aggregations import SECOND, AggregationContract, Asked, Sale, answers


class TestRate(AggregationContract):
    @pytest.fixture
    def how(self):
        return Rate(per=timedelta(minutes=1))

    def oracle(self, how, events, seconds):
        return len(events) * how.per.total_seconds() / seconds

    def test_by_hand(self):
        how = Rate(per=timedelta(hours=1))
        assert (how.name, how.meaning, how.columns()) == ("rate_per_1h", "Events per 1h", ())
        over = Windowed(how=how, window=timedelta(minutes=30))
        found = answers([over], [Sale(at=0), Sale(at=SECOND)], [Asked(at=0), Asked(at=1), Asked(at=SECOND + 1)])
        assert found == {"rate_per_1h_30m": [0.0, 2.0, 4.0]}

    @pytest.mark.parametrize("per", [timedelta(0), timedelta(seconds=-1)])
    def test_per_nothing(self, per):
        with pytest.raises(DeclarationError, match=r"Rate: events per .* are none\. Use more than zero"):
            Rate(per=per)

    def test_it_needs_the_length_of_its_window(self):
        with pytest.raises(DeclarationError, match="Windowed 'rate_per_1d': it needs the length of its window"):
            Windowed(how=Rate(), window=None)
