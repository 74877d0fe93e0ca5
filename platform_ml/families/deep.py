"""What all networks share: how they are trained, and what can be chosen about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.epochs import PRECISIONS, SCHEDULES, Data, Learned, Plan, Training, device
from platform_ml.families.inputs import weights
from platform_ml.families.limits import check_limits
from platform_ml.families.losses import NETWORKS, check_loss, tasks_of
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.libraries import library
from platform_ml.spec.space import Between, Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.families.limits import Limits
    from platform_ml.families.outcome import Outcome
    from platform_ml.spec.family import Rows
    from platform_ml.spec.task import Task

THREADS = 1
"""On a CPU, so that weights do not depend on the machine: only those of a perceptron are the same for any number."""
CHUNK = 4_096
"""Rows that go through a network at once where nothing is learned of them."""


@dataclass(frozen=True, kw_only=True)
class Deep(EveryColumn):
    """A network trained by AdamW (Loshchilov and Hutter 2019), stopped early, its best epoch kept; in torch.

    It trains where PLATFORM_ML_DEVICE says, else on CUDA where there is one, in mixed precision there. With
    PLATFORM_ML_CHECKPOINTS, a folder, a killed training goes on where it was: on a CPU to the same weights, bit by bit.
    Needs `pip install 'platform_ml[deep]'`.
    """

    complexity: ClassVar[Complexity] = Complexity.NETWORK
    limits: ClassVar[Limits] = {
        "dropout": (0, 0.9),
        "learning_rate": (0, 1),
        "weight_decay": (0, float("inf")),
        "batch_rows": (1, float("inf")),
        "accumulate": (1, float("inf")),
        "clip_norm": (0, float("inf")),
        "max_epochs": (1, float("inf")),
        "early_stopping_epochs": (1, float("inf")),
        "max_levels": (1, 10_000),
        "warm_up": (0, 1),
    }

    dropout: float | Between = Between(0.0, 0.5)
    learning_rate: float | Between = Between(3e-4, 1e-2, log=True)
    """At its highest."""
    weight_decay: float | Between = Between(1e-6, 1e-1, log=True)
    batch_rows: int | Whole = 256
    accumulate: int = 1
    """Parts of a batch that go through the network one after the other, where the batch does not fit into memory."""
    clip_norm: float = 1.0
    max_epochs: int = 100
    early_stopping_epochs: int = 15
    max_levels: int = 50
    """Of a category; the rarer ones are taken as missing."""
    loss: str | None = field(default=None, metadata=ADDED)
    """As for XGBoost: "log", "squared" or "absolute"; None: whichever fits the label."""
    schedule: str = field(default="cosine", metadata=ADDED)
    """How the learning rate falls after its warm-up: "cosine", "constant" (not at all), or all in "one_cycle"."""
    warm_up: float = field(default=0.05, metadata=ADDED)
    """The share of all steps in which the learning rate rises."""
    precision: str = field(default="auto", metadata=ADDED)
    """ "float32", "bfloat16" where that is enough, or "auto": bfloat16 on CUDA alone."""

    def __post_init__(self) -> None:
        check_limits(self, self.limits, above=("learning_rate", "clip_norm"))
        check_loss(self, NETWORKS)
        for name, known in (("schedule", SCHEDULES), ("precision", PRECISIONS)):
            chosen(self, name, known)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the loss is for."""
        return tasks_of(self.loss, NETWORKS)


def chosen(family: Any, name: str, known: tuple[str, ...]) -> None:
    """Refuse a choice that there is not."""
    value = getattr(family, name)
    if value not in known:
        raise DeclarationError(
            f"{type(family).__name__}: {name} {value!r} is not known.{did_you_mean(str(value), known)} "
            f"Known: {', '.join(known)}."
        )


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Rows as a network takes them."""

    train: Rows
    columns: NDArray[np.floating[Any]]
    """(n, width) of the training rows."""
    validation: Rows
    judged: NDArray[np.floating[Any]]
    """(m, width) of the validation rows."""
    outcome: Outcome


def learned(
    build: Callable[[Any], Any],
    lesson: Lesson,
    *,
    params: Mapping[str, Any],
    seed: int,
    threads: int,
    report: Callable[[int, float], None] | None,
) -> Learned:
    """Train what `build` makes of torch until `early_stopping_epochs` epochs bring nothing better on validation."""
    import numpy as np

    torch = library("torch", extra="deep", user="Training a network")
    outcome, train = lesson.outcome, lesson.train
    counts = weights(train)
    rows = len(lesson.columns)
    data = Data(
        columns=lesson.columns.astype(np.float32, copy=False),
        target=outcome.target(train, "train"),
        weight=np.ones(rows, np.float32) if counts is None else counts.astype(np.float32),
    )
    truth = outcome.target(lesson.validation, "validation")
    judged = Data(columns=lesson.judged.astype(np.float32, copy=False), target=truth, weight=data.weight)
    place = device()

    def score(network: Any) -> float:
        with torch.no_grad():
            parts = [network(torch.from_numpy(some).to(place)) for some in _chunks(judged.columns)]
        return outcome.score(truth, torch.cat(parts).double().cpu().numpy())

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(torch)
    training = Training(
        network=network,
        loss=outcome.losses(torch),
        judge=score,
        data=data,
        plan=_plan(params, seed),
        place=place,
        threads=threads,
    )
    return training.run(report, {"outcome": outcome.to_plain(), "validation": judged.digest})


def _chunks(columns: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [columns[at : at + CHUNK] for at in range(0, len(columns), CHUNK)]


def _plan(params: Mapping[str, Any], seed: int) -> Plan:
    same = ("batch_rows", "accumulate", "max_epochs", "learning_rate", "weight_decay", "clip_norm")
    later = {name: params[name] for name in ("schedule", "warm_up", "precision") if name in params}
    return Plan(**{name: params[name] for name in same}, patience=params["early_stopping_epochs"], seed=seed, **later)
