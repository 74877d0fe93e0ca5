"""Generated training datasets without a leak, and what it takes to plant one."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pyarrow as pa

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.leak_audit import leak_findings
from platform_ml.engine.training_dataset import row_sql
from platform_ml.features import Field
from platform_ml.formats import Parquet
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.schema import Column, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.window import moment
from platform_ml.splitters import ByEntity, ByGroupAndTime, ByHash, ByTime, Stratified
from platform_ml.testing.declarations import CUTOFF, lapsed

NUMBERS = ("spent", "visits", "basket", "tenure")
facts = Source(
    name="facts",
    description="What was known.",
    format=Parquet(),
    columns=(
        Column("customer_id", Integer()),
        *(Column(name, Double(), nullable=True) for name in NUMBERS),
        Column("city", Text(), nullable=True),
        Column("last_seen", Timestamp(), nullable=True),
    ),
    key=("customer_id",),
)
profile = FeatureGroup(
    name="profile",
    description="All of it.",
    source=facts,
    entity="customer_id",
    features=tuple(Field(of=name) for name in (*NUMBERS, "city")),
)
seen = replace(profile, name="seen", features=(Field(of="last_seen"),))
view = FeatureView(name="customers", description="Weekly.", label=lapsed, features=(profile,), helpers=(seen,))
WHY = "Customers of a test."
by_time = TrainingDataset(
    name="leaks", description="", view=view, splitter=ByTime(validation_days=28, test_days=14), history_days=140
)
at_random = {
    kind.__name__: replace(by_time, splitter=kind(), random_split_because=WHY)
    for kind in (ByHash, ByEntity, Stratified)
}
apart = replace(
    by_time, splitter=ByGroupAndTime(time=by_time.splitter, group=ByEntity(train=0.4, validation=0.3, test=0.3))
)
DATASETS = {"ByTime": by_time, "ByGroupAndTime": apart, **at_random}
WEEKS, CUSTOMERS = 20, 240


@dataclass(frozen=True, kw_only=True)
class Careless(ByHash):
    """Promises to keep entities apart, and draws rows."""

    separates_entities: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Hasty(ByTime):
    """Promises a gap, and leaves none."""

    def sql(self, row, *, gap_days):
        return super().sql(row, gap_days=0)


def customers(seed=0, weeks=WEEKS, number=CUSTOMERS):
    """A column each: what drifts a little from week to week, what stays, what is unknown, and an outcome with luck."""
    draw = np.random.default_rng(seed)
    who, week = np.tile(np.arange(number), weeks), np.repeat(np.arange(weeks), number)
    n = len(who)
    habit = draw.normal(size=number)
    spent = habit[who] + draw.normal(size=n) + 0.02 * week
    gone = draw.random(n) < 0.05 + 0.01 * week
    lapses = draw.random(n) < 1 / (1 + np.exp(1.5 * spent))
    at = [moment(CUTOFF) - timedelta(days=7 * int(weeks - 1 - w)) for w in week]

    def known(values):
        return np.where(gone, np.nan, values)

    return {
        "customer_id": who,
        "event_time": at,
        "lapsed": lapses | gone,
        "known_time": [time + timedelta(days=14) for time in at],
        "spent": known(np.round(spent, 4)),
        "visits": known(draw.poisson(np.exp(0.5 * habit))[who].astype(float)),
        "basket": known(np.round(draw.gamma(2, 10, size=n), 2)),
        "tenure": known(draw.integers(0, 3_000, size=number)[who].astype(float)),
        "city": np.where(draw.random(n) < 0.1, None, draw.choice(["Graz", "Linz", "Wien"], size=number)[who]),
        "last_seen": [
            time - timedelta(hours=int(hours)) for time, hours in zip(at, draw.integers(0, 99, n), strict=True)
        ],
    }


def table(columns):
    """The columns as the view has them; NaN is null."""
    kinds = {
        **dict.fromkeys(("event_time", "known_time", "last_seen", "joined_at"), pa.timestamp("us", "UTC")),
        "customer_id": pa.int64(),
        "city": pa.string(),
        **dict.fromkeys(NUMBERS, pa.float64()),
    }
    return pa.table({name: pa.array(list(v), kinds.get(name), from_pandas=True) for name, v in columns.items()})


def split(dataset, columns):
    """The rows that the dataset would have."""
    said = dataset.split_sql(row_sql(dataset.view, CUTOFF), CUTOFF)
    sql = f"SELECT * FROM (SELECT {said} AS split, * FROM rows) WHERE split IS NOT NULL"
    return DuckDB(threads=2).query(sql, {"rows": table(columns)}).table()


def audited(dataset, rows, **options):
    """Check → finding."""
    found = leak_findings(dataset, rows, str(CUTOFF), compute=DuckDB(threads=2), **options)
    return {finding.check.name: finding for finding in found}


def failed(dataset, rows, **options):
    """The names of the checks that did not pass."""
    return {name for name, finding in audited(dataset, rows, **options).items() if not finding.passed}
