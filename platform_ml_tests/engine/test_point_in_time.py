"""Laws of the join and what it does with bad input; the rules one by one are in platform_ml_tests/point_in_time."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.aggregations import Count, Last, Mean, Total
from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Exists, Field, Windowed
from platform_ml.spec.errors import RowsError
from platform_ml.spec.history import AsOf, History, Mutations, PerRow, ValidTime
from platform_ml.spec.schema import Double
from platform_ml_tests.engine.joins import TIME, TYPES, ask, group, rows, spine

SEQUENCED = History(
    event_time="at", created="written_at", sequence="seq", tombstone="gone", ttl=timedelta(microseconds=6)
)
WINDOWS = tuple(
    Windowed(how=how, window=timedelta(microseconds=n))
    for n in (2, 5)
    for how in (Count(), Total(of="n"), Last(of="n"))
)
HISTORIES = {
    "plain": History(event_time="at", sequence="seq"),
    "before": History(event_time="at", sequence="seq", bound="<", delay=timedelta(microseconds=1)),
    "everything": SEQUENCED,
    "lives": History(event_time="at", sequence="seq", known=Mutations(known_from="written_at", known_to="over_at")),
    "interval": History(event_time="at", sequence="seq", valid_to="over_at"),
}
small = st.integers(0, 9)
some = st.none() | small
FACT = {
    "id": st.none() | st.integers(0, 2),
    "event_time": some,
    "written_at": some,
    "over_at": some,
    "gone": st.booleans(),
}
fact = st.fixed_dictionaries(FACT)
question = st.tuples(st.none() | st.integers(0, 2), some)


def facts(drawn, order=None):
    """Rows with a sequence, so that everything is ordered, in any order."""
    numbered = [row | {"seq": n, "x": float(n), "n": n} for n, row in enumerate(drawn)]
    numbered = numbered if order is None else [numbered[n] for n in order]
    return rows(**{name: [row[name] for row in numbered] for name in (*FACT, "seq", "x", "n")})


def asked(drawn):
    return spine(id=[row[0] for row in drawn], event_time=[row[1] for row in drawn])


def declared(name):
    history = HISTORIES[name]
    plain = group(Field(of="x"), Exists(called="there"), history=history, name="newest")
    windows = group(
        *WINDOWS,
        history=History(event_time="at", sequence="seq", created=history.created, known=history.known),
        name="sums",
    )
    return plain, windows


def answers(name, questions, drawn, mode=None, order=None):
    there, found = facts(drawn, order), {}
    for of in declared(name):
        found |= ask(asked(questions), there, of, knowledge=mode or PerRow())
    return found


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.lists(fact, max_size=12), st.lists(question, max_size=8), st.randoms())
def test_the_order_of_rows_does_not_matter(name, drawn, questions, random):
    order = random.sample(range(len(drawn)), len(drawn))
    assert answers(name, questions, drawn, order=order) == answers(name, questions, drawn)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.lists(fact, max_size=12), st.lists(question, max_size=8), st.randoms())
def test_the_order_of_label_rows_is_that_of_the_answers(name, drawn, questions, random):
    order = random.sample(range(len(questions)), len(questions))
    straight = answers(name, questions, drawn)
    mixed = answers(name, [questions[n] for n in order], drawn)
    assert mixed == {column: [values[n] for n in order] for column, values in straight.items()}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.lists(fact, max_size=12), st.lists(question, min_size=1, max_size=8))
def test_each_row_is_answered_as_if_it_were_asked_alone(name, drawn, questions):
    together = answers(name, questions, drawn)
    for n, question in enumerate(questions):
        assert answers(name, [question], drawn) == {column: [values[n]] for column, values in together.items()}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.lists(fact, max_size=12), st.integers(0, 2), small)
def test_nothing_that_happens_or_becomes_known_later_is_seen(name, drawn, who, moment):
    learned = name in {"everything", "lives"}
    for row in drawn:  # what came later had not been written
        if row["event_time"] is not None and row["event_time"] > moment:
            row["written_at"] = row["event_time"]

    def over(row):
        late = name == "lives" and row["over_at"] is not None and row["over_at"] > moment
        return row | {"over_at": None} if late else row

    past = [
        over(row)
        if (row["event_time"] or 0) <= moment and (not learned or (row["written_at"] or 0) <= moment)
        else None
        for row in drawn
    ]
    blank = dict.fromkeys(FACT) | {"id": 9, "gone": False}
    cut = [blank if row is None else row for row in past]  # keeps the sequence of the others
    assert answers(name, [(who, moment)], cut) == answers(name, [(who, moment)], drawn)


@settings(max_examples=40, deadline=None)
@given(st.lists(fact, max_size=12), st.lists(question, max_size=8), small)
def test_as_of_one_moment_is_a_join_of_what_had_been_written_by_then(drawn, questions, then):
    mode = AsOf(moment=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=then))
    written = [row["written_at"] is not None and row["written_at"] <= then for row in drawn]
    cut = facts(drawn).filter(pa.array(written, pa.bool_()))
    of = group(history=SEQUENCED)
    assert ask(asked(questions), facts(drawn), of, knowledge=mode) == ask(
        asked(questions), cut, of, knowledge=ValidTime()
    )


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_any_number_of_threads_gives_the_same_bytes(threads):
    there = rows(
        id=[n % 50 for n in range(5_000)], event_time=[n * 37 % 5_003 for n in range(5_000)], n=[*range(5_000)]
    )
    label_rows = spine(id=[n % 60 for n in range(3_000)], event_time=[n * 11 % 5_003 for n in range(3_000)])
    of = [group(Field(of="n"), name="newest"), group(*WINDOWS, name="sums", history=History(event_time="at"))]
    sides = [Side(selection=g.select(*(f.name for f in g.features)), rows=there) for g in of]
    assert join(label_rows, sides, threads=threads).equals(join(label_rows, sides, threads=1))


def test_a_tie_says_who_when_and_what():
    at = datetime(2024, 1, 2, tzinfo=UTC)
    there = rows(id=[7, 7, 8], event_time=[at, at, at], x=[1.0, 2.0, 3.0], name=["a", "a", "b"])
    of = group(Field(of="x"), Field(of="name"))
    with pytest.raises(RowsError) as caught:
        ask(spine(id=[7], event_time=[at]), there, of)
    message = str(caught.value)
    assert message.startswith("Feature group 'facts': 1 rows have the same key and event time as another one")
    for part in ("id = 7", "2024, 1, 2", "x is 1.0 and 2.0", "created, sequence", "ties='last'"):
        assert part in message
    assert "name is" not in message
    assert ask(spine(id=[8], event_time=[at]), there, of) == {"x": [3.0], "name": ["b"]}  # nobody asks for 7


@pytest.mark.parametrize(
    ("there", "history", "found"),
    [
        ({"x": [1.0, 1.0]}, {}, 1.0),
        ({"x": [float("nan")] * 2}, {}, "nan"),
        ({"x": [None, None]}, {}, None),
        ({"x": [1.0, 2.0], "name": ["a", "b"]}, {"ties": "last"}, 2.0),
        ({"x": [2.0, 1.0], "seq": [2, 1]}, {"sequence": "seq"}, 2.0),
        ({"x": [2.0, 1.0], "seq": [1, None]}, {"sequence": "seq"}, 2.0),
        ({"x": [2.0, 1.0], "written_at": [5, 4]}, {"created": "written_at"}, 2.0),
        ({"x": [1.0, 2.0], "written_at": [None, 4]}, {"created": "written_at"}, 2.0),
    ],
)
def test_what_settles_a_tie(there, history, found):
    of = group(history=History(event_time="at", **history))
    (value,) = ask(spine(id=[1], event_time=[9]), rows(id=[1, 1], event_time=[0, 0], **there), of)["x"]
    assert (str(value) if found == "nan" else value) == found


def test_a_tie_that_created_and_sequence_leave_is_refused():
    of = group(history=History(event_time="at", created="written_at", sequence="seq"))
    tied = rows(id=[1, 1], event_time=[0, 0], x=[1.0, None], seq=[1, 1], written_at=[2, 2])
    with pytest.raises(RowsError, match=r"id = 1, .*: x is 1.0 and None\. Declare what orders them"):
        ask(spine(id=[1], event_time=[9]), tied, of)


def test_tables_without_rows():
    of = group(
        Field(of="x"),
        Exists(called="there"),
        Windowed(how=Count(), window=None),
        Windowed(how=Mean(of="x"), window=None),
    )
    nothing = {"x": [], "there": [], "count_ever": [], "x_mean_ever": []}
    there, label_rows = rows(id=[1], event_time=[0], x=[2.0]), spine(id=[1, None], event_time=[1, 1])
    assert ask(label_rows.slice(0, 0), there, of) == nothing
    assert ask(label_rows.slice(0, 0), there.slice(0, 0), of) == nothing
    assert ask(label_rows, there.slice(0, 0), of) == {
        "x": [None, None],
        "there": [False, False],
        "count_ever": [0, 0],
        "x_mean_ever": [None, None],
    }
    assert ask(label_rows, there, of) == {
        "x": [2.0, None],
        "there": [True, False],
        "count_ever": [1, 0],
        "x_mean_ever": [2.0, None],
    }
    chunks = pa.table({name: pa.chunked_array([], kind) for name, kind in TYPES.items()})
    assert ask(chunks.select(["id", "event_time"]), chunks, of) == nothing


def test_chunks_and_slices_are_read_as_one():
    there = rows(id=[9, 1, 1, 2, 9], event_time=[0, 0, 5, 3, 0], x=[9.0, 1.0, None, 2.0, 9.0], name=[*"yabcz"])
    label_rows = spine(id=[9, 1, 2, 1, None, 9], event_time=[1, 4, 3, 6, 1, 1])
    of = group(Field(of="x"), Field(of="name"), Windowed(how=Last(of="name"), window=None, edges="[]"))
    plain = ask(label_rows.slice(1, 4).combine_chunks(), there.slice(1, 3).combine_chunks(), of)
    assert plain == {
        "x": [1.0, 2.0, None, None],
        "name": ["a", "c", "b", None],
        "name_last_ever": ["a", "c", "b", None],
    }

    def chunked(table):
        return pa.concat_tables([table.slice(n, 1) for n in range(table.num_rows)])

    assert ask(label_rows.slice(1, 4), there.slice(1, 3), of) == plain
    assert ask(chunked(label_rows).slice(1, 4), chunked(there).slice(1, 3), of) == plain


def test_whole_number_keys_are_compared_as_such():
    keys = [2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, 2**63 - 2, -(2**63), -1, 0]
    there = rows(id=keys, event_time=[0] * len(keys), n=keys)
    label_rows = spine(id=[*reversed(keys), 5], event_time=[1] * (len(keys) + 1))
    assert ask(label_rows, there, group(Field(of="n"))) == {"n": [*reversed(keys), None]}


def test_several_key_columns_are_compared_one_by_one():
    of = group(keys=("id", "name"))
    there = rows(
        id=[1, 11, 1, None, 1], name=["11", "1", "", "x", None], event_time=[0] * 5, x=[1.0, 2.0, 3.0, 4.0, 5.0]
    )
    label_rows = spine(id=[11, 1, 1, None, 1, 111], name=["1", "11", "", "x", None, ""], event_time=[1] * 6)
    assert ask(label_rows, there, of) == {"x": [2.0, 1.0, 3.0, None, None, None]}
    nulls = group(keys=("id", "name"), history=History(event_time="at", match_null_keys=True))
    assert ask(label_rows, there, nulls) == {"x": [2.0, 1.0, 3.0, 4.0, 5.0, None]}


def test_without_key_columns_everything_is_one_thing():
    of = group(Field(of="x"), Windowed(how=Total(of="x"), window=None, edges="[]"), keys=())
    there = rows(event_time=[0, 5, 7], x=[1.0, 2.0, 3.0])
    assert ask(spine(event_time=[6, None, -1, 7]), there, of) == {
        "x": [2.0, None, None, 3.0],
        "x_total_ever": [3.0, None, None, 6.0],
    }


def test_one_key_with_a_very_long_history():
    count = 300_000
    moments = pa.array(range(0, 2 * count, 2), pa.int64())
    there = pa.table({"id": pa.array([1] * count), "event_time": moments.cast(TIME), "n": moments})
    of = group(
        Field(of="n"),
        Windowed(how=Count(), window=timedelta(microseconds=10)),
        Windowed(how=Total(of="n"), window=None),
    )
    found = ask(spine(id=[1, 1, 1], event_time=[-1, 7, 2 * count]), there, of)
    assert found == {
        "n": [None, 6, 2 * count - 2],
        "count_10us": [0, 4, 5],
        "n_total_ever": [None, 12.0, count * (count - 1.0)],
    }


def test_ten_thousand_columns():
    names = [f"c{n}" for n in range(10_000)]
    began = perf_counter()
    of = group(*(Field(of=name) for name in names), types=dict.fromkeys(names, Double()))
    there = pa.table(
        {"id": [1, 2], "event_time": pa.array([0, 0], TIME)} | {name: [float(n), None] for n, name in enumerate(names)}
    )
    found = ask(spine(id=[1, 2, 3], event_time=[1, 1, 1]), there, of)
    assert list(found) == names
    assert all(found[name] == [float(n), None, None] for n, name in enumerate(names))
    assert perf_counter() - began < 60


def test_moments_and_values_that_are_null():
    there = rows(id=[1, 1], event_time=[None, 3], x=[1.0, None])
    assert ask(spine(id=[1, 1, 1], event_time=[None, 2, 4]), there, group(Field(of="x"), Exists(called="there"))) == {
        "x": [None, None, None],
        "there": [False, False, True],
    }


def test_one_group_in_two_roles_as_of_two_moments():
    label_rows = spine(
        origin=pa.array([1, 2]), dest=pa.array([2, 1]), event_time=[5, 5], earlier=pa.array([0, 9], TIME)
    )
    there = rows(id=[1, 2, 1], event_time=[0, 4, 7], x=[1.0, 2.0, 3.0])
    chosen = group().select("x")
    roles = [chosen.role("from_", on={"id": "origin"}), chosen.role("to_", on={"id": "dest"}, at="earlier")]
    found = join(label_rows, [Side(selection=role, rows=there) for role in roles])
    assert found.select(["from_x", "to_x"]).to_pydict() == {"from_x": [1.0, 2.0], "to_x": [None, 3.0]}


def test_what_is_joined_comes_after_the_label_rows_own_columns():
    label_rows = spine(id=[1], event_time=[1], note=pa.array(["kept"]).dictionary_encode())
    found = join(label_rows, [Side(selection=group().select("x"), rows=rows(id=[1], event_time=[0], x=[1.0]))])
    assert found.schema.names == ["id", "event_time", "note", "x"]
    assert found.select(["id", "event_time", "note"]).equals(label_rows)
