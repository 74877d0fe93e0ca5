from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Field
from platform_ml.spec.errors import RowsError
from platform_ml.spec.history import History
from platform_ml.spec.schema import Double, Text
from platform_ml_tests.engine.joins import TIME, ask, group, reference, rows, spine

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
FIRST, LAST = -(2**63), 2**63 - 1


def whole(values):
    """Microseconds, also those that Python's dates cannot hold."""
    return pa.array(values, pa.int64()).cast(TIME)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.uint16(), pa.uint64()])
def test_whole_numbers_of_any_width_are_the_same_keys(kind):
    label_rows = spine(id=pa.array([1, 2, None], kind), event_time=[1, 1, 1])
    assert ask(label_rows, rows(id=[1, 2], event_time=[0, 0], x=[1.0, 2.0])) == {"x": [1.0, 2.0, None]}
    there = rows(id=pa.array([1, 2], kind), event_time=[0, 0], x=[1.0, 2.0])
    assert ask(spine(id=[1, 2**40], event_time=[1, 1]), there) == {"x": [1.0, None]}


def test_text_of_any_width_and_dictionaries_are_the_same_keys():
    of = group(keys=("name",))
    kinds = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
    for here in kinds:
        for there in kinds:
            label_rows = spine(name=pa.array(["a", None, "b", "c"]).cast(here), event_time=[1] * 4)
            known = rows(name=pa.array(["a", "c", None]).cast(there), event_time=[0] * 3, x=[1.0, 3.0, 9.0])
            assert ask(label_rows, known, of) == {"x": [1.0, None, None, 3.0]}


def test_values_that_come_as_a_dictionary():
    known = rows(id=[1], event_time=[0], name=pa.array(["a"]).dictionary_encode())
    assert ask(spine(id=[1, 2], event_time=[1, 1]), known, group(Field(of="name"))) == {"name": ["a", None]}


def test_two_zeros_are_one_key_and_nan_is_one():
    of = group(keys=("k",), types={"k": Double()})
    label_rows = spine(k=[0.0, -0.0, float("nan"), None], event_time=[1] * 4)
    known = rows(k=[-0.0, -float("nan"), None], event_time=[0] * 3, x=[1.0, 2.0, 3.0])
    assert ask(label_rows, known, of) == {"x": [1.0, 1.0, 2.0, None]}


def test_keys_of_other_types_are_refused():
    label_rows, known = spine(id=pa.array(["1"]), event_time=[1]), rows(id=[1], event_time=[0], x=[1.0])
    what = r"Feature group 'facts': key 'id' is int64, but string in the label rows\. Give both the same type"
    with pytest.raises(RowsError, match=what):
        ask(label_rows, known)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_zones_and_units_are_the_same_moments(unit, zone):
    # Made in UTC: pandera sets PYARROW_IGNORE_TIMEZONE, and then local times of Python lose their zone.
    utc = pa.array([NOON - timedelta(seconds=1), NOON, None], pa.timestamp(unit, tz="UTC"))
    moments = utc.cast(pa.timestamp(unit, tz=zone))
    assert ask(spine(id=[1, 1, 1], event_time=moments), rows(id=[1], event_time=[NOON], x=[1.0])) == {
        "x": [None, 1.0, None]
    }
    known = rows(id=[1, 1, 1], event_time=moments, x=[1.0, 2.0, 3.0])
    assert ask(spine(id=[1], event_time=[NOON - timedelta(microseconds=1)]), known) == {"x": [1.0]}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array([NOON.replace(tzinfo=None)]),
            r"'event_time' is timestamp\[us\], which is no moment\. Give it as a time",
        ),
        (pa.array([date(2024, 1, 2)]), r"'event_time' is date32\[day\], which is no moment"),
        (pa.array(["2024-01-02T12:00:00Z"]), "'event_time' is string, which is no moment"),
        (pa.array([1_704_196_800_000_000]), "'event_time' is int64, which is no moment"),
        (pa.array([None]), "'event_time' is null, which is no moment"),
        (pa.array([1001], pa.timestamp("ns", tz="UTC")), r"not all of it fits whole microseconds\. Round it"),
        (pa.array([2**60], pa.timestamp("s", tz="UTC")), "not all of it fits whole microseconds"),
    ],
)
def test_what_is_no_moment_is_refused_on_both_sides(column, message):
    with pytest.raises(RowsError, match=rf"Feature group 'facts', label rows: .*{message}"):
        ask(spine(id=[1], event_time=column), rows(id=[1], event_time=[NOON], x=[1.0]))
    with pytest.raises(RowsError, match=rf"Feature group 'facts': .*{message}"):
        ask(spine(id=[1], event_time=[NOON]), rows(id=[1], event_time=column, x=[1.0]))


