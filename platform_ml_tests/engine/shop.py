"""A small generated shop, and the steps that its partitions go through."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.adapters.delta import DeltaTables
from platform_ml.adapters.duckdb import DuckDB
from platform_ml.adapters.folders import Folders
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.feed import landing_file
from platform_ml.engine.label import materialize_label
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.ports import WHOLE, Files, Stamp
from platform_ml.engine.source import materialize_source
from platform_ml.features import Count, Exists, Field, Recency, Total
from platform_ml.outcomes import NoEvent
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.window import Daily, Weekly, moment
from platform_ml.splitters import ByTime
from platform_ml.testing import declarations

FIRST, LAST = date(2024, 1, 1), date(2024, 4, 29)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
CUSTOMERS = 30

orders = replace(declarations.orders, cadence=Daily(first=FIRST, last=LAST))
customers = declarations.customers
order_history = replace(
    declarations.order_history,
    source=orders,
    cadence=orders.cadence,
    features=(Total(days=28, of="amount"), Recency(days=28), Exists(called="bought_lately")),
)
order_weeks = FeatureGroup(
    name="order_weeks",
    description="What a customer bought, by calendar week.",
    source=orders,
    entity="customer_id",
    cadence=Weekly(first=FIRST, last=FIRST + timedelta(days=7 * 16)),
    features=(Count(days=7),),
)
customer_profile = replace(
    declarations.customer_profile, features=(Field(of="country"), Field(of="student"), Exists(called="surveyed"))
)
lapsed = Label(
    name="lapsed",
    description="Whether a customer orders nothing for two weeks.",
    source=orders,
    entity="customer_id",
    outcome=NoEvent(days=14),
    cadence=Weekly(first=date(2024, 1, 31), last=date(2024, 4, 10)),
)
lapse_view = FeatureView(
    name="lapse_view",
    description="Customers on Wednesdays.",
    label=lapsed,
    features=(order_history, order_weeks),
    helpers=(customer_profile,),
)
lapse_dataset = TrainingDataset(
    name="lapse_dataset",
    description="Wednesdays up to a cutoff.",
    view=lapse_view,
    splitter=ByTime(validation_days=14),
    history_days=126,
    windows_may_overlap="The shop is small.",
)
CUTOFF = str(lapsed.cadence.last)
ORDER = pa.schema(
    {
        "order_id": pa.int64(),
        "customer_id": pa.int64(),
        "amount": pa.decimal128(9, 2),
        "ordered_at": pa.timestamp("us"),
    }
)
CUSTOMER = pa.schema({"customer_id": pa.int64(), "country": pa.string(), "student": pa.bool_()})


def project_of(dataset, name="shop"):
    """A project around a dataset, up to a registration."""
    last = declarations.lapse
    model = replace(last.card.evaluation.model, dataset=dataset, baselines=last.card.evaluation.model.baselines[1:])
    slices = tuple(name for name in last.card.evaluation.slices if name in dataset.view.helper_names)
    card = replace(last.card, evaluation=replace(last.card.evaluation, model=model, slices=slices))
    return replace(declarations.shop, name=name, outputs=(replace(last, card=card, gates=last.gates[:1]),))


SHOP = project_of(lapse_dataset)


@dataclass(frozen=True)
class Order:
    """What a customer bought, when."""

    order_id: int
    customer_id: int
    amount: Decimal
    ordered_at: datetime

    @property
    def day(self):
        return self.ordered_at.date()


def naive(*parts):
    """A time without zone, as suppliers write it."""
    return datetime(*parts)  # noqa: DTZ001


def invented(seed=1, customers=CUSTOMERS, days=DAYS):
    """Some customers come nearly every day, some once in a month, and some stop."""
    draw = np.random.default_rng(seed)
    found = []
    for customer in range(customers):
        rate = draw.choice([0.5, 0.1, 0.03])
        begins, ends = sorted(draw.integers(0, len(days) + 30, size=2))
        for number, day in enumerate(days):
            if begins <= number <= ends and draw.random() < rate:
                seconds = int(draw.choice([0, 86_399, draw.integers(86_400)]))
                amount = Decimal(int(draw.integers(1, 20_000))).scaleb(-2)
                at = naive(day.year, day.month, day.day) + timedelta(seconds=seconds)
                found.append(Order(1_000_000 * seed + len(found), customer, amount, at))
    return found


def table(bought):
    return pa.table({name: [getattr(order, name) for order in bought] for name in ORDER.names}, schema=ORDER)


def write(work, source, key, rows):
    """Deliver the file of one partition."""
    file = landing_file(source, key, work)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, file)
    return file


def deliver(work, bought, days=DAYS, source=orders):
    """One file a day; a day without orders has an empty one."""
    by_day = {day: [] for day in days}
    for order in bought:
        if order.day in by_day:
            by_day[order.day].append(order)
    for day, found in by_day.items():
        write(work, source, str(day), table(found))


def deliver_customers(work, rows=None):
    """Of every third customer nothing is known."""
    known = [number for number in range(CUSTOMERS) if number % 3]
    plain = [
        {"customer_id": n, "country": [None, "AT", "CH"][n % 3], "student": [True, False, None][n % 4 % 3]}
        for n in known
    ]
    write(work, customers, WHOLE, pa.Table.from_pylist(plain if rows is None else rows, schema=CUSTOMER))


def stamp(token=1, fingerprint="f" * 64):
    return Stamp(run_id="run", asset="asset", fingerprint=fingerprint, code_version="0", token=token)


def work_in(folder, *, threads=2, say=lambda _: None):
    platform = Platform(
        landing=folder / "landing",
        tables=DeltaTables(folder / "tables"),
        compute=DuckDB(memory="500MB", threads=threads),
        artifacts=Folders(folder / "artifacts"),
        tracker=None,
        registry=None,
    )
    return Work(project="shop", platform=platform, say=say)


def keys_of(noun):
    return noun.cadence.keys()


def make(work, noun, keys=None, token=1):
    """Materialize partitions of anything up to a view."""
    steps = {
        Source: materialize_source,
        FeatureGroup: materialize_feature_group,
        Label: materialize_label,
        FeatureView: materialize_feature_view,
    }
    if keys is None:
        keys = (
            noun.label.cadence.keys()
            if isinstance(noun, FeatureView)
            else noun.cadence.keys()
            if noun.cadence
            else [WHOLE]
        )
    return steps[type(noun)](noun, keys, work=work, stamp=stamp(token))


def make_all(work, bought, *, view=lapse_view, token=1):
    """From files to the view."""
    deliver(work, bought)
    deliver_customers(work)
    for noun in (view.label.source, customers, *view.groups, view.label, view):
        for done in make(work, noun, token=token):
            assert not done.stopped, done.stopped


def rows_of(work, noun, keys=None):
    """The rows of a table as dictionaries, without the platform's columns, by partition and in file order."""
    snapshot = work.read(noun, keys or [])
    files = Files(paths=snapshot.paths(keys), schema=snapshot.schema)
    found = work.platform.compute.query("SELECT * EXCLUDE (_partition, _created, _seq) FROM rows", {"rows": files})
    return found.table().to_pylist()


