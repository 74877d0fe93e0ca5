"""What a registered version may be used for, and how it comes to be: every transition is written down."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.errors import PlatformError, Refused, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_WHY = 1_000
"""Characters of a reason."""
REGISTER, PROMOTE, ROLLBACK = "register", "promote", "rollback"
ACTS = (REGISTER, PROMOTE, ROLLBACK)


class Stage(StrEnum):
    """What a version may be used for; of one model at most one is the champion, and one the challenger."""

    CANDIDATE = "candidate"
    """Registered, so approved by the gates of that day; nobody uses it."""
    CHALLENGER = "challenger"
    """Tried beside the champion."""
    CHAMPION = "champion"
    """In use."""
    ARCHIVED = "archived"
    """Not to be used any more: no alias leads to it."""


SEATS = (Stage.CHAMPION, Stage.CHALLENGER)
"""The stages of one version at a time: each is an alias."""
MOVES: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.CANDIDATE: (Stage.CHALLENGER, Stage.CHAMPION, Stage.ARCHIVED),
    Stage.CHALLENGER: (Stage.CHAMPION, Stage.ARCHIVED),
    Stage.CHAMPION: (),
    Stage.ARCHIVED: (Stage.CHALLENGER,),
}
"""Where a version may be moved; a rollback also leads from archived to champion."""
DISPLACED = {Stage.CHAMPION: Stage.ARCHIVED, Stage.CHALLENGER: Stage.CANDIDATE}
"""What becomes of the version that loses its seat to another one."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who moves a version, and from where."""

    who: str
    run: str
    """A run of Dagster, or the command line of a machine."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One version went from one stage to another: an entry that is added to the history and never changed."""

    version: int
    before: Stage
    after: Stage
    act: str
    """How it came about: register, promote or rollback."""
    who: str
    when: datetime
    """UTC."""
    why: str
    run: str
    """Where it was done."""
    manifest: str = ""
    """sha256 of the version's manifest.json, which holds that of every file."""
    displaced: int | None = None
    """The version that lost its seat to this one."""

    def __post_init__(self) -> None:
        where = f"Transition of version {self.version} to {self.after}"
        for name, text in (("who", self.who), ("why", self.why), ("run", self.run)):
            if not text.strip():
                raise PlatformError(f"{where}: {name} is empty. Say who does it, why, and from where.")
        if len(self.why) > LONGEST_WHY:
            raise PlatformError(
                f"{where}: the reason has {len(self.why):,} characters. Use at most {LONGEST_WHY:,}, and a link."
            )
        if self.act not in ACTS:
            raise PlatformError(f"{where}: {self.act!r} is no act.{did_you_mean(self.act, ACTS)} Use one of {ACTS}.")

    @property
    def says(self) -> str:
        """What happened, as a sentence."""
        lost = f"; version {self.displaced} became {DISPLACED[self.after]}" if self.displaced else ""
        return (
            f"version {self.version} went from {self.before} to {self.after} by {self.who} "
            f"at {self.when:%Y-%m-%d %H:%M:%S} UTC ({self.act}: {self.why}){lost}"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        plain = asdict(self) | {"when": self.when.astimezone(UTC).isoformat(timespec="microseconds")}
        return {name: str(value) if isinstance(value, Stage) else value for name, value in plain.items()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        stages = {name: Stage(plain[name]) for name in ("before", "after")}
        return cls(**{**plain, **stages, "when": datetime.fromisoformat(plain["when"])})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Which version is what, after all transitions so far."""

    entries: int = 0
    stages: Mapping[int, Stage] = field(default_factory=dict)
    """Of every version that was ever moved; the others are candidates."""
    champions: tuple[int, ...] = ()
    """The champion, last, after those before it; a rollback takes its champion off."""

    @classmethod
    def of(cls, history: Sequence[Transition]) -> Standing:
        """Replay all transitions, oldest first."""
        stages: dict[int, Stage] = {}
        champions: list[int] = []
        for entry in history:
            if entry.displaced is not None:
                stages[entry.displaced] = DISPLACED[entry.after]
            stages[entry.version] = entry.after
            if entry.act == ROLLBACK:
                champions.pop()
            elif entry.after is Stage.CHAMPION:
                champions.append(entry.version)
        return cls(entries=len(history), stages=stages, champions=tuple(champions))

    def stage(self, version: int) -> Stage:
        """What a version is."""
        return self.stages.get(version, Stage.CANDIDATE)

    def holder(self, seat: str) -> int | None:
        """The version that has a seat."""
        return next((version for version, stage in self.stages.items() if stage == seat and seat in SEATS), None)

    @property
    def previous(self) -> int | None:
        """The champion before this one that nobody has rolled back."""
        return self.champions[-2] if len(self.champions) > 1 else None

    def check(self, model: str, version: int, after: Stage) -> None:
        """Refuse a move that the rules do not know; each refusal says what to do instead."""
        before = self.stage(version)
        if after in MOVES[before]:
            return
        if before is after:
            raise Refused(f"{model}@{version} is {after} already.")
        if before is Stage.CHAMPION:
            advice = f"Promote another version, which archives this one, or: platform-ml rollback {model} --why ..."
        elif before is Stage.ARCHIVED and after is Stage.CHAMPION:
            advice = f"It was retired. Make it the challenger first, or: platform-ml rollback {model} --why ..."
        else:
            advice = f"From {before} it may become: {', '.join(MOVES[before])}."
        raise Refused(f"{model}@{version} is {before} and cannot become {after}. {advice}")
