"""What a search needs beside its rows: a place for its trials, a model to begin with, and where trials run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from platform_ml.spec.errors import PlatformError, RowsError
from platform_ml.spec.fingerprint import digest, fingerprint, meaning
from platform_ml.spec.space import ranges
from platform_ml.spec.tuner import WarmStart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from platform_ml.engine.attempt import Objective
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Journal, Journals
    from platform_ml.engine.study import Study
    from platform_ml.spec.family import Family
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.tuner import Search

KIND = "studies"
CODE = ("git_commit", "lock_hash", "platform_version")
"""What is said of the code that runs a trial: with other code it may score otherwise."""
OUT_OF_MEMORY = ("bad_alloc", "bad allocation", "out of memory", "can't allocate memory")
"""How libraries that have no MemoryError say it."""


class Spread(Protocol):
    """Runs the trials of a study somewhere else."""

    def search(self, study: Study, objective: Objective) -> Search:
        """What `study.search(objective)` finds, with its trials run where the environment says."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The surroundings of the searches of one model for one cutoff."""

    project: str = ""
    place: str = ""
    dataset: str = ""
    """Digest of the rows."""
    code: str = ""
    """Digest of what is said of the code."""
    journals: Journals | None = None
    warm_start: WarmStart | None = None
    spread: Spread | None = None

    @classmethod
    def of(cls, model: TunedModel, cutoff: str, dataset: Artifact, *, work: Work, made_by: Mapping[str, Any]) -> Self:
        """As the platform has it: with the model of an earlier cutoff where the tuner wants to begin with one."""
        return cls(
            project=work.project,
            place=work.place(KIND, model, cutoff),
            dataset=dataset.digest,
            code=digest({name: str(made_by.get(name, "")) for name in CODE}),
            journals=work.platform.journals,
            warm_start=last_published(model, cutoff, work) if model.tuner.warm_start else None,
            spread=work.platform.spread,
        )

    def journal(self, model: TunedModel, family: Family) -> Journal | None:
        """Where the trials of a family are written down: another place for everything that decides the search."""
        if self.journals is None:
            return None
        warm = self.warm_start and [self.warm_start.digest, dict(self.warm_start.params)]
        decides = {
            "model": fingerprint(model),
            "family": meaning(family),
            "dataset": self.dataset,
            "code": self.code,
            "warm_start": warm,
        }
        return self.journals.open(f"{self.place}/{digest(decides)[:16]}")

    def beginning(self, family: Family) -> WarmStart | None:
        """The model to begin with, where its parameters are some of this family, within the ranges of today."""
        warm = self.warm_start
        if warm is None or warm.family != family.name or not ranges(family):
            return None
        fits = all(
            name in warm.params and space.low <= warm.params[name] <= space.high
            for name, space in ranges(family).items()
        )
        return warm if fits else None

    def done(self) -> None:
        """The model is published: what its searches have written down is not needed any more."""
        if self.journals is not None:
            self.journals.drop(self.place)


def last_published(model: TunedModel, cutoff: str, work: Work) -> WarmStart | None:
    """The newest model of the latest cutoff before this one, so that training a cutoff again begins the same way."""
    place = work.place("models", model, "")
    latest: Artifact | None = None
    for artifact in work.platform.artifacts.versions(place.rstrip("/")):
        earlier = str(artifact.record["cutoff"]) < cutoff
        if earlier and (latest is None or artifact.record["cutoff"] >= latest.record["cutoff"]):
            latest = artifact  # of one cutoff the newest comes last
    if latest is None:
        return None
    said = latest.record.get("search", {})
    return WarmStart(
        digest=latest.digest,
        cutoff=str(latest.record["cutoff"]),
        family=said.get("family", model.family.name),
        params=latest.record["params"],
    )


@contextmanager
def memory_errors(where: str) -> Iterator[None]:
    """Say of an allocation that failed where it was and what to do; `RowsError`."""
    try:
        yield
    except PlatformError:
        raise
    except Exception as error:
        if not isinstance(error, MemoryError) and not any(said in str(error).lower() for said in OUT_OF_MEMORY):
            raise
        raise RowsError(
            f"{where}: out of memory ({type(error).__name__}). Nothing was registered, and trials that ended are kept. "
            "Use fewer rows or features, a smaller `parallel`, or smaller ranges, then run it again."
        ) from error
