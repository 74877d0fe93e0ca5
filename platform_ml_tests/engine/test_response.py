"""Labels that are found in what follows: mails, and the answers to them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.aggregations import Count
from platform_ml.engine import event_label, labels, response
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.source import materialize_source
from platform_ml.engine.upstream import upstream
from platform_ml.features import Windowed
from platform_ml.formats import Parquet
from platform_ml.outcomes import AnyEvent, Total
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.history import History
from platform_ml.spec.response import Response
from platform_ml.spec.schema import Column, Decimal, Integer, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily, Weekly
from platform_ml_tests.engine.shop import rows_of, stamp, work_in, write

DAYS = Daily(first=date(2024, 3, 1), last=date(2024, 3, 20))
LONGEST = 5
START = datetime(2024, 3, 1, tzinfo=UTC)

mails = Source(
    name="mails",
    description="Who is sent what.",
    format=Parquet(),
    columns=(
        Column("who", Integer(), nullable=True),
        Column("offer", Integer(), nullable=True),
        Column("mail", Integer()),
        Column("sent_at", Timestamp()),
        Column("ends_at", Timestamp(), nullable=True),
    ),
    key=("mail",),
    event_time="sent_at",
    cadence=DAYS,
    max_rejected_share=0.0,
)
answers = Source(
    name="answers",
    description="Who answered what.",
    format=Parquet(),
    columns=(
        Column("who", Integer()),
        Column("offer", Integer()),
        Column("number", Integer()),
        Column("amount", Decimal(9, 2)),
        Column("answered_at", Timestamp()),
    ),
    key=("number",),
    event_time="answered_at",
    cadence=DAYS,
)
answered = EventLabel(
    name="answered",
    description="Whether a mail is answered.",
    source=mails,
    entity="who",
    event=Response(source=answers, on=("who", "offer"), outcome=AnyEvent(days=LONGEST), until="ends_at"),
    carried=("offer",),
)
paid = replace(answered, name="paid", event=replace(answered.event, outcome=Total(of="amount", days=LONGEST)))


def at(day, **more):
    return START + timedelta(days=day - 1, **more)


@pytest.fixture
def work(tmp_path):
    return work_in(tmp_path)


def schema(source):
    kinds = {Integer: pa.int64(), Decimal: pa.decimal128(9, 2), Timestamp: pa.timestamp("us")}
    return pa.schema({column.name: kinds[type(column.type)] for column in source.columns})


def deliver(work, source, rows):
    time = source.event_time
    naive = [{n: v.replace(tzinfo=None) if isinstance(v, datetime) else v for n, v in row.items()} for row in rows]
    for key in source.cadence.keys():
        first = source.cadence.day(key)
        there = [row for row in naive if timedelta(0) <= row[time].date() - first < timedelta(days=source.cadence.days)]
        write(work, source, key, pa.Table.from_pylist(there, schema=schema(source)))
    done = materialize_source(source, source.cadence.keys(), work=work, stamp=stamp(1, fingerprint(source)))
    assert not [found for one in done for found in one.stopped]


def mail(number, sent, ends=None, who=1, offer=1):
    return {"mail": number, "who": who, "offer": offer, "sent_at": sent, "ends_at": ends}


def answer(number, when, who=1, offer=1, amount=1):
    return {"number": number, "who": who, "offer": offer, "amount": amount, "answered_at": when}


def make(work, label, keys=None):
    keys = keys or label.cadence.keys()
    done = labels.materialize(label, keys, work=work, stamp=stamp(1, fingerprint(label)))
    return [found for one in done for found in one.stopped]


def found(work, label, mails_, answers_):
    deliver(work, mails, mails_)
    deliver(work, answers, answers_)
    assert make(work, label) == []
    return {row["mail"]: row[label.name] for row in rows_of(work, label)}


def test_an_answer_counts_from_the_moment_until_the_end(work):
    tick = timedelta(microseconds=1)
    sent, end = at(3, hours=5), at(6)
    whens = {1: sent - tick, 2: sent, 3: end - tick, 4: end}
    rows = [mail(n, sent, end, who=n) for n in whens]
    assert found(work, answered, rows, [answer(n, when, who=n) for n, when in whens.items()]) == {
        1: False,
        2: True,
        3: True,
        4: False,
    }


def test_without_an_end_it_is_the_longest_that_is_waited_for(work):
    sent, tick = at(3, hours=5), timedelta(microseconds=1)
    over = sent + timedelta(days=LONGEST)
    rows = [mail(1, sent, who=1), mail(2, sent, who=2), mail(3, sent, at(19), who=3)]
    late = [answer(1, over - tick, who=1), answer(2, over, who=2), answer(3, over, who=3)]
    assert found(work, answered, rows, late) == {1: True, 2: False, 3: False}
    assert {row["known_time"] for row in rows_of(work, answered)} == {over}


def test_two_offers_at_the_same_moment_are_told_apart(work):
    sent = at(3)
    rows = [mail(1, sent, at(6), offer=1), mail(2, sent, at(6), offer=2), mail(3, sent, at(6), offer=1, who=2)]
    only = [answer(1, at(4), offer=2), answer(2, at(5), offer=2)]
    assert found(work, answered, rows, only) == {1: False, 2: True, 3: False}
    assert len(rows_of(work, answered)) == 3


def test_the_same_offer_sent_twice_is_answered_twice(work):
    rows = [mail(1, at(3), at(8)), mail(2, at(5), at(8))]
    assert found(work, answered, rows, [answer(1, at(4))]) == {1: True, 2: False}
    assert found(work, answered, rows, [answer(1, at(6))]) == {1: True, 2: True}


def test_any_outcome_of_what_follows_will_do(work):
    rows = [mail(1, at(3), at(6)), mail(2, at(3), at(6), who=2)]
    some = [answer(1, at(4), amount=2), answer(2, at(5), amount=3), answer(3, at(7), amount=9)]
    assert found(work, paid, rows, some) == {1: 5.0, 2: 0.0}


def test_mails_of_nobody_and_of_nothing_are_not_labelled(work):
    rows = [mail(1, at(3), at(6)), mail(2, at(3), at(6), who=None), mail(3, at(3), at(6), offer=None)]
    assert found(work, answered, rows, []) == {1: False}


def test_what_the_other_source_does_not_cover_is_not_labelled(work):
    ahead = replace(answered, event=replace(answered.event, lead=timedelta(hours=1)))
    rows = [mail(1, at(1), at(3)), mail(2, at(19), at(21)), mail(3, at(19), at(21, microseconds=1)), mail(4, at(20))]
    assert found(work, answered, rows, []) == {1: False, 2: False}
    assert make(work, ahead) == []
    assert {row["mail"]: row["event_time"] for row in rows_of(work, ahead)} == {2: at(19) - timedelta(hours=1)}


def test_an_end_before_the_moment_is_refused(work):
    deliver(work, mails, [mail(1, at(3), at(3))])
    deliver(work, answers, [])
    (finding,) = make(work, answered)
    assert finding.check == event_label.HORIZON
    assert "1 outcomes were known before the moment" in finding.reason


def test_random_mails_agree_with_the_definition(work):
    draw = np.random.default_rng(4)

    def moment():
        return at(1) + timedelta(hours=int(draw.integers(20 * 24)))

    rows = [
        mail(n, sent := moment(), sent + timedelta(hours=int(draw.integers(1, 160))), *draw.integers(1, 4, 2).tolist())
        for n in range(200)
    ]
    given = [answer(n, moment(), *draw.integers(1, 4, 2).tolist()) for n in range(150)]
    expected = {}
    for one in rows:
        end = min(one["ends_at"], one["sent_at"] + timedelta(days=LONGEST))
        if end <= at(21):
            same = [a for a in given if (a["who"], a["offer"]) == (one["who"], one["offer"])]
            expected[one["mail"]] = any(one["sent_at"] <= a["answered_at"] < end for a in same)
    assert found(work, answered, rows, given) == expected
    assert set(expected.values()) == {True, False}
    one_by_one = {row["mail"]: row["answered"] for row in rows_of(work, answered)}
    for key in reversed(DAYS.keys()):
        assert make(work, answered, [key]) == []
    assert {row["mail"]: row["answered"] for row in rows_of(work, answered)} == one_by_one


def test_it_reads_the_days_of_the_horizon():
    assert labels.reads(answered, "2024-03-03") == [
        (mails, ["2024-03-03"]),
        (answers, [f"2024-03-0{day}" for day in range(3, 9)]),
    ]
    ahead = replace(answered, event=replace(answered.event, lead=timedelta(hours=1)))
    assert labels.reads(ahead, "2024-03-03")[1][1] == [f"2024-03-0{day}" for day in range(2, 9)]
    assert [one.name for one, _ in upstream(answered, "2024-03-03")] == ["mails", "answers"]
    # Nothing will ever follow the last day of a source that has ended.
    assert labels.reads(answered, "2024-03-20")[1][1] == ["2024-03-20"]


def test_sources_of_weeks_give_the_same_labels(work):
    draw = np.random.default_rng(5)
    weeks = Weekly(first=date(2024, 3, 1), last=date(2024, 3, 15))
    sent, given = (replace(source, cadence=weeks) for source in (mails, answers))
    label = replace(answered, source=sent, event=replace(answered.event, source=given))
    whens = [at(1) + timedelta(hours=int(hour)) for hour in draw.integers(20 * 24, size=80)]
    rows = [mail(n, when, who=n % 3) for n, when in enumerate(whens[:40])]
    replies = [answer(n, when, who=n % 3) for n, when in enumerate(whens[40:])]
    daily = found(work, answered, rows, replies)
    for source, delivered in ((sent, rows), (given, replies)):
        deliver(work, source, delivered)
    assert make(work, label) == []
    weekly = {row["mail"]: row["answered"] for row in rows_of(work, label)}
    assert {one: weekly[one] for one in daily} == daily
    assert labels.reads(label, "2024-03-08")[1][1] == ["2024-03-08", "2024-03-15"]
    ahead = replace(label, event=replace(label.event, lead=timedelta(hours=1)))
    assert labels.reads(ahead, "2024-03-08")[1][1] == ["2024-03-01", "2024-03-08", "2024-03-15"]


def test_a_late_answer_makes_its_mails_stale(work):
    rows = [mail(1, at(3), at(6)), mail(2, at(12), at(14))]
    found(work, answered, rows, [])
    before = work.platform.tables.snapshot(work.table(answered)).partitions
    found(work, answered, rows, [answer(1, at(4))])
    after = work.platform.tables.snapshot(work.table(answered)).partitions
    changed = {key for key in after if after[key].inputs != before[key].inputs}
    assert changed == {f"2024-03-{day:02}" for day in range(1, 5)}
    assert {key for key in after if after[key].content != before[key].content} == {"2024-03-03"}


def test_a_source_that_goes_on_is_waited_for():
    today = datetime.now(UTC).date()
    going_on = replace(answers, cadence=Daily(first=date(2024, 3, 1)))
    live = replace(
        answered,
        source=replace(mails, cadence=Daily(first=date(2024, 3, 1))),
        event=replace(answered.event, source=going_on),
    )
    day = str(today - timedelta(days=LONGEST))
    with pytest.raises(MissingInputError, match=rf"'answered', partition {day}: its outcomes are known on"):
        labels.source_keys(live, day)
    over = str(today - timedelta(days=LONGEST + 2))
    assert labels.source_keys(live, over) == [over]
    assert len(response.keys(live, live.event, over)) == LONGEST + 1


def test_earlier_answers_are_features_without_telling_the_outcome(work):
    before = FeatureGroup(
        name="before",
        description="What was answered.",
        source=answers,
        entity="who",
        cadence=answers.cadence,
        features=(Windowed(how=Count(), window=timedelta(days=10)),),
        history=History(bound="<"),
    )
    view = FeatureView(name="mail_view", description="Mails.", label=answered, features=(before,))
    rows = [mail(1, at(5), at(8)), mail(2, at(5), at(8), offer=2), mail(3, at(5), at(8), who=2)]
    found(work, answered, rows, [answer(1, at(4)), answer(2, at(5)), answer(3, at(6), offer=2)])
    materialize_feature_group(before, DAYS.keys(), work=work, stamp=stamp(1, fingerprint(before)))
    (done,) = materialize_feature_view(view, DAYS.keys(), work=work, stamp=stamp(1, fingerprint(view)))
    assert done.stopped == []
    joined = {row["mail"]: (row["answered"], row["count_10d"]) for row in rows_of(work, view)}
    assert joined == {1: (True, 1), 2: (True, 1), 3: (False, 0)}
