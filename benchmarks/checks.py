"""All checks of one large partition beside one full scan with its sketches, in turns in one process.

    .venv/bin/python benchmarks/checks.py [--rows 10000000] [--rounds 5]

The scan is what anybody needs who looks at every value once: count, least, greatest, mean, standard deviation, and by
sketch distinct values and quantiles, of each of 20 columns. The checks are those of every
table (schema, nulls, key, volume, freshness), 26 declared ones, and the statistics that are stored. Prints the median
ratio; the goal is at most 2. Beside it, what the same scan takes without sketches, and what a rule in pandera takes: it
sees a sample of a million rows, in pandas, and is no part of the ratio.
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from platform_ml import Column, Daily, Double, Integer, Source, Text, Timestamp
from platform_ml.adapters.duckdb import DuckDB
from platform_ml.checks import PSI, Allowed, Complete, Fresh, InRange, JensenShannon, PanderaRule, Rule, Volume
from platform_ml.engine.audit import Expectation, audit
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.validation import Validation
from platform_ml.formats import Parquet
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    import pandera.pandas as pa_pandas

KEY = "2024-01-01"
DAY = datetime(2024, 1, 1, tzinfo=UTC)
NUMBERS = [f"number_{n}" for n in range(14)]
TEXTS = [f"text_{n}" for n in range(3)]
NULLS = 0.05
WORDS = ("red", "green", "blue", "black", "white")

feed = Source(
    name="feed",
    description="Twenty columns.",
    format=Parquet(),
    columns=(
        Column("row_id", Integer()),
        Column("shop_id", Integer()),
        Column("at", Timestamp()),
        *(Column(name, Double(), nullable=True) for name in NUMBERS),
        *(Column(name, Text(), nullable=True) for name in TEXTS),
    ),
    key=("row_id",),
    event_time="at",
    cadence=Daily(first=date(2024, 1, 1)),
    checks=(
        *(Complete(name, max_share=0.1) for name in (*NUMBERS[:4], *TEXTS)),
        *(InRange(name, -1e6, 1e6) for name in NUMBERS[:8]),
        *(Allowed(name, WORDS) for name in TEXTS),
        *(PSI(name, 0.1) for name in NUMBERS[8:12]),
        JensenShannon(TEXTS[0], 0.1),
        Rule("ordered", "number_0 <= number_1 OR number_0 IS NOT NULL", max_share=1.0),
        Fresh("at", 4),
        Volume(),
    ),
)
SCAN = "count({x}), min({x}), max({x})"
MOMENTS = ", avg({x}), stddev_samp({x})"
DISTINCT, QUANTILES = ", approx_count_distinct({x})", ", approx_quantile({x}, [0.05, 0.25, 0.5, 0.75, 0.95])"


def invented(rows: int) -> pa.Table:
    """Rows in the order of their key, as a source's are."""
    draw = np.random.default_rng(1)
    columns: dict[str, pa.Array] = {
        "row_id": pa.array(np.arange(rows)),
        "shop_id": pa.array(draw.integers(0, 500, rows)),
        "at": pa.array(np.sort(draw.integers(0, 86_400_000_000, rows)) + int(DAY.timestamp()) * 10**6).cast(
            pa.timestamp("us", "UTC")
        ),
    }
    columns |= {name: pa.array(draw.normal(10, 3, rows), mask=draw.random(rows) < NULLS) for name in NUMBERS}
    words = pa.array(WORDS)
    columns |= {name: words.take(pa.array(draw.integers(0, len(WORDS), rows))) for name in TEXTS}
    return pa.table(columns | {"_partition": pa.repeat(KEY, rows)})


def plausible() -> pa_pandas.DataFrameSchema:
    """What the rule in pandera says of every number."""
    import pandera.pandas as pa_pandas

    within = pa_pandas.Check.in_range(-1e6, 1e6)
    return pa_pandas.DataFrameSchema({name: pa_pandas.Column(checks=within, nullable=True) for name in NUMBERS})


def plain_scan(rows: pa.Table, compute: DuckDB) -> None:
    """Every value once."""
    _scan(rows, compute, "", "")


def scan(rows: pa.Table, compute: DuckDB) -> None:
    """Every value once, with sketches."""
    _scan(rows, compute, DISTINCT, QUANTILES)


def _scan(rows: pa.Table, compute: DuckDB, every: str, numbers: str) -> None:
    parts = [SCAN + every + (MOMENTS + numbers if name in NUMBERS else "") for name in feed.types]
    asked = [part.format(x=identifier(name)) for part, name in zip(parts, feed.types, strict=True)]
    compute.query(f"SELECT {', '.join(asked)} FROM rows", {"rows": rows}).table()


def pandera_rule(rows: pa.Table, _: DuckDB) -> None:
    """A rule in pandera, on a sample."""
    if PanderaRule("plausible", "checks:plausible").inspect(rows, feed.key)["bad"]:
        raise SystemExit("The rule in pandera fails.")


def check(rows: pa.Table, compute: DuckDB) -> None:
    """Everything that happens between staged rows and the commit."""
    expected = Expectation(
        schema=arrow_schema(feed.types),
        required=("row_id", "shop_id", "at"),
        key=feed.key,
        time="at",
        span={KEY: (DAY, DAY + timedelta(days=1))},
    )
    found = audit(rows, expected, partitions=[KEY], before={}, compute=compute)
    platform = Platform(landing=None, tables=None, compute=compute, artifacts=None, tracker=None, registry=None)
    work = Work(project="bench", platform=platform, say=print)
    last = {KEY: DAY + timedelta(days=1)}
    held = Validation(noun=feed, work=work, key=feed.key, earlier=lambda _key, _most: {}, last=last)
    _, declared = held.run(rows, [KEY])
    wrong = [one.check.name for one in (*found, *declared) if not one.passed]
    if wrong:
        raise SystemExit(f"These checks fail: {', '.join(wrong)}")


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows, compute = invented(options.rows), DuckDB(memory="4GB")
    ratios, works = [], (plain_scan, scan, check, pandera_rule)
    print(f"{options.rows:,} rows, {len(feed.types)} columns, {len(feed.checks)} declared checks")
    for number in range(options.rounds + 1):
        took = []
        for one in works:
            started = perf_counter()
            one(rows, compute)
            took.append(perf_counter() - started)
        if number:  # the first round warms up
            ratios.append(took[2] / took[1])
            print(
                f"plain scan {took[0]:6.2f} s   scan with sketches {took[1]:6.2f} s   checks {took[2]:6.2f} s   "
                f"ratio {ratios[-1]:.2f}   pandera {took[3]:6.2f} s"
            )
    print(f"median ratio {median(ratios):.2f}, goal 2.00")


if __name__ == "__main__":
    main()
