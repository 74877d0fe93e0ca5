from datetime import timedelta

import pytest

from platform_ml.aggregations import Count, Distinct, Last, Mean, Rate
from platform_ml.features import Windowed
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Integer
from platform_ml.testing.aggregations import SECOND, START, Asked, Sale, answers
from platform_ml.testing.features import TYPES, FeatureContract

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class TestWindowed(FeatureContract):
    @pytest.fixture
    def feature(self):
        return Windowed(how=Mean(of="amount"), window=3 * HOUR)

    def test_by_hand(self, feature):
        assert feature.name == "amount_mean_3h"
        assert feature.meaning == "Mean amount of the last 3 hours before the moment."
        assert (feature.exact, feature.columns(), feature.absent) == (True, ("amount",), None)
        assert feature.terms() == ()

    def test_what_it_is_follows_from_the_aggregation(self):
        assert Windowed(how=Count(), window=HOUR).absent == 0
        assert Windowed(how=Count(), window=HOUR).result(TYPES) == Integer()
        assert Windowed(how=Last(of="item"), window=HOUR).result(TYPES) == TYPES["item"]
        assert Windowed(how=Distinct(of="item"), window=None).name == "item_distinct_ever"
        assert Windowed(how=Count(), window=None).meaning == "Events before the moment."

    @pytest.mark.parametrize(
        ("window", "name"),
        [
            (7 * DAY, "count_7d"),
            (36 * HOUR, "count_36h"),
            (timedelta(minutes=90), "count_90m"),
            (timedelta(seconds=1), "count_1s"),
            (timedelta(microseconds=1), "count_1us"),
        ],
    )
    def test_it_is_named_by_its_length(self, window, name):
        assert Windowed(how=Count(), window=window).name == name

    def test_over_several_windows(self):
        several = Windowed.over(HOUR, DAY, how=Count(), edges="(]")
        assert [feature.name for feature in several] == ["count_1h", "count_1d"]
        assert {feature.edges for feature in several} == {"(]"}

    @pytest.mark.parametrize(
        ("changes", "days"),
        [
            ({"window": DAY}, 1),
            ({"window": DAY + timedelta(microseconds=1)}, 2),
            ({"window": timedelta(microseconds=1)}, 1),
            ({"window": DAY, "tail_hop": HOUR}, 2),
            ({"window": 22 * HOUR, "tail_hop": HOUR, "head_hop": HOUR}, 1),
            ({"window": None}, 36_500),
            ({"window": timedelta(days=36_500)}, 36_500),
        ],
    )
    def test_it_looks_back_whole_days(self, changes, days):
        assert Windowed(how=Count(), **changes).lookback_days == days

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"window": timedelta(0)},
                r"Windowed 'count': a window of 0:00:00 holds nothing\. Use more than zero, or No",
            ),
            ({"window": -DAY}, "a window of -1 day, 0:00:00 holds nothing"),
            ({"window": timedelta.max}, r"a window of 999,999,999 days is longer than a hundred years\. Use None for"),
            ({"how": Rate(), "window": None}, r"'rate_per_1d': it needs the length of its window\. Declare one"),
            ({"edges": "[["}, r"'count': edges is '\[\[', not one of '\[\)', '\(\]', '\[\]', '\(\)'"),
            ({"tail_hop": timedelta(0)}, r"a hop of 0:00:00 rounds to nothing\. Use more than zero, or None"),
            ({"head_hop": -HOUR}, "a hop of -1 day, 23:00:00 rounds to nothing"),
            ({"head_hop": timedelta.max}, "a hop of 999,999,999 days is longer than a hundred years"),
        ],
    )
    def test_a_wrong_window_cannot_be_made(self, changes, message):
        with pytest.raises(DeclarationError, match=message):
            Windowed(**{"how": Count(), "window": HOUR} | changes)

    @pytest.mark.parametrize(
        ("edges", "counts"), [("[)", [0, 1, 1, 0]), ("(]", [1, 1, 0, 0]), ("[]", [1, 1, 1, 0]), ("()", [0, 1, 0, 0])]
    )
    def test_edges_to_the_microsecond(self, edges, counts):
        feature = Windowed(how=Count(), window=timedelta(seconds=1), edges=edges)
        rows = [Asked(at=0), Asked(at=1), Asked(at=SECOND), Asked(at=SECOND + 1)]
        assert answers([feature], [Sale(at=0)], rows) == {"count_1s": counts}

    def test_hops_are_whole_multiples_since_1970(self):
        minute = timedelta(minutes=1)
        begin = -(START // SECOND % 60) * SECOND  # of the minute in which the first event is
        events = [Sale(at=begin - 1), Sale(at=begin), Sale(at=0), Sale(at=begin + 60 * SECOND)]
        rows = [Asked(at=begin + 60 * SECOND + 1), Asked(at=begin + 119 * SECOND)]
        for hops, counts in (
            ({"tail_hop": minute}, [3, 3]),
            ({"tail_hop": minute, "head_hop": minute}, [2, 2]),
            ({"head_hop": minute}, [2, 2]),
            ({}, [2, 1]),
        ):
            feature = Windowed(how=Count(), window=minute, **hops)
            assert answers([feature], events, rows) == {"count_1m": counts}, hops


def test_it_may_have_another_name():
    feature = Windowed(how=Count(), window=HOUR, called="lately")
    assert (feature.name, feature.meaning) == ("lately", "Events of the last 1 hour before the moment.")
    with pytest.raises(DeclarationError, match="'Lately': a name is lower_snake_case"):
        Windowed(how=Count(), window=HOUR, called="Lately")
