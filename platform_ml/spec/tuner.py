"""What a way to search hyper-parameters promises, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from platform_ml.spec.errors import DeclarationError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.spec.family import Family

QUALITY = "quality"
"""The model's own metric on validation rows: always the first objective."""
FINISHED: Final = "finished"
STOPPED: Final = "stopped"
FAILED: Final = "failed"
DRAWN: Final = "drawn"
WARM: Final = "warm start"
State = Literal["finished", "stopped", "failed"]
"""What becomes of a trial."""
Origin = Literal["drawn", "warm start"]
"""Where the parameters of a trial come from."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long one row takes the fitted family: the 99th percentile in milliseconds, preparations not included.

    It is measured where the trial was fitted, and depends on the machine and its load. It is therefore recorded, put
    on the front and held against `at_most`, and never decides what is drawn next: the list of trials stays the same.
    """

    name: ClassVar[str] = "latency"
    measured: ClassVar[str] = "latency_ms"
    at_most: float | None = None

    def __post_init__(self) -> None:
        _check_limit(self, self.at_most)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many bytes the model's file has; the same for the same model."""

    name: ClassVar[str] = "size"
    measured: ClassVar[str] = "size_bytes"
    at_most: int | None = None

    def __post_init__(self) -> None:
        _check_limit(self, self.at_most)


Objective = Latency | Size


class Tuner(Protocol):
    """A way to search the ranges of a family: plain choices, and what proposes the next trial."""

    @property
    def trials(self) -> int:
        """How many fits are tried, at most."""
        ...

    @property
    def pruner(self) -> Pruner | None:
        """What stops a trial before its end; None: nothing."""
        ...

    @property
    def seconds(self) -> float | None:
        """After how long no other trial begins; None: no limit."""
        ...

    @property
    def parallel(self) -> int:
        """How many trials are drawn together and run at once."""
        ...

    @property
    def warm_start(self) -> bool:
        """Whether the first trial has the parameters of the model that was published for the cutoff before."""
        ...

    @property
    def objectives(self) -> Sequence[Objective]:
        """What counts beside quality."""
        ...

    def sampler(self, seed: int) -> Any:
        """A fresh sampler of Optuna; one that went on drawing could not be resumed."""
        ...

    def converged(self, scores: Sequence[float]) -> str:
        """Why another trial is not worth it, or nothing; scores of finished trials, the greater the better."""
        ...


class Pruner(Protocol):
    """A rule that stops a trial which falls behind those that are over."""

    def floors(self, tried: Sequence[TriedParams]) -> Floors:
        """What a trial has to reach; a pure function of earlier trials, so that timing decides nothing."""
        ...


@dataclass(frozen=True, kw_only=True)
class Floors:
    """The least that a trial has to reach to go on, by step."""

    at: Mapping[int, float] = field(default_factory=dict)
    """Step (from 0) → score; at other steps every score will do."""
    best: bool = False
    """Whether the best report so far is held against the floor, rather than that of the step."""

    def stop(self, steps: Sequence[float]) -> bool:
        """Whether a trial ends with its last report."""
        if not steps or (floor := self.at.get(len(steps) - 1)) is None:
            return False
        return (max(steps) if self.best else steps[-1]) < floor


class Trial(Protocol):
    """One fit of a search."""

    @property
    def number(self) -> int:
        """Counts from 0."""
        ...

    def params(self, family: Family) -> dict[str, Any]:
        """The family's fields with a value drawn from each range."""
        ...

    def report(self, step: int, score: float) -> None:
        """Tell an intermediate score, the greater the better; raises to stop a trial that is not worth finishing."""
        ...


class TrialStopped(Exception):  # noqa: N818 - an order, not a fault
    """Raised by a report: the trial is not worth finishing."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a trial that came to its end is worth."""

    score: float
    latency_ms: float | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class TriedParams:
    """What became of one trial."""

    number: int
    params: Mapping[str, Any]
    score: float | None
    """None when the trial did not come to an end."""
    steps: tuple[float, ...]
    """What the family reported, the greater the better."""
    seconds: float
    state: State = "finished"
    reason: str = ""
    """Why it was stopped or failed."""
    origin: Origin = "drawn"
    latency_ms: float | None = None
    """99th percentile of one row; None where nobody asked for it."""
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class WarmStart:
    """The published model that a search begins with."""

    digest: str
    cutoff: str
    family: str
    params: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Search:
    """All trials and the best of them."""

    trials: tuple[TriedParams, ...]
    best: TriedParams
    """Of the greatest quality within the declared limits, the earliest of equals."""
    front: tuple[int, ...] = ()
    """Numbers of the trials that no other beats in all objectives; empty where quality is the only one."""
    ended: str = ""
    """Why no further trial was run."""
    warm_start: WarmStart | None = None
    """None: every trial was drawn."""
    caveat: str = ""
    """Why another run of the same search may find otherwise; empty: it finds the same."""

    @property
    def score(self) -> float:
        """That of the best trial, on the validation rows."""
        if self.best.score is None:
            raise PlatformError("The tuner named a trial as the best that has no score.")
        return self.best.score


def _check_limit(objective: Objective, at_most: float | None) -> None:
    if at_most is not None and not at_most > 0:
        raise DeclarationError(
            f"{type(objective).__name__}: at_most={at_most!r} is out of bounds. Use a number above 0, or None."
        )
