"""Held against the rows of every training dataset: what a declaration cannot promise, because data can break it."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from platform_ml.engine.audit import Check, Finding
from platform_ml.engine.single_features import MODEL_CHECKS, model_findings
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.training_dataset import SPLIT, SPLITS, TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.training_dataset import TrainingDataset

LATER = Check(
    name="times", blocking=True, description="No time in a row lies after its moment, and its outcome is known later."
)
APART = Check(
    name="entities", blocking=True, description="No entity is in two splits, where the splitter keeps them apart."
)
COPIES = Check(name="copies", blocking=True, description="Held-out rows are no copies of training rows.")
GAP = Check(
    name="gap", blocking=True, description="Measured on the rows, splits are as far apart as labels and windows demand."
)
CHECKS = (LATER, APART, COPIES, GAP, *MODEL_CHECKS)

SIGMAS = 4.0
"""How far above its expectation chance may lift a share before it counts as a finding."""
RARE = 2
"""What training rows hold more often than this is common: common rows meet again without anybody's fault."""
SHARED = 5.0
"""A column whose values are shared by fewer other rows than this, on average, all but names a row."""


def leak_findings(
    dataset: TrainingDataset, rows: pa.Table, cutoff: str, *, compute: Compute, times: Sequence[str] = ()
) -> list[Finding]:
    """Audit rows that have a column `split`; `times` names further columns of theirs with event times of joined groups.

    None of the splits may be empty.
    """
    return [
        _times(dataset, rows, cutoff, compute, times),
        _entities(dataset, rows, cutoff, compute),
        _copies(dataset, rows, cutoff, compute),
        _gap(dataset, rows, cutoff, compute),
        *model_findings(dataset, rows, cutoff),
    ]


def audit_record(findings: Sequence[Finding]) -> dict[str, Any]:
    """Check → what it found, for the manifest."""
    return {
        finding.check.name: {
            "passed": finding.passed,
            "blocking": finding.check.blocking,
            "reason": finding.reason,
            "numbers": dict(finding.numbers),
        }
        for finding in findings
        if finding.check in CHECKS
    }


def _times(dataset: TrainingDataset, rows: pa.Table, cutoff: str, compute: Compute, times: Sequence[str]) -> Finding:
    import pyarrow as pa

    view = dataset.view
    own = [n for n in (*view.feature_names, *view.helper_names) if pa.types.is_timestamp(rows.schema.field(n).type)]
    names = [name for name in (*own, *times) if name not in dataset.audit.known_ahead]
    later = "".join(f", count(*) FILTER ({identifier(n)} > {EVENT_TIME}) AS {identifier(n)}" for n in names)
    known = f"count(*) FILTER ({KNOWN_TIME} <= {EVENT_TIME}) AS {KNOWN_TIME}"
    (found,) = _query(compute, f"SELECT {known}{later} FROM rows", rows)
    too_early = found.pop(KNOWN_TIME)
    said = [
        f"{name!r} lies after the row's moment in {count:,} of {rows.num_rows:,} rows: it was not known then. Join it "
        "point in time, or name it in LeakAudit(known_ahead=...) if it is a plan that was known"
        for name, count in found.items()
        if count
    ]
    if too_early:
        said.append(
            f"the outcome is known at the row's moment already in {too_early:,} of {rows.num_rows:,} rows: there is "
            "nothing to predict. Look at the label"
        )
    reason = "; ".join(said) or f"{len(names)} time columns lie at or before the row's moment, every outcome after it"
    return Finding(check=LATER, partition=cutoff, passed=not said, reason=f"{reason}.", numbers=found)


def _entities(dataset: TrainingDataset, rows: pa.Table, cutoff: str, compute: Compute) -> Finding:
    entity = dataset.view.label.entity
    (found,) = _query(
        compute,
        f"SELECT count(*) AS entities, count(*) FILTER (n > 1) AS shared "
        f"FROM (SELECT count(DISTINCT {SPLIT}) AS n FROM rows GROUP BY {identifier(entity)})",
        rows,
    )
    forbidden = dataset.splitter.separates_entities
    reason = f"{found['shared']:,} of {found['entities']:,} values of {entity!r} are in more than one split"
    reason += (
        "; the splitter allows it."
        if not forbidden
        else "."
        if not found["shared"]
        else ", but the splitter promises to keep them apart. Mend the splitter."
    )
    return Finding(
        check=APART, partition=cutoff, passed=not (forbidden and found["shared"]), reason=reason, numbers=found
    )


