"""`platform-ml maintain`: housekeeping of tables, and what it freed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine import maintenance
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.naming import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.project import Project


def maintain(projects: Sequence[Project], *, keep_days: int, dry_run: bool) -> int:
    """Sweep, compact and vacuum the tables of these projects; prints a line for each and what came of it."""
    resource, freed = PlatformResource(), 0
    if dry_run:
        print("Dry run: nothing is written or removed.")
    print(f"{'table':<34}{'left-overs':>11}{'compacted':>11}{'checkpoint':>12}{'vacuumed':>10}{'bytes freed':>14}")
    for project in projects:
        work = resource.work(project.name, lambda _: None)
        upkeep = resource.upkeep()
        for kept in maintenance.maintain(project, work=work, upkeep=upkeep, keep_days=keep_days, dry_run=dry_run):
            compacted, vacuumed = kept.compacted, kept.vacuumed
            print(
                f"{kept.table:<34}{len(kept.swept):>11,}{compacted.partitions:>11,}"
                f"{'yes' if compacted.checkpoint else '-':>12}{vacuumed.files:>10,}{vacuumed.size:>14,}",
                flush=True,
            )
            if vacuumed.files:
                lost = counted(vacuumed.versions, "old version")
                print(f"    {lost} that no dataset pins can no longer be read in full")
            freed += vacuumed.size
    print(f"{'Would free' if dry_run else 'Freed'} {freed:,} bytes. Every version that a dataset pins is kept.")
    return 0
