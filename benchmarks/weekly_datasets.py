"""A training dataset every week for a year: what the last one costs beside building the same one from scratch.

    make bench-weekly BENCH_ARGS="--customers 2000 --weeks 12"

Each week new days are delivered, source, feature groups, label and view get their new partitions, and a dataset of a
year's history is built. Then the last dataset is built again where none of its view partitions is there, and once more
where nothing is there at all. All three must have the same content, or the benchmark fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.adapters.delta import DeltaTables
from platform_ml.adapters.duckdb import DuckDB
from platform_ml.adapters.folders import Folders
from platform_ml.engine.delivery import landing_file
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.label import materialize_label
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.ports import WHOLE, Files, Stamp
from platform_ml.engine.source import materialize_source
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.features import Count, Total
from platform_ml.spec.window import Daily, Weekly
from platform_ml.testing import declarations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from platform_ml.engine.ports import Answer, Compute, Relation
    from platform_ml.spec.training_dataset import TrainingDataset

RESULTS = Path(__file__).resolve().parent / "results"
FIRST = date(2023, 1, 2)
WARM_UP = 12
"""Weeks of labels before the first dataset: it needs rows to train, to validate and to test on."""
LAST_WEEKS = 4
GOAL = 0.1
YEAR = 364


@dataclass(frozen=True)
class Counting:
    """A compute that remembers which files were read; they are counted when the clock is off."""

    inner: Compute
    read: list[str] = field(default_factory=list)

    def query(self, sql: str, inputs: Mapping[str, Relation]) -> Answer:
        """The inner one's answer."""
        for relation in inputs.values():
            if isinstance(relation, Files):
                self.read.extend(relation.paths)
        return self.inner.query(sql, inputs)

    def rows(self) -> int:
        """The rows of all files read since the last time."""
        found = sum(pq.read_metadata(path).num_rows for path in self.read)
        self.read.clear()
        return found


@dataclass(frozen=True)
class Shop:
    """The declarations of so many weeks, the platform in a folder, and the customers."""

    dataset: TrainingDataset
    work: Work
    compute: Counting
    customers: int
    token: list[int] = field(default_factory=lambda: [0])

    def steps(self, since: date, until: date) -> dict[str, Callable[[], Any]]:
        """What makes everything that is missing for the dataset of `until`, when that of `since` was the last one."""
        view = self.dataset.view
        label, horizon = view.label, timedelta(days=view.label.horizon_days)
        begin = since if since == FIRST else since + horizon
        days = label.source.cadence.keys(begin, until + horizon)
        groups = [group for group in view.groups if group.cadence]
        moments = label.cadence.keys(since, until + timedelta(days=1))[0 if since == FIRST else 1 :]
        return {
            "source": lambda: materialize_source(label.source, days, work=self.work, stamp=self.stamp()),
            "groups": lambda: [
                materialize_feature_group(g, g.cadence.keys(since, until), work=self.work, stamp=self.stamp())
                for g in groups
            ],
            "label": lambda: materialize_label(label, moments, work=self.work, stamp=self.stamp()),
            "view": lambda: self.view(moments),
            "dataset": lambda: self.build(until),
        }

    def view(self, moments: list[str]) -> Any:
        """The view's partitions of these moments."""
        return materialize_feature_view(self.dataset.view, moments, work=self.work, stamp=self.stamp())

    def build(self, cutoff: date) -> str:
        """The content of the dataset."""
        built = materialize_training_dataset(self.dataset, str(cutoff), work=self.work, made_by={})
        if built.artifact is None:
            raise SystemExit("\n".join(f"{found.check.name}: {found.reason}" for found in built.findings))
        return str(built.artifact.record["content"])

    def stamp(self) -> Stamp:
        """Every write is a newer attempt."""
        self.token[0] += 1
        return Stamp(run_id="bench", asset="bench", fingerprint="f" * 64, code_version="0", token=self.token[0])

    def reference(self) -> None:
        """The group without time, once."""
        for group in self.dataset.view.groups:
            if group.cadence is None:
                materialize_source(group.source, [WHOLE], work=self.work, stamp=self.stamp())
                materialize_feature_group(group, [WHOLE], work=self.work, stamp=self.stamp())


def shop(folder: Path, landing: Path, told: argparse.Namespace) -> Shop:
    """Customers who order, until two weeks after the last of the label's weeks."""
    last = FIRST + timedelta(days=7 * (WARM_UP + told.weeks - 1))
    orders = replace(declarations.orders, cadence=Daily(first=FIRST, last=last + timedelta(days=20)))
    history = replace(
        declarations.order_history,
        source=orders,
        cadence=orders.cadence,
        features=tuple(make for days in (7, 28) for make in (Total(days=days, of="amount"), Count(days=days))),
    )
    label = replace(declarations.lapsed, source=orders, cadence=Weekly(first=FIRST + timedelta(days=7), last=last))
    view = replace(declarations.lapse_view, label=label, features=(history,))
    dataset = replace(
        declarations.lapse_dataset, view=view, history_days=YEAR, windows_may_overlap="The benchmark trains nothing."
    )
    compute = Counting(DuckDB(memory="2GB"))
    platform = Platform(
        landing=landing,
        tables=DeltaTables(folder / "tables"),
        compute=compute,
        artifacts=Folders(folder / "artifacts"),
        tracker=None,
        registry=None,
    )
    work = Work(project="shop", platform=platform, say=lambda _: None)
    return Shop(dataset=dataset, work=work, compute=compute, customers=told.customers)


