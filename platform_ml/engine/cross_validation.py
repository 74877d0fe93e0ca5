"""The best parameters fitted again on folds, to see how much their score depends on which rows they were."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine.fitting import Fitting
from platform_ml.engine.learnable import label_faults
from platform_ml.engine.training_dataset import fold_rows
from platform_ml.spec.errors import RowsError
from platform_ml.spec.training_dataset import TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Family
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.tuner import TriedParams

LENGTHS = ("max_rounds", "max_epochs")
"""Parameters that say how many steps a family takes at most, where it stops early on validation rows."""
WATCHED = 5_000
"""Training rows that stand in for validation rows while a fold is fitted; they decide nothing but cost time."""


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """What became of one fold."""

    number: int
    """Counts from 1, for people."""
    train_rows: int
    validation_rows: int
    first: str
    """The first day that the fold is judged on."""
    last: str
    score: float | None
    """None: the fold could not be scored."""
    reason: str = ""
    """Why it could not."""


@dataclass(frozen=True, kw_only=True)
class CrossValidated:
    """The model's metric on folds that have no test row."""

    metric: str
    title: str
    rule: str
    """How the folds are cut, as a sentence."""
    stopping: str
    """What decided how long each fit went on, as a sentence."""
    folds: tuple[FoldScore, ...]

    @property
    def scores(self) -> list[float]:
        """Of the folds that could be scored, in order."""
        return [fold.score for fold in self.folds if fold.score is not None]

    @property
    def mean(self) -> float | None:
        """None without a score."""
        return sum(self.scores) / len(self.scores) if self.scores else None

    @property
    def std(self) -> float | None:
        """The standard deviation between folds, of a sample (n - 1); None with fewer than two scores."""
        from statistics import stdev

        return stdev(self.scores) if len(self.scores) > 1 else None

    def to_plain(self) -> dict[str, Any]:
        """As a record has it."""
        return asdict(self) | {"mean": self.mean, "std": self.std, "folds": [asdict(fold) for fold in self.folds]}


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One fold, prepared from its own training rows, and shared by all families that are fitted on it."""

    number: int
    rows: Mapping[str, SplitRows]
    fitting: Fitting | None
    reason: str = ""
    """Why there is nothing to fit."""

    def fit(self, family: Family, params: Mapping[str, Any]) -> FoldScore:
        """Learn from the fold's training rows, and be judged on the others, which the fit never sees."""
        score, reason = None, self.reason
        if self.fitting is not None:
            stand_in = replace(self.fitting, judge=_stand_in(self.fitting.learn))
            try:
                score = self.fitting.score(stand_in.fit(family, params)[0])
            except RowsError as error:
                reason = str(error)
        if score is not None and not _finite(score):
            score, reason = None, "The metric is not defined on its validation rows."
        first, last = _days(self.rows[VALIDATION])
        return FoldScore(
            number=self.number,
            train_rows=len(self.rows[TRAIN].label),
            validation_rows=len(self.rows[VALIDATION].label),
            first=first,
            last=last,
            score=score,
            reason="" if score is not None else reason,
        )


def read_folds(model: TunedModel, cutoff: str, dataset: Artifact, *, work: Work) -> list[Mapping[str, SplitRows]]:
    """The rows of each declared fold, from the version of the view that the dataset was cut from."""
    return [] if model.folds is None else fold_rows(model.dataset, cutoff, dataset, model.folds, work=work)


def prepared(model: TunedModel, folds: Sequence[Mapping[str, SplitRows]]) -> list[Fold]:
    """Everything that is learned of rows before a family sees them is learned of each fold's training rows alone."""
    return [_fold(model, number, rows) for number, rows in enumerate(folds, start=1)]


def _fold(model: TunedModel, number: int, rows: Mapping[str, SplitRows]) -> Fold:
    faults = [text for split in (TRAIN, VALIDATION) for text in label_faults(rows[split], split)]
    if faults:
        return Fold(number=number, rows=rows, fitting=None, reason=f"Of this fold {'; '.join(faults)}.")
    try:
        return Fold(number=number, rows=rows, fitting=Fitting.of(model, rows))
    except RowsError as error:
        return Fold(number=number, rows=rows, fitting=None, reason=str(error))


def cross_validate(
    model: TunedModel, best: TriedParams, folds: Sequence[Fold], *, progress: Callable[[str], None]
) -> CrossValidated:
    """Fit the family of a model with its best parameters on every fold.

    No row that a fold is judged on is seen by its fit, so nothing can be stopped by them: a family that stops early
    takes as many steps as it took to its best score in the search, and sees training rows in place of validation rows.
    """
    params, stopping = settled(best)
    scored = []
    for fold in folds:
        scored.append(fold.fit(model.family, params))
        said = scored[-1].reason if scored[-1].score is None else f"{model.metric.title} {scored[-1].score:.4f}"
        progress(f"{model.name}: fold {fold.number} of {len(folds)}: {said}")
    dataset = model.dataset
    return CrossValidated(
        metric=model.metric.name,
        title=model.metric.title,
        rule=dataset.splitter.folds(len(folds)).says(dataset.gap_days),
        stopping=stopping,
        folds=tuple(scored),
    )


def settled(best: TriedParams) -> tuple[dict[str, Any], str]:
    """Parameters of a fit that needs no validation rows, and what was done as a sentence.

    The steps of the best trial are its scores on the search's validation rows; the family kept the first best one.
    """
    params = dict(best.params)
    length = next((name for name in LENGTHS if name in params), None)
    if length is None:
        return (
            params,
            "The fits see training rows in place of validation rows: none sees the rows that it is judged on.",
        )
    if not best.steps:
        return params, f"The fit was free to take all {params[length]:,} of its steps ({length})."
    steps = max(range(len(best.steps)), key=lambda step: (best.steps[step], -step)) + 1
    said = f"Each fit takes at most {steps:,} steps ({length}), as many as the search found best on its validation rows"
    return params | {length: min(steps, params[length])}, f"{said}; no fit sees the rows that it is judged on."


def corrected_interval(
    leads: NDArray[np.float64], *, ratio: float, confidence: float
) -> tuple[float, float, float] | None:
    """Mean of paired differences over folds, and the ends of its interval; None with fewer than two.

    The corrected resampled t-test of Nadeau and Bengio (2003), Inference for the generalization error, section 4: the
    variance is scaled by 1/J + n2/n1 in place of 1/J, because the training rows of J folds overlap.

    Args:
        leads: (J,) one difference a fold.
        ratio: n2/n1, judged rows for one training row.
        confidence: of the interval.
    """
    import numpy as np
    from scipy.stats import t

    count = len(leads)
    if count < 2:  # noqa: PLR2004 - one difference has no spread
        return None
    middle = float(leads.mean())
    half = float(t.ppf((1 + confidence) / 2, count - 1) * np.sqrt((1 / count + ratio) * leads.var(ddof=1)))
    return middle, middle - half, middle + half


def _stand_in(learn: SplitRows) -> SplitRows:
    """Some training rows, where a fit asks for validation rows; enough that they have labels of more than one kind."""
    some = learn.thinned(WATCHED)
    return some if len(set(some.label.tolist())) > 1 else replace(learn, cache={})


def _finite(score: float) -> bool:
    import math

    return math.isfinite(score)


def _days(rows: SplitRows) -> tuple[str, str]:
    import pyarrow.compute as pc

    ends = pc.min_max(rows.event_time).as_py()
    first, last = ("" if ends[end] is None else ends[end].date().isoformat() for end in ("min", "max"))
    return first, last