def contents(work, noun):
    """Partition → content hash."""
    return {key: state.content for key, state in work.read(noun, []).partitions.items()}


def history(bought, at):
    """What order_history says of every customer at a moment, in plain Python."""
    day = at.date() if isinstance(at, datetime) else at
    found = {}
    for order in bought:
        age = (day - order.day).days - 1
        if 0 <= age < 28:
            total, recency = found.get(order.customer_id, (Decimal(0), age))
            found[order.customer_id] = (total + order.amount, min(recency, age))
    return found


def weeks(bought, at):
    """How many orders a customer had in the last calendar week that is over at a moment."""
    monday = at - timedelta(days=at.weekday())
    found = {}
    for order in bought:
        if 0 < (monday - order.day).days <= 7:
            found[order.customer_id] = found.get(order.customer_id, 0) + 1
    return found


def view_rows(bought, at, profiles):
    """The rows of lapse_view at a moment, in plain Python."""
    seen = {order.customer_id for order in bought if order.day < at}
    later = {order.customer_id for order in bought if 0 <= (order.day - at).days < 14}
    recent, weekly = history(bought, at), weeks(bought, at)
    return [
        {
            "customer_id": who,
            "event_time": moment(at),
            "lapsed": who not in later,
            "known_time": moment(at + timedelta(days=14)),
            "amount_sum_28d": float(recent[who][0]) if who in recent else None,
            "days_since_last_28d": recent[who][1] if who in recent else None,
            "bought_lately": who in recent,
            "count_7d": weekly.get(who),
            "country": profiles.get(who, {}).get("country"),
            "student": profiles.get(who, {}).get("student"),
            "surveyed": who in profiles,
        }
        for who in sorted(seen)
    ]


def utc(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