def deliver(made: Shop) -> None:
    """All files of all days, as suppliers would have sent them one by one."""
    label = made.dataset.view.label
    source, draw, number = label.source, np.random.default_rng(1), 0
    rates = draw.choice([0.3, 0.1, 0.03], made.customers)
    for key in source.cadence.keys():
        who = np.flatnonzero(draw.random(made.customers) < rates)
        midnight = int(datetime.fromisoformat(key).replace(tzinfo=UTC).timestamp())
        times = (midnight + draw.integers(0, 86_400, len(who))) * 1_000_000
        amounts = [Decimal(int(cents)).scaleb(-2) for cents in draw.integers(1, 20_000, len(who))]
        columns = {
            "order_id": pa.array(np.arange(number, number + len(who))),
            "customer_id": pa.array(who),
            "amount": pa.array(amounts, pa.decimal128(9, 2)),
            "ordered_at": pa.array(times).cast(pa.timestamp("us")),
        }
        number += len(who)
        file = landing_file(source, key, made.work)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), file)
    profile = {
        "customer_id": pa.array(np.arange(made.customers)),
        "country": pa.array(draw.choice(["AT", "CH"], made.customers)),
        "student": pa.array(draw.random(made.customers) < GOAL),
    }
    [group] = [group for group in made.dataset.view.groups if group.cadence is None]
    pq.write_table(pa.table(profile), landing_file(group.source, WHOLE, made.work))


def timed(made: Shop, steps: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each step took, and the content of the dataset that came out last."""
    found: dict[str, Any] = {}
    content = None
    for name, step in steps.items():
        made.compute.rows()
        started, busy = perf_counter(), process_time()
        content = step()
        found[name] = {"seconds": perf_counter() - started, "cpu_seconds": process_time() - busy}
        found[name]["rows_read"] = made.compute.rows()
    return {"steps": found, "content": content}


def weekly(made: Shop, told: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The first dataset with its past, then one a week."""
    made.reference()
    since = FIRST
    for number in range(told.weeks):
        until = FIRST + timedelta(days=7 * (WARM_UP + number))
        yield {"week": number + 1, "cutoff": str(until)} | timed(made, made.steps(since, until))
        since = until


def again(made: Shop, scratch: Path, cutoff: date, told: argparse.Namespace) -> dict[str, Any]:
    """The last dataset where all tables are there but the view's."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy, view = Path(folder), made.dataset.view
        shutil.copytree(scratch / "weekly" / "tables", copy / "tables")
        shutil.rmtree(copy / "tables" / made.work.table(view))
        other = shop(copy, scratch / "landing", told)
        steps = {"view": lambda: other.view(other.dataset.view_keys(cutoff)), "dataset": lambda: other.build(cutoff)}
        return timed(other, steps)


def nothing(scratch: Path, cutoff: date, told: argparse.Namespace) -> dict[str, Any]:
    """The last dataset where only the delivered files are there."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        other = shop(Path(folder), scratch / "landing", told)
        other.reference()
        return timed(other, other.steps(FIRST, cutoff))


def total(of: Mapping[str, Any], what: str, *steps: str) -> float:
    """The sum over some steps, or all."""
    return sum(value[what] for name, value in of["steps"].items() if not steps or name in steps)


def ratios(weeks: list[dict[str, Any]], joined: list[dict[str, Any]], all_of_it: list[dict[str, Any]]) -> Any:
    """The last week's cost over that of building from scratch, by what is measured and what is built."""
    for title, steps, scratch in (
        ("view", ("view",), joined),
        ("view and dataset", ("view", "dataset"), joined),
        ("everything", (), all_of_it),
    ):
        for what in ("cpu_seconds", "seconds", "rows_read"):
            last = [total(week, what, *steps) for week in weeks[-LAST_WEEKS:]]
            base = median(total(one, what, *steps) for one in scratch)
            # One week alone is a short time on a busy machine: the median of the last ones stands beside it.
            yield {
                "built": title,
                "measured": what,
                "last": last[-1],
                "median_of_last": median(last),
                "scratch": base,
                "ratio": last[-1] / base,
                "ratio_of_median": median(last) / base,
            }


def main() -> None:
    """Measure, print a table, write the JSON."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--customers", type=int, default=20_000)
    ask.add_argument("--weeks", type=int, default=52)
    ask.add_argument("--repeat", type=int, default=3, help="how often to build from scratch")
    ask.add_argument("--out", type=Path, default=RESULTS)
    told = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        made = shop(scratch / "weekly", scratch / "landing", told)
        deliver(made)
        weeks = list(weekly(made, told))
        cutoff = date.fromisoformat(weeks[-1]["cutoff"])
        joined = [again(made, scratch, cutoff, told) for _ in range(told.repeat)]
        whole = [nothing(scratch, cutoff, told) for _ in range(told.repeat)]
    if len({one["content"] for one in (weeks[-1], *joined, *whole)}) != 1:
        raise SystemExit("The dataset built from scratch is not the weekly one.")
    found = list(ratios(weeks, joined, whole))
    report = {"cores": os.cpu_count(), "load": os.getloadavg(), "customers": told.customers, "goal": GOAL}
    report |= {"ratios": found, "weeks": weeks, "view_again": joined, "all_again": whole}
    told.out.mkdir(parents=True, exist_ok=True)
    (told.out / "weekly_datasets.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"week {told.weeks} of {told.customers:,} customers beside building its dataset from scratch, goal {GOAL}")
    for each in found:
        print(
            f"{each['built']:<18}{each['measured']:<13}{each['last']:>13,.2f} / {each['scratch']:>13,.2f} = "
            f"{each['ratio']:.3f} (median of the last {LAST_WEEKS} weeks: {each['ratio_of_median']:.3f})"
        )


if __name__ == "__main__":
    main()