def _copies(dataset: TrainingDataset, rows: pa.Table, cutoff: str, compute: Compute) -> Finding:
    """Equal features and label, whatever the keys and times.

    Two things give copies away. (1) A held-out row has a twin among few training rows more often than a training row
    has one among the others: without copying, both are draws from the same population, and the shares agree. Common
    contents (all features null, say) are left out and equal held-out rows count once, so that a content which becomes
    common with time is no finding. (2) Rows that agree in
    a column whose value all but names a row agree in all columns: that is how rows look that were doubled before a
    split at random. By time, the same entity may look the same later, so there (2) needs another entity.
    """
    import pyarrow.compute as pc

    view, limit = dataset.view, dataset.audit.copies
    many = {name: 0 if _is_list(rows, name) else pc.count_distinct(rows[name]).as_py() for name in view.feature_names}
    rich = max(many, key=many.__getitem__)
    sql = _copies_sql(dataset, identifier(rich))
    (found,) = _query(compute, sql, rows)
    names = found["pairs_alike"] / found["pairs"] > 0.5 if found["pairs"] else False  # noqa: PLR2004 - most of them
    names = names and found["pairs"] / found["rich"] < SHARED
    usual = found["train_twins"] / found["train_rows"]
    said, numbers = [], {"train": round(usual, 4)}
    for split in (VALIDATION, TEST):
        n, twins = found[f"{split}_rows"], found[f"{split}_twins"]
        numbers[split] = round(twins / n, 4)
        noise = SIGMAS * sqrt(max(usual * (1 - usual), 1 / n) / n)
        if twins / n - usual > limit + noise:
            said.append(
                f"{twins:,} different ones of {n:,} {split} rows ({twins / n:.1%}) equal a rare training row in all "
                f"features and the label; among training rows {usual:.1%} have such a twin"
            )
        shared, contents = found[f"{split}_shared"], found[f"{split}_contents"]
        if names and shared / contents > limit + SIGMAS / contents:
            said.append(
                f"{shared:,} of {contents:,} different {split} rows ({shared / contents:.1%}) occur in training, and "
                f"rows that share {rich!r} are mostly equal throughout: they were doubled"
            )
    reason = "; ".join(said) + ". Find where the rows were copied and drop the copies." if said else ""
    quiet = f"Rows with a rare twin in training: {', '.join(f'{k} {v:.1%}' for k, v in numbers.items())}."
    return Finding(check=COPIES, partition=cutoff, passed=not said, reason=reason or quiet, numbers=numbers)


def _is_list(rows: pa.Table, name: str) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(rows.schema.field(name).type))


def _copies_sql(dataset: TrainingDataset, rich: str) -> str:
    view = dataset.view
    columns = ", ".join(map(identifier, [*view.feature_names, view.label.name]))
    others = "AND who > 1" if dataset.splitter.by_time else ""
    held_out = ", ".join(
        f"sum({s})::BIGINT AS {s}_rows, count(*) FILTER ({s} > 0 AND {TRAIN} BETWEEN 1 AND {RARE}) "
        f"AS {s}_twins, count(*) FILTER ({s} > 0) AS {s}_contents, "
        f"count(*) FILTER ({s} > 0 AND {TRAIN} > 0 AND {rich} IS NOT NULL {others}) AS {s}_shared"
        for s in (VALIDATION, TEST)
    )
    counts = ", ".join(f"count(*) FILTER ({SPLIT} = {literal(split)}) AS {split}" for split in SPLITS)
    return f"""
        WITH contents AS (
            SELECT {columns}, count(*) AS n, count(DISTINCT {identifier(view.label.entity)}) AS who, {counts}
            FROM rows GROUP BY {columns}),
        named AS (SELECT count(*) AS n FROM rows WHERE {rich} IS NOT NULL GROUP BY {rich})
        SELECT sum({TRAIN})::BIGINT AS train_rows,
               coalesce(sum({TRAIN}) FILTER ({TRAIN} BETWEEN 2 AND {RARE + 1}), 0)::BIGINT AS train_twins, {held_out},
               coalesce(sum(n * (n - 1)) FILTER ({rich} IS NOT NULL), 0)::DOUBLE AS pairs_alike,
               (SELECT coalesce(sum(n * (n - 1)), 0)::DOUBLE FROM named) AS pairs,
               (SELECT coalesce(sum(n), 0)::DOUBLE FROM named) AS rich
        FROM contents"""


def _gap(dataset: TrainingDataset, rows: pa.Table, cutoff: str, compute: Compute) -> Finding:
    if not dataset.splitter.by_time:
        why = f"Splits are not by time, so no gap is kept: {dataset.random_split_because}"
        return Finding(check=GAP, partition=cutoff, passed=True, reason=why)
    stats = _query(
        compute,
        f"SELECT {SPLIT}, epoch_us(min({EVENT_TIME})) AS first, epoch_us(max({EVENT_TIME})) AS last, "
        f"max(epoch_us({KNOWN_TIME}) - epoch_us({EVENT_TIME})) AS horizon FROM rows GROUP BY {SPLIT}",
        rows,
    )
    day = 86_400_000_000
    found = {row[SPLIT]: row for row in stats}
    kept = {
        f"{earlier} to {later}": (found[later]["first"] - found[earlier]["last"]) / day
        for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, TEST))
    }
    view, overlap = dataset.view, dataset.windows_may_overlap
    horizon = max(view.label.horizon_days, max(row["horizon"] for row in found.values()) / day)
    needed = horizon if overlap else max(horizon, view.lookback_days)
    short = {name: days for name, days in kept.items() if days < needed}
    measured = ", ".join(f"{name} {days:g} days" for name, days in kept.items())
    reason = f"Measured: {measured}. Outcomes take {horizon:g} days, windows reach {view.lookback_days} days back"
    reason += f" and may overlap: {overlap}" if overlap else "."
    if short:
        reason += f" {', '.join(short)}: less than {needed:g} days. Mend the splitter, or declare a greater gap."
    numbers: Mapping[str, float] = {name: round(days, 4) for name, days in kept.items()}
    return Finding(check=GAP, partition=cutoff, passed=not short, reason=reason, numbers=numbers)


def _query(compute: Compute, sql: str, rows: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = compute.query(sql, {"rows": rows}).table().to_pylist()
    return found