def test_other_moments_of_a_history_are_checked_as_well():
    of = group(history=History(event_time="at", valid_to="over_at"))
    known = rows(id=[1], event_time=[NOON], x=[1.0], over_at=pa.array([NOON.replace(tzinfo=None)]))
    with pytest.raises(RowsError, match="Feature group 'facts': 'over_at' is timestamp"):
        ask(spine(id=[1], event_time=[NOON]), known, of)


@pytest.mark.parametrize("year", [1, 1900, 1969, 2261, 2263, 9999])
def test_far_years(year):
    at = datetime(year, 6, 1, tzinfo=UTC)
    moments = [at - timedelta(microseconds=1), at, at + timedelta(days=1)]
    found = ask(spine(id=[1] * 3, event_time=moments), rows(id=[1], event_time=[at], x=[1.0]))
    assert found == {"x": [None, 1.0, 1.0]}


@pytest.mark.parametrize("bound", ["<=", "<"])
@pytest.mark.parametrize("delay", [timedelta(0), timedelta(days=36_500)])
def test_infinity_does_not_come_round_from_the_other_end(bound, delay):
    of = group(history=History(event_time="at", bound=bound, delay=delay))
    known = rows(id=[1, 2], event_time=whole([LAST, FIRST]), x=[1.0, 2.0])
    moments = whole([0, 0, FIRST, FIRST + 1, 10**17])
    found = ask(pa.table({"id": [1, 2, 1, 1, 2], "event_time": moments}), known, of)
    assert found["x"][:4] == [None, 2.0, None, None]
    assert found["x"][4] == 2.0


def test_an_interval_without_end_may_be_said_by_infinity():
    of = group(history=History(event_time="at", valid_to="over_at"))
    known = rows(id=[1, 2], event_time=[0, 0], x=[1.0, 2.0], over_at=whole([LAST, 5]))
    assert ask(spine(id=[1, 2], event_time=[9, 9]), known, of) == {"x": [1.0, None]}


def test_columns_that_are_missing():
    label_rows, known = spine(id=[1], event_time=[1]), rows(id=[1], event_time=[0], x=[1.0])
    for table, what in ((label_rows, "label rows"), (known, "rows")):
        for name in ("id", "event_time"):
            given = [label_rows, known]
            given[0 if table is label_rows else 1] = table.rename_columns(
                [f"{column}s" if column == name else column for column in table.column_names]
            )
            with pytest.raises(
                RowsError, match=rf"'facts': the {what} have no column '{name}'\. Did you mean '{name}s'\?"
            ):
                ask(*given)
    with pytest.raises(RowsError, match="'facts': the rows have no column 'x'"):
        ask(label_rows, known.drop_columns(["x"]))
    of = group(history=History(event_time="at", sequence="seq"))
    with pytest.raises(RowsError, match="'facts': the rows have no column 'seq'"):
        ask(label_rows, known.drop_columns(["seq"]), of)


def test_a_column_of_the_label_rows_is_never_shadowed():
    label_rows, known = spine(id=[1], event_time=[1], x=[5.0]), rows(id=[1], event_time=[0], x=[1.0])
    with pytest.raises(RowsError, match=r"'facts': there is a column 'x' already\. Give the role a prefix"):
        ask(label_rows, known)
    assert ask(label_rows, known, role={"prefix": "its_"}) == {"its_x": [1.0]}
    side = Side(selection=group().select("x"), rows=known)
    with pytest.raises(RowsError, match="there is a column 'x' already"):
        join(label_rows.drop_columns(["x"]), [side, side])


def test_a_column_that_is_there_twice():
    twice = pa.table([pa.array([1]), pa.array([1]), pa.array([1]).cast(TIME)], names=["id", "id", "event_time"])
    with pytest.raises(RowsError, match=r"'facts': the label rows have several columns 'id'\. Drop all but one"):
        ask(twice, rows(id=[1], event_time=[0], x=[1.0]))


def test_a_reference_needs_no_moments():
    assert ask(spine(id=[1, 2]), pa.table({"id": [1], "x": [2.0]}), reference()) == {"x": [2.0, None]}


def test_text_that_looks_alike_but_is_written_otherwise_is_another_key():
    of = group(keys=("k",), types={"k": Text()})
    keys = ["é", "e\u0301", "日本", "🛫", "", " ", "a", "A", "\uff41", "'; --"]
    label_rows = spine(k=keys, event_time=[1] * len(keys))
    known = rows(k=keys, event_time=[0] * len(keys), x=[float(n) for n in range(len(keys))])
    assert ask(label_rows, known, of) == {"x": [float(n) for n in range(len(keys))]}
