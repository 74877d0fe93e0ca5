"""What the rows of a training dataset are held against before they are published."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine import labels
from platform_ml.engine.audit import RANGES, SCHEMA, TABLE_CHECKS, Check, Expectation, Finding, audit
from platform_ml.engine.bounds import bounds
from platform_ml.engine.leak_audit import CHECKS as LEAK_CHECKS
from platform_ml.engine.leak_audit import leak_findings
from platform_ml.engine.ports import PARTITION, WHOLE
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.split_statistics import measure_splits, statistics_of
from platform_ml.engine.validation import Validation
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.schema import Text
from platform_ml.spec.sql import identifier
from platform_ml.spec.task import CLUSTERING, MULTICLASS
from platform_ml.spec.training_dataset import SPLIT, SPLITS, TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Compute
    from platform_ml.spec.statistics import PartitionStatistics
    from platform_ml.spec.training_dataset import TrainingDataset

KIND = "datasets"
SHOWN = 5
BALANCED = Check(name="splits", blocking=True, description="Every split has rows of more than one outcome.")
NO_LEAK = Check(name="no_leak", blocking=True, description="Outcomes of a split were known before the next one begins.")
GROUPS = Check(name="groups", blocking=True, description="No group that is ranked is cut in two by the splits.")
OWN_CHECKS = (BALANCED, NO_LEAK, *LEAK_CHECKS)


def checks(dataset: TrainingDataset) -> tuple[Check, ...]:
    """The checks of a dataset."""
    ranked = (GROUPS,) if dataset.view.label.ranked_within else ()
    return (*TABLE_CHECKS, *((RANGES,) if bounds(dataset) else ()), *OWN_CHECKS, *ranked)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was found, and measured, of the rows of one cutoff."""

    findings: list[Finding]
    statistics: Mapping[str, PartitionStatistics] = field(default_factory=dict)
    """ "all" and each split → statistics of its rows; empty where the columns are not as declared."""


def judge(dataset: TrainingDataset, rows: pa.Table, cutoff: str, *, work: Work) -> Judged:
    """Hold the rows, sorted by split, against every check; the partitions before are those of earlier cutoffs."""
    import pyarrow as pa

    compute, view, before = work.platform.compute, dataset.view, _before(dataset, cutoff, work)
    marked, span = rows.append_column(PARTITION, pa.repeat(cutoff, rows.num_rows)), _span(dataset, cutoff)
    expected = Expectation(
        schema=arrow_schema({SPLIT: Text()} | view.types),
        required=(SPLIT, *view.never_null),
        key=(*view.label.key, EVENT_TIME),
        time=EVENT_TIME,
        span={cutoff: span},
        bounds=bounds(dataset),
    )
    counts = {key: sum(one["rows"] for one in made.record["split"]["splits"].values()) for key, made in before.items()}
    findings = audit(marked, expected, partitions=[cutoff], before=counts, compute=compute)
    if any(finding.check == SCHEMA and finding.stops for finding in findings):
        return Judged(findings=findings)
    splits = measure_splits(rows, compute)
    findings += _split_findings(dataset, rows, cutoff, compute) + _group_findings(dataset, rows, cutoff, compute)
    held = Validation(
        noun=dataset,
        work=work,
        key=expected.key,
        earlier=partial(_statistics, before),
        last={cutoff: span[1]},
        splits={cutoff: splits},
    )
    whole, declared = held.run(marked, [cutoff])
    findings += declared
    if not any(finding.stops for finding in findings if finding.check == BALANCED):
        findings += leak_findings(dataset, rows, cutoff, compute=compute)
    return Judged(findings=findings, statistics={WHOLE: whole[cutoff], **splits})


def _before(dataset: TrainingDataset, cutoff: str, work: Work) -> dict[str, Artifact]:
    """Cutoff → what was published last for it by the same declaration, of all cutoffs before, oldest first."""
    meant = fingerprint(dataset)
    found = {
        str(made.record["cutoff"]): made
        for made in work.platform.artifacts.versions(f"{KIND}/{work.project}/{dataset.name}")
        if made.record["fingerprint"] == meant
    }
    return {key: found[key] for key in sorted(found) if key < cutoff}


def _statistics(before: Mapping[str, Artifact], _cutoff: str, most: int) -> dict[str, PartitionStatistics]:
    """Of all rows of the newest of these datasets; one that was published without is left out."""
    measured = {key: statistics_of(before[key]) for key in [*before][-most:]}
    return {key: found[WHOLE] for key, found in measured.items() if found}


