"""Gradient-boosted trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.inputs import check_known_somewhere, check_label, matrix
from platform_ml.spec.errors import DeclarationError, StoreError, did_you_mean
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.space import Between, Range, Whole
from platform_ml.spec.task import BINARY, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    import xgboost as xgb
    from numpy.typing import NDArray

    from platform_ml.spec.tuned_model import Rows

THREADS = 1
"""Models are the same bytes for any number of threads; threads that wait for a busy core make it many times slower."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "max_depth": (1, 30),
    "learning_rate": (0, 1),
    "min_child_weight": (0, float("inf")),
    "subsample": (0, 1),
    "colsample_bytree": (0, 1),
    "reg_lambda": (0, float("inf")),
    "reg_alpha": (0, float("inf")),
    "max_bin": (2, 65_536),
    "max_rounds": (1, float("inf")),
    "early_stopping_rounds": (1, float("inf")),
}


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What XGBoost calls a loss, and what it is stopped by."""

    task: Task
    objective: str
    watched: str
    """The metric that early stopping looks at."""
    sign: int
    """1 where more of it is better."""


LOSSES: Mapping[str, Loss] = {
    "log": Loss(task=BINARY, objective="binary:logistic", watched="auc", sign=1),
    "squared": Loss(task=REGRESSION, objective="reg:squarederror", watched="rmse", sign=-1),
    "absolute": Loss(task=REGRESSION, objective="reg:absoluteerror", watched="mae", sign=-1),
}
USUAL: Mapping[Task, str] = {BINARY: "log", REGRESSION: "squared"}
POSITIVE = ("learning_rate", "subsample", "colsample_bytree")


@dataclass(frozen=True, kw_only=True)
class XGBoost:
    """Boosted trees (Chen and Guestrin 2016), stopped early on validation rows.

    A binary label is stopped by the area under the ROC curve, a number by what its loss is about.
    """

    name: ClassVar[str] = "xgboost"

    max_depth: int | Whole = Whole(2, 8)
    learning_rate: float | Between = Between(0.02, 0.3, log=True)
    min_child_weight: float | Between = Between(1.0, 100.0, log=True)
    subsample: float | Between = Between(0.5, 1.0)
    colsample_bytree: float | Between = Between(0.4, 1.0)
    reg_lambda: float | Between = Between(0.1, 30.0, log=True)
    reg_alpha: float | Between = Between(0.001, 10.0, log=True)
    max_bin: int | Whole = 256
    max_rounds: int = 1_000
    early_stopping_rounds: int = 50
    loss: str | None = field(default=None, metadata=ADDED)
    """What training makes small: "log" for a binary label, "squared" (means) or "absolute" (medians) for numbers.

    None: "log" or "squared", whichever fits the label.
    """

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            ends = (value.low, value.high) if isinstance(value, Range) else (value, value)
            if not low <= ends[0] <= ends[1] <= high or (name in POSITIVE and ends[0] == 0):
                above = "above" if name in POSITIVE else "from"
                raise DeclarationError(f"XGBoost: {name}={value!r} is out of bounds. Use {above} {low} to {high}.")

        if self.loss is not None and self.loss not in LOSSES:
            raise DeclarationError(
                f"XGBoost: loss {self.loss!r} is not known.{did_you_mean(self.loss, LOSSES)} "
                f"Known: {', '.join(LOSSES)}."
            )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the loss is for."""
        return tuple(USUAL) if self.loss is None else (LOSSES[self.loss].task,)

    def columns(self) -> tuple[str, ...] | None:
        """All of them."""
        return None

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> BoostedTrees:
        """Boost until `early_stopping_rounds` rounds bring nothing better on `validation`, and keep the best round."""
        import xgboost as xgb

        settings = dict(params)
        rounds, patience = settings.pop("max_rounds"), settings.pop("early_stopping_rounds")
        loss = LOSSES[settings.pop("loss", None) or USUAL[train.task]]
        learn, judge = _matrices(train, validation, settings["max_bin"])
        early = xgb.callback.EarlyStopping(
            rounds=patience, metric_name=loss.watched, data_name="validation", maximize=loss.sign > 0, save_best=True
        )
        booster = xgb.train(
            settings
            | {
                "objective": loss.objective,
                "eval_metric": loss.watched,
                "tree_method": "hist",
                "nthread": THREADS,
                "seed": seed,
                "verbosity": 0,
            },
            learn,
            num_boost_round=rounds,
            evals=[(judge, "validation")],
            callbacks=[early] if report is None else [_reporter(report, loss), early],
            verbose_eval=False,
        )
        return BoostedTrees(booster=booster, features=tuple(train.features.column_names))

    def load(self, file: Path, features: Sequence[str]) -> BoostedTrees:
        """Read a native file, which cannot run code."""
        import xgboost as xgb

        try:
            booster = xgb.Booster({"nthread": THREADS}, model_file=file)
        except xgb.core.XGBoostError as error:
            reason = str(error).strip().splitlines()[-1]
            raise StoreError(f"{file} is no XGBoost model ({reason}). Materialize the model again.") from error
        if booster.feature_names != list(features):
            raise StoreError(
                f"{file} was learned from other features ({booster.feature_names}) than are declared now "
                f"({list(features)}). Materialize the model again."
            )
        return BoostedTrees(booster=booster, features=tuple(features))


@dataclass(frozen=True, kw_only=True)
class BoostedTrees:
    """Fitted trees, cut off after the best round."""

    booster: xgb.Booster
    features: tuple[str, ...]

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number."""
        import numpy as np

        values = matrix(rows, self.features)
        if not len(values):
            return np.empty(0)
        return np.asarray(self.booster.inplace_predict(values), dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.ubj`, XGBoost's own format."""
        file = folder / "model.ubj"
        self.booster.save_model(file)
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) exact SHAP values in log odds, or in the label's unit: Lundberg et al. (2020), TreeSHAP."""
        import numpy as np
        import xgboost as xgb

        data = xgb.DMatrix(matrix(rows, self.features), feature_names=list(self.features), nthread=THREADS)
        with_bias = self.booster.predict(data, pred_contribs=True)
        return np.asarray(with_bias[:, :-1], dtype=np.float64)


def _matrices(train: Rows, validation: Rows, max_bin: int) -> tuple[xgb.QuantileDMatrix, xgb.QuantileDMatrix]:
    """The binned rows of both splits; what was built once for these rows is used again."""
    import xgboost as xgb

    names = train.features.column_names
    key = f"xgboost max_bin={max_bin}"
    if key not in train.cache:
        check_label(train, "train")
        values = matrix(train.features, names)
        check_known_somewhere(values, names)
        train.cache[key] = xgb.QuantileDMatrix(
            values, train.label, feature_names=names, max_bin=max_bin, nthread=THREADS
        )
    learn = train.cache[key]
    binned_for, judge = validation.cache.get(key, (None, None))
    if binned_for is not learn:
        check_label(validation, "validation")
        values = matrix(validation.features, names)
        judge = xgb.QuantileDMatrix(
            values, validation.label, feature_names=names, max_bin=max_bin, nthread=THREADS, ref=learn
        )
        validation.cache[key] = (learn, judge)
    return learn, judge


def _reporter(report: Callable[[int, float], None], loss: Loss) -> xgb.callback.TrainingCallback:
    import xgboost as xgb

    class Reporter(xgb.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            report(epoch, loss.sign * float(evals_log["validation"][loss.watched][-1]))
            return False

    return Reporter()
