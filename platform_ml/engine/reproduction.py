"""Whether a published training dataset can be made again, bit by bit, and what differs and why if it cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.engine.rebuild import Rebuild
from platform_ml.engine.recut import Level, from_view, published
from platform_ml.spec.fingerprint import SEMANTICS, fingerprint, meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Tables
    from platform_ml.engine.reference import Reference

CODE = {
    "git_commit": "code",
    "git_dirty": "uncommitted changes",
    "lock_hash": "library versions (lock file)",
    "python_version": "Python",
    "platform_version": "platform_ml",
}
"""What a manifest's `made_by` holds of the program → what people call it."""


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Whether a dataset can be made again, bit by bit, and if not: where it differs and what has changed since."""

    reference: str
    levels: Sequence[Level]
    changed: Sequence[str] = field(default=())
    """What is not as it was when the dataset was built: causes of differences, or without effect if there are none."""

    @property
    def identical(self) -> bool:
        """Whether every level gave the published rows."""
        return all(level.identical for level in self.levels)


def reproduce(
    reference: Reference, *, work: Work, now: Mapping[str, str], scratch: Callable[[str], Tables] | None = None
) -> Reproduction:
    """Make the dataset again from its pinned view and, given a place for scratch tables, from its pinned sources.

    Args:
        reference: The published version; resolved without verifying, so that damage becomes part of the answer.
        work: The stores, for the reference's project. They are only read.
        now: What a manifest written now would hold in `made_by`.
        scratch: Name → an empty store of tables that nobody else uses.
    """
    levels = [published(reference.artifact), from_view(reference, work=work)]
    changed = changed_since(reference, now)
    if scratch is not None:
        level, declared = Rebuild(reference, work, scratch).run()
        levels.append(level)
        changed += declared
    return Reproduction(reference=str(reference), levels=levels, changed=changed)


def changed_since(reference: Reference, now: Mapping[str, str]) -> list[str]:
    """What was otherwise when the dataset was built; `now` is what a manifest written now would hold in `made_by`."""
    record, dataset = reference.artifact.record, reference.dataset
    found = []
    semantics = record.get("semantics", SEMANTICS)
    if semantics != SEMANTICS:
        found.append(
            f"the platform computes other things from the same declaration: SEMANTICS {semantics} → {SEMANTICS}"
        )
    if "declaration" in record:
        found += [f"declaration: {text}" for text in declaration_changes(record["declaration"], meaning(dataset))]
    elif record["fingerprint"] != fingerprint(dataset):
        found.append(f"declaration: TrainingDataset {dataset.name} has another fingerprint")
    return found + code_changes(record["made_by"], now)


def code_changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """How the program that made a dataset differs from another one."""
    return [
        f"{called}: {_short(then[name])} → {_short(now[name])}"
        for name, called in CODE.items()
        if name in then and name in now and then[name] != now[name]
    ]


def _short(text: str) -> str:
    return text[:12] if len(text) >= 40 else text  # noqa: PLR2004 - as long as a hash