def _span(dataset: TrainingDataset, cutoff: str) -> tuple[datetime, datetime]:
    """The moments between which its rows lie."""
    label = dataset.view.label
    keys = dataset.view_keys(dataset.cadence.day(cutoff))
    return labels.moments(label, keys[0])[0], labels.moments(label, keys[-1])[1]


def _unseen_classes(dataset: TrainingDataset, rows: pa.Table, compute: Compute) -> list[str]:
    """Classes of held-out rows that no training row has, the first few of them."""
    if dataset.view.label.task is not MULTICLASS:
        return []
    label = identifier(dataset.view.label.name)
    sql = (
        f"SELECT DISTINCT {label} AS class FROM rows WHERE {label} NOT IN "
        f"(SELECT {label} FROM rows WHERE {SPLIT} = '{TRAIN}') ORDER BY 1 LIMIT {SHOWN}"
    )
    return [repr(row["class"]) for row in compute.query(sql, {"rows": rows}).table().to_pylist()]


def _group_findings(dataset: TrainingDataset, rows: pa.Table, cutoff: str, compute: Compute) -> list[Finding]:
    within = dataset.view.label.ranked_within
    if within is None:
        return []
    sql = (
        f"SELECT count(*) AS groups, count(*) FILTER (n > 1) AS cut, coalesce(sum(nameless), 0)::BIGINT AS nameless "
        f"FROM (SELECT count(DISTINCT {SPLIT}) AS n, count_if({identifier(within)} IS NULL) AS nameless "
        f"FROM rows GROUP BY {identifier(within)})"
    )
    (found,) = compute.query(sql, {"rows": rows}).table().to_pylist()
    said = []
    if found["cut"]:
        said.append(
            f"{found['cut']:,} of {found['groups']:,} values of {within!r} are in more than one split, so their rows "
            "cannot be ranked with each other. Use a splitter that keeps them together"
        )
    if found["nameless"]:
        said.append(f"{within!r} is null in {found['nameless']:,} rows, which are in no group. Look at its source")
    reason = "; ".join(said) or f"Each of {found['groups']:,} values of {within!r} is in one split"
    return [Finding(check=GROUPS, partition=cutoff, passed=not said, reason=f"{reason}.", numbers=found)]


def _split_findings(dataset: TrainingDataset, rows: pa.Table, cutoff: str, compute: Compute) -> list[Finding]:
    label = identifier(dataset.view.label.name)
    stats = compute.query(
        f"SELECT {SPLIT}, count(*) AS n, count(DISTINCT {label}) AS outcomes, min({EVENT_TIME}) AS first, "
        f"max({EVENT_TIME}) AS last, max({KNOWN_TIME}) AS known FROM rows GROUP BY {SPLIT}",
        {"rows": rows},
    ).table()
    found = {row[SPLIT]: row for row in stats.to_pylist()}
    counts = ", ".join(
        f"{name} {found[name]['n']:,}" if name in found else f"{name} none"
        for name in {**dict.fromkeys(SPLITS), **found}
    )
    fewest = 1 if dataset.view.label.task is CLUSTERING else 2
    balanced = all(name in found and found[name]["outcomes"] >= fewest for name in SPLITS)
    unseen = _unseen_classes(dataset, rows, compute)
    known = found.keys() <= set(SPLITS)
    leaks = [
        f"{earlier} outcomes are known on {found[earlier]['known']:%Y-%m-%d}, {later} begins on "
        f"{found[later]['first']:%Y-%m-%d}"
        for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, TEST), (TRAIN, TEST))
        if dataset.splitter.by_time
        and earlier in found
        and later in found
        and found[earlier]["known"] > found[later]["first"]
    ]
    reason = dataset.random_split_because and f"Splits are not by time: {dataset.random_split_because}"
    reason = (
        reason
        or "; ".join(leaks)
        or f"{dataset.gap_days} days lie between the splits; every outcome was known in time."
    )
    return [
        Finding(
            check=BALANCED,
            partition=cutoff,
            passed=balanced and known and not unseen,
            reason=f"Rows: {counts}."
            + ("" if balanced else " A split is empty or has one outcome only: widen it.")
            + ("" if known else f" There are only {', '.join(SPLITS)}: mend the splitter.")
            + (
                f" No training row is of {', '.join(unseen)}: widen the split, or merge rare classes." if unseen else ""
            ),
        ),
        Finding(check=NO_LEAK, partition=cutoff, passed=not leaks, reason=reason),
    ]
