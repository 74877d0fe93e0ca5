from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml.aggregations import Count
from platform_ml.features import Windowed
from platform_ml.outcomes import AnyEvent, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import History
from platform_ml.spec.project import upstream
from platform_ml.spec.response import Response
from platform_ml.spec.schema import Boolean, Column, Double, Integer, Text, Timestamp
from platform_ml.spec.task import BINARY, REGRESSION
from platform_ml.testing.declarations import customers, orders

mails = replace(
    orders,
    name="mails",
    columns=(
        Column("mail", Integer()),
        Column("customer_id", Integer()),
        Column("kind", Text()),
        Column("sent_at", Timestamp()),
        Column("ends_at", Timestamp()),
    ),
    key=("mail",),
    event_time="sent_at",
)
answer = Response(source=orders, on=("customer_id",), outcome=AnyEvent(days=14), until="ends_at")
ordered = EventLabel(
    name="ordered",
    description="Whether a mail is followed by an order.",
    source=mails,
    entity="customer_id",
    event=answer,
    attributes=("kind",),
    carried=("ends_at",),
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lead": -timedelta(hours=1)}, r"Response in 'orders': a lead of .* predicts after the event"),
        ({"source": customers}, "Response in 'customers': the source has no event time, so nothing follows"),
        ({"outcome": AnyEvent(days=0)}, "a horizon has at least 1 day, not 0"),
        ({"on": ()}, "say in `on` by which columns an event answers a row"),
        ({"on": ("customer_id", "customer_id")}, "declares column 'customer_id' 2 times"),
        ({"on": ("custmer_id",)}, r"has no column 'custmer_id'. Did you mean 'customer_id'\?"),
        ({"outcome": Total(of="amout", days=3)}, r"has no column 'amout'. Did you mean 'amount'\?"),
    ],
)
def test_a_wrong_response_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(answer, **changes)


def test_sums_of_what_follows_are_exact():
    inexact = replace(
        orders, columns=tuple(replace(c, type=Double()) if c.name == "amount" else c for c in orders.columns)
    )
    with pytest.raises(DeclarationError, match="whose sums differ from run to run"):
        replace(answer, source=inexact, outcome=Total(of="amount", days=3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"until": "ends"}, r"Label 'ordered' has no column 'ends'. Did you mean 'ends_at'\?"),
        ({"until": "kind"}, "'kind' says until when a response counts: make it a Timestamp"),
        ({"on": ("order_id",)}, "Label 'ordered' has no column 'order_id'"),
    ],
)
def test_a_response_has_to_fit_the_rows(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(ordered, event=replace(answer, **changes))


def test_keys_have_the_same_type_on_both_sides():
    texts = tuple(replace(c, type=Text()) if c.name == "customer_id" else c for c in mails.columns)
    with pytest.raises(DeclarationError, match="'customer_id' is VARCHAR here and BIGINT in 'orders'"):
        replace(ordered, source=replace(mails, columns=texts))


def test_it_says_what_it_is():
    assert (
        ordered.meaning == "An event within the next 14 days and before ends_at, in orders with the same customer_id."
    )
    assert ordered.population == "Every event of mails that orders covers until its outcome is known."
    assert ordered.moments == "sent_at of each event."
    assert (ordered.type, ordered.task, ordered.horizon_days) == (Boolean(), BINARY, 14)
    assert (ordered.source, ordered.outcome_source) == (mails, orders)
    assert upstream(ordered) == (mails, orders)
    total = replace(ordered, event=replace(answer, outcome=Total(of="amount", days=14)))
    assert total.task is REGRESSION


def test_its_columns():
    assert list(ordered.columns) == ["mail", "customer_id", "ends_at", "kind", "event_time", "ordered", "known_time"]


def test_what_follows_may_not_be_seen_at_the_very_moment():
    earlier = FeatureGroup(
        name="earlier",
        description="Orders.",
        source=orders,
        entity="customer_id",
        cadence=orders.cadence,
        features=(Windowed(how=Count(), window=timedelta(days=10), edges="(]"),),
        history=History(),
    )
    with pytest.raises(DeclarationError, match="derives from the events that label 'ordered' predicts, and may see"):
        FeatureView(name="view", description="Mails.", label=ordered, features=(earlier,))
    open_end = replace(earlier, features=(Windowed(how=Count(), window=timedelta(days=10)),))
    assert FeatureView(name="view", description="Mails.", label=ordered, features=(open_end,)).lookback_days == 10


def test_other_mails_of_the_same_moment_may_be_seen():
    sent = FeatureGroup(
        name="sent",
        description="Mails.",
        source=mails,
        entity="customer_id",
        cadence=mails.cadence,
        features=(Windowed(how=Count(), window=timedelta(days=10), edges="(]"),),
        history=History(),
    )
    assert (
        FeatureView(name="view", description="Mails.", label=ordered, features=(sent,)).feature_names[-1] == "count_10d"
    )
