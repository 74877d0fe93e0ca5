"""A model whose hyper-parameters were searched on validation rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from platform_ml.spec.choice import Choice, Rival, check_choice, competitors
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import ADDED, PROSE
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.space import ranges
from platform_ml.spec.task import BINARY, CLUSTERING, check_task

if TYPE_CHECKING:
    from platform_ml.spec.ablation import Without
    from platform_ml.spec.family import Family
    from platform_ml.spec.feature_selection import FeatureSelection
    from platform_ml.spec.intervals import Conformal
    from platform_ml.spec.metric import Metric
    from platform_ml.spec.preparation import Preparation
    from platform_ml.spec.resampling import Resampling
    from platform_ml.spec.task import Task
    from platform_ml.spec.training_dataset import TrainingDataset
    from platform_ml.spec.tuner import Tuner


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A simple rival that the model has to beat."""

    name: str
    family: Family


@dataclass(frozen=True, kw_only=True)
class TunedModel:
    """A family searched by a tuner on the validation rows of a dataset; the test rows are never touched."""

    name: str
    description: str = field(metadata=PROSE)
    dataset: TrainingDataset
    family: Family
    tuner: Tuner
    metric: Metric
    """What the search improves on the validation rows."""
    baselines: tuple[Baseline, ...]
    seed: int = 0
    preparations: tuple[Preparation, ...] = field(default=(), metadata=ADDED)
    """What is done to the features before the family sees them; baselines see them as they are."""
    positive_weight: float | Literal["balanced"] | None = field(default=None, metadata=ADDED)
    """How much a training row with label 1 counts, beside 1 for a 0; "balanced": as much in all as the zeros.

    Probabilities then speak of such a mixture, not of the one that will be met: rank by them.
    """
    features: FeatureSelection | None = field(default=None, metadata=ADDED)
    """Which features the family sees, after preparations; None: all. Baselines see all of them."""
    resampling: Resampling | None = field(default=None, metadata=ADDED)
    """How often training rows are learned from; preparations and baselines see each row once."""
    ablations: tuple[Without, ...] = field(default=(), metadata=ADDED)
    """What the model is compared with besides: itself, with the same parameters, without some features."""
    rivals: tuple[Rival, ...] = field(default=(), metadata=ADDED)
    """Families that compete with `family` for being the model."""
    choice: Choice = field(default=Choice(), metadata=ADDED)
    """Which of them wins."""
    folds: int | None = field(default=None, metadata=ADDED)
    """Folds by the splitter's own rule on which the best parameters are fitted again, to see the spread; None: none."""
    intervals: Conformal | None = field(default=None, metadata=ADDED)
    """Which ranges predictions of numbers come with; None: none."""

    def __post_init__(self) -> None:
        check_name("Model", self.name)
        where = f"Model {self.name!r}"
        check_unique(where, "baseline", [baseline.name for baseline in self.baselines])
        check_task(where, f"metric {self.metric.name!r}", [self.metric.task], self.task)
        check_task(where, f"family {self.family.name!r}", self.family.tasks, self.task)
        view = self.dataset.view
        for preparation in self.preparations:
            check_known(f"Feature view {view.name!r}", "feature", preparation.of, view.feature_names)
            check_known(f"Feature view {view.name!r}", "helper column", preparation.helpers, view.helper_names)
        self._check_weight(where)
        self._check_rows_and_features(where)
        if self.intervals is not None:
            self.intervals.check(where, view)
        if not self.baselines:
            raise DeclarationError(f"{where} has no baseline: say what a naive prediction would be.")
        for baseline in self.baselines:
            check_name("Baseline", baseline.name)
            check_task(where, f"baseline {baseline.name!r}", baseline.family.tasks, self.task)
            if searched := ranges(baseline.family):
                raise DeclarationError(
                    f"{where}: baseline {baseline.name!r} has a range for {next(iter(searched))!r}, but nothing "
                    "searches a baseline. Use plain values."
                )
            known = self.dataset.view.feature_names
            check_known(f"Feature view {self.dataset.view.name!r}", "feature", baseline.family.columns() or (), known)
        check_choice(self)

    def _check_weight(self, where: str) -> None:
        weight = self.positive_weight
        if weight is not None and self.task is not BINARY:
            raise DeclarationError(f"{where}: positive_weight is for a binary label. Drop it.")
        fits = weight == "balanced" if isinstance(weight, str) else weight is None or 0 < weight < math.inf
        if not fits:
            raise DeclarationError(f"{where}: positive_weight={weight!r} has to be a number above 0, or 'balanced'.")

    def _check_rows_and_features(self, where: str) -> None:
        if self.features is not None and self.features.dataset != self.dataset:
            raise DeclarationError(
                f"{where} learns from dataset {self.dataset.name!r} of view {self.dataset.view.name!r}, but "
                f"{self.features.name!r} chose its features from dataset {self.features.dataset.name!r} of view "
                f"{self.features.dataset.view.name!r}, or from another declaration of it. Choose them from its own."
            )
        if (self.features or self.ablations) and self.family.columns() is not None:
            raise DeclarationError(
                f"{where}: family {self.family.name!r} says itself which features it uses, so it takes no selection "
                "and no ablation. Drop them."
            )
        if self.features is not None and self.task is CLUSTERING:
            raise DeclarationError(f"{where} has no label, so nothing says which features are good. Drop features.")
        if self.resampling is not None:
            check_task(where, f"resampling {self.resampling.name!r}", self.resampling.tasks, self.task)
            if self.positive_weight is not None:
                raise DeclarationError(
                    f"{where} has both resampling and positive_weight: rare rows would count twice over. Drop one."
                )
        rivals = [*(baseline.name for baseline in self.baselines), *(ablation.name for ablation in self.ablations)]
        check_unique(where, "baseline or ablation", rivals)
        for ablation in self.ablations:
            ablation.left_out(self.dataset.view)

    @property
    def competitors(self) -> dict[str, Rival]:
        """The model's own family and its rivals, by the names that the leader board has for them."""
        return {one.title: one for one in competitors(self)}

    def alone(self, name: str) -> TunedModel:
        """The model that one of the families would be without rivals; with none declared, this one."""
        one = self.competitors[name]
        if not self.rivals:
            return self
        own = self.name if name == self.family.name else f"{self.name}_{name}"
        tuner = one.tuner or self.tuner
        return replace(
            self, name=own, family=one.family, tuner=tuner, rivals=(), choice=Choice(), folds=None, ablations=()
        )

    @property
    def task(self) -> Task:
        """What learning its label is."""
        return self.dataset.view.label.task
