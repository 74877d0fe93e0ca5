"""`platform-ml scores`: which model scored which moment, and whether it would say the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.rescoring import rescore
from platform_ml.engine.scores import record_of
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.spec.project import Project


def show_scores(project: Project, name: str | None, partition: str | None, *, again: bool) -> int:
    """Print a line for each scored moment; with `again` also what differs when it is scored again.

    Returns:
        0, or 1 when scores are not reproduced or their features are not those that training has.
    """
    work, failed = PlatformResource().work(project.name, lambda _: None), 0
    for scores in _named(project, name):
        snapshot = work.platform.tables.snapshot(work.table(scores))
        keys = sorted(snapshot.partitions) if snapshot else []
        if not keys or (partition is not None and partition not in keys):
            raise PlatformError(work.missing(scores, [partition] if partition else []))
        print(f"{work.table(scores)}, by {scores.registration.name}")
        for key in [partition] if partition else keys:
            print(_line(scores, key, work))
            failed |= _again(scores, key, work) if again else 0
    return failed


def _named(project: Project, name: str | None) -> Sequence[Scores]:
    there = {scores.name: scores for scores in project.all(Scores)}
    if name is not None and name not in there:
        raise PlatformError(f"{project.name} has no scores {name!r}.{did_you_mean(name, there)}")
    if not there:
        raise PlatformError(f"{project.name} declares no scores. Add Scores(registration=...) to its outputs.")
    return [there[name]] if name else list(there.values())


def _line(scores: Scores, key: str, work: Work) -> str:
    snapshot, record = work.read(scores, [key]), record_of(scores, key, work=work).record
    model, before = record["model"], len(snapshot.replaced.get(key, ()))
    older = f", {before} earlier version{'s' if before > 1 else ''} in the table's history" if before else ""
    return (
        f"  {key}  {record['rows']:>9,} rows  {model['registered_as']}@{model['version']} ({model['model'][:12]}, "
        f"trained until {model['cutoff']})  table version {snapshot.commits[key][-1]}{older}"
    )


def _again(scores: Scores, key: str, work: Work) -> int:
    found = rescore(scores, key, work=work)
    print(f"    {'; '.join(found.differences) or 'scored again: every byte is the same'}")
    if found.skew is None:
        print("    no row of this moment is in the training view yet")
        return bool(found.differences)
    for one in found.skew.skewed:
        print(f"    skew: {one}")
    if not found.skew.skewed:
        print(f"    {found.skew.rows:,} rows are in the training view, too, with the same features bit for bit")
    return bool(found.differences or found.skew.skewed)
