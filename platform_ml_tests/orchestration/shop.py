"""A shop of nine weeks as a checkout of its own: rows, files, tables, Dagster's history."""

import os
import shutil
import warnings
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path

import dagster as dg

from platform_ml.features import Recency, Total
from platform_ml.orchestration.build import definitions, project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.outcomes import NoEvent
from platform_ml.outliers import Tukey
from platform_ml.spec.quality import Quality
from platform_ml.spec.window import Daily, Weekly
from platform_ml.splitters import ByTime
from platform_ml.testing import declarations as small
from platform_ml_tests.engine import shop as rows

ROOT = Path(__file__).parents[2]
FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(63)]

orders = replace(small.orders, cadence=Daily(first=FIRST, last=DAYS[-1]))
customers = small.customers
order_history = replace(
    small.order_history, source=orders, cadence=orders.cadence, features=(Total(days=7, of="amount"), Recency(days=7))
)
order_weeks = replace(
    order_history,
    name="order_weeks",
    cadence=Weekly(first=FIRST, last=DAYS[-7]),
    features=(Recency(days=14),),
    quality=Quality(outliers=Tukey(), min_values=5),
)
customer_profile = small.customer_profile
lapsed = replace(
    small.lapsed,
    source=orders,
    outcome=NoEvent(days=7),
    cadence=Weekly(first=FIRST + timedelta(days=14), last=DAYS[-14]),
)
lapse_view = replace(small.lapse_view, label=lapsed, features=(order_history, order_weeks))
lapse_dataset = replace(
    small.lapse_dataset,
    view=lapse_view,
    splitter=ByTime(validation_days=7),
    history_days=35,
    windows_may_overlap="The shop is small.",
)
lapse_model = replace(small.lapse_model, dataset=lapse_dataset, baselines=small.lapse_model.baselines[1:])
lapse_evaluation = replace(small.lapse_evaluation, model=lapse_model)
lapse_card = replace(small.lapse_card, evaluation=lapse_evaluation)
lapse = replace(small.lapse, card=lapse_card, gates=small.lapse.gates[:1])
CUTOFF = str(lapsed.cadence.last)
shop = replace(small.shop, outputs=(lapse,), demo_cutoff=lapsed.cadence.last)

defs = definitions([shop], PlatformResource())
"""The shop as a code location: `-m platform_ml_tests.orchestration.shop`."""


assets = cache(project_assets)


@cache
def bought(seed=1):
    """Some seven orders a day."""
    return rows.invented(seed, customers=100, days=DAYS)


def bought_on(day, seed=1):
    return [order for order in bought(seed) if str(order.day) == day]


def key(noun):
    return dg.AssetKey([shop.name, noun.name])


def span(noun):
    """The first and the last partition."""
    cadence = noun.label.cadence if hasattr(noun, "label") else noun.cadence
    keys = cadence.keys()
    return keys[0], keys[-1]


def swapped(value, old, new):
    """The same declarations on another one."""
    if value == old:
        return new
    if isinstance(value, tuple):
        return tuple(swapped(item, old, new) for item in value)
    if not is_dataclass(value):
        return value
    return replace(value, **{field.name: swapped(getattr(value, field.name), old, new) for field in fields(value)})


@dataclass
class Checkout:
    """A folder with the repository's dagster.yaml, and data/ below it."""

    folder: Path

    @classmethod
    def make(cls, folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "dagster.yaml", folder)
        return cls(folder)

    @cached_property
    def instance(self):
        return dg.DagsterInstance.from_config(str(self.folder))

    @property
    def environment(self):
        """For a command line that stands in this folder; steps of a second are not worth processes of their own."""
        own = {"DAGSTER_HOME": str(self.folder), "PYTHONPATH": str(ROOT), "PLATFORM_ML_EXECUTOR": "in_process"}
        return os.environ | own

    @property
    def platform(self):
        return PlatformResource(data=str(self.folder / "data"), memory="500MB")

    @cached_property
    def work(self):
        return self.platform.work(shop.name, lambda _: None)

    def land(self, seed=1):
        """Deliver every file."""
        rows.deliver(self.work, bought(seed), days=DAYS, source=orders)
        rows.deliver_customers(self.work)

    def deliver(self, day, found):
        """Deliver the file of one day (again)."""
        return rows.write(self.work, orders, day, rows.table(found))

    def materialize(self, nouns, *, project=shop, partition=None, span=None):
        """One run in this process; it never raises: what became of it is in the result and in the event log."""
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        tags = dict(zip(ends, span, strict=True)) if span else {}
        with warnings.catch_warnings():
            # Dagster 1.13 on Python 3.12 and newer, when a check of a range is stored.
            warnings.filterwarnings("ignore", "datetime.datetime.utcfromtimestamp", DeprecationWarning)
            return dg.materialize(
                assets(project),
                selection=[key(noun) for noun in nouns],
                partition_key=partition,
                tags=tags,
                instance=self.instance,
                resources={"platform": self.platform},
                raise_on_error=False,
            )

    def materialize_all(self):
        """Every table, and the dataset of the last cutoff, in as few runs as partitions allow."""
        runs = [
            self.materialize([orders, order_history], span=span(orders)),
            self.materialize([customers, customer_profile]),
            self.materialize([order_weeks], span=span(order_weeks)),
            self.materialize([lapsed, lapse_view], span=span(lapsed)),
            self.materialize([lapse_dataset], partition=CUTOFF),
        ]
        assert all(run.success for run in runs), [failures(run) for run in runs]


def failures(result):
    """What the failed steps of a run say, causes included."""
    found = []
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            description = event.step_failure_data.user_failure_data
            found += [description.description] if description and description.description else []
            while error:
                found.append(error.message)
                error = error.cause
    return "\n".join(found)
