"""A case file is read to the letter: what is not understood is refused."""

import copy

import pytest

from platform_ml_tests.point_in_time.case import CaseError, moment, parse

CASE = {
    "id": "a",
    "kind": "pit",
    "spine": {"event_time": "ts", "rows": [{"id": 1, "ts": "2024-01-02"}]},
    "tables": [
        {
            "name": "t",
            "keys": {"id": "id"},
            "event_time": "et",
            "features": ["x"],
            "rows": [{"id": 1, "et": "2024-01-01", "x": 1}],
            "aggregations": [{"name": "s", "op": "sum", "column": "x"}],
        }
    ],
    "policy": {},
    "expected": [{"id": 1, "ts": "2024-01-02", "x": 1, "s": 1}],
}


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("2024-01-02T12:00:00", "2024-01-02T12:00:00Z"),
        ("2024-01-02T04:00:00-08:00", "2024-01-02T12:00:00Z"),
        ("2024-01-02", "2024-01-02T00:00:00+00:00"),
        (1_704_153_600_000, "2024-01-02"),
        (-1, "1969-12-31T23:59:59.999"),
        ("2261-01-01T00:00:00.000001Z", "2261-01-01T01:00:00.000001+01:00"),
    ],
)
def test_times_that_are_one_moment(text, other):
    assert moment(text) == moment(other)


def test_a_moment_is_exact_to_the_microsecond():
    assert moment("1900-01-01T00:00:00.000001") == -2_208_988_799_999_999
    assert moment(None) is None


@pytest.mark.parametrize("wrong", ["yesterday", True, [1]])
def test_what_is_no_time(wrong):
    with pytest.raises(CaseError, match="is no time"):
        moment(wrong)


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("spine",),
        ("policy",),
        ("tables", 0),
        ("tables", 0, "aggregations", 0),
    ],
)
def test_an_unknown_key_is_refused_wherever_it_is(path):
    raw = copy.deepcopy(CASE)
    parse(raw)
    place = raw
    for step in path:
        place = place[step]
    place["surprise"] = 1
    with pytest.raises(CaseError, match=r"unknown keys \['surprise'\]"):
        parse(raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": {"bound": "=<"}}, "bound is '=<'"),
        ({"policy": {"knowledge": "rows"}}, "knowledge is 'rows'"),
        ({"policy": {"knowledge": {"asof": 1}}}, "unknown keys"),
        ({"keys": {"id": "idd"}}, r"no row has \['idd'\]"),
        ({"features": ["id"]}, "two columns of the answer have one name"),
        ({"features": ["x", {"from": "id", "as": "x"}]}, "two features 'x'"),
        ({"ttl_seconds": -1}, "negative"),
        ({"lookback": {"begin": 1}}, "unknown keys"),
        ({"aggregations": [{"name": "s", "op": "sum", "interval": "[["}]}, "interval is"),
    ],
)
def test_a_table_that_cannot_be_understood(change, message):
    raw = copy.deepcopy(CASE)
    raw["tables"][0] |= change
    with pytest.raises(CaseError, match=message):
        parse(raw)


def test_a_feature_that_is_a_time_column_is_compared_as_a_moment():
    raw = copy.deepcopy(CASE)
    raw["tables"][0]["features"] = [{"from": "et", "as": "seen"}]
    raw["expected"] = [{"id": 1, "ts": 1_704_153_600_000, "seen": "2024-01-01T01:00+01:00", "s": 1}]
    case = parse(raw)
    assert case.columns == ("id", "ts", "seen", "s")
    assert case.expected[0]["seen"] == case.tables[0].rows[0]["et"]
