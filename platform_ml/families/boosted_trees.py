"""Gradient-boosted trees."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.encoding import Encoded, Encoding
from platform_ml.families.inputs import check_columns_known_somewhere, check_label, nothing, told, weights
from platform_ml.families.limits import check_limits
from platform_ml.families.losses import LOSSES, USUAL, check_loss, tasks_of
from platform_ml.families.threads import threads
from platform_ml.spec.attribution import TREE_SHAP, Attribution, unit_of
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import MULTICLASS, RANKING, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    import xgboost as xgb
    from numpy.typing import NDArray

    from platform_ml.families.inputs import Told
    from platform_ml.spec.family import Rows

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


OBJECTIVES: Mapping[str, tuple[str, str, int]] = {
    "log": ("binary:logistic", "auc", 1),
    "squared": ("reg:squarederror", "rmse", -1),
    "absolute": ("reg:absoluteerror", "mae", -1),
    "softmax": ("multi:softprob", "mlogloss", -1),
    "ndcg": ("rank:ndcg", "ndcg@10", 1),
}
"""Loss → XGBoost's name for it, the metric that stops it, and 1 where more of that is better."""
ENCODING = "platform_ml_encoding"
"""The attribute of a booster that says the levels of its categories."""
CLASSES = "platform_ml_classes"
"""The attribute of a booster that says which class each of its probabilities is of."""
GAINS = {"ndcg_exp_gain": False, "lambdarank_unbiased": False}
"""A label is its own gain, as in our NDCG; the place of a row says nothing, because rows have none."""


@dataclass(frozen=True, kw_only=True)
class XGBoost(EveryColumn):
    """Boosted trees (Chen and Guestrin 2016), stopped early on validation rows.

    A binary label is stopped by the area under the ROC curve, a ranking by NDCG@10, others by what their loss is about.
    """

    name: ClassVar[str] = "xgboost"
    complexity: ClassVar[Complexity] = Complexity.TREES

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

    None: "log", "squared", "softmax" (of several classes) or "ndcg" (of a ranking), whichever fits the label.
    """

    def __post_init__(self) -> None:
        check_limits(self, LIMITS, above=("learning_rate", "subsample", "colsample_bytree"))
        check_loss(self, OBJECTIVES)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the loss is for."""
        return tasks_of(self.loss, OBJECTIVES)

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
        objective, watched, sign = OBJECTIVES[settings.pop("loss", None) or USUAL[train.task]]
        encoding, learn, judge = _matrices(train, validation, settings["max_bin"])
        early = xgb.callback.EarlyStopping(
            rounds=patience, metric_name=watched, data_name="validation", maximize=sign > 0, save_best=True
        )
        booster = xgb.train(
            settings
            | {
                "objective": objective,
                "eval_metric": watched,
                "tree_method": "hist",
                "nthread": threads(),
                "seed": seed,
                "verbosity": 0,
            }
            | _of_task(train),
            learn,
            num_boost_round=rounds,
            evals=[(judge, "validation")],
            callbacks=[early] if report is None else [_reporter(report, watched, sign), early],
            verbose_eval=False,
        )
        booster.feature_names = list(encoding.features)
        if encoding.levels:
            booster.set_attr(**{ENCODING: encoding.to_json()})
        if train.classes:
            booster.set_attr(**{CLASSES: json.dumps(train.classes)})
        return BoostedTrees(booster=booster, encoding=encoding, task=train.task, classes=train.classes)

    def load(self, file: Path, features: Sequence[str]) -> BoostedTrees:
        """Read a native file, which cannot run code."""
        import xgboost as xgb

        try:
            booster = xgb.Booster({"nthread": threads()}, model_file=file)
        except xgb.core.XGBoostError as error:
            reason = str(error).strip().splitlines()[-1]
            raise StoreError(f"{file} is no XGBoost model ({reason}). Materialize the model again.") from error
        said = booster.attr(ENCODING)
        plain = Encoding(features=tuple(booster.feature_names or ()), levels={})
        encoding = plain if said is None else Encoding.from_json(file, said)
        encoding.check(file, features)
        objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
        task = next(LOSSES[loss] for loss, (name, _, _) in OBJECTIVES.items() if name == objective)
        classes = tuple(json.loads(booster.attr(CLASSES) or "[]"))
        return BoostedTrees(booster=booster, encoding=encoding, task=task, classes=classes)


@dataclass(frozen=True, kw_only=True)
class BoostedTrees(Encoded):
    """Fitted trees, cut off after the best round."""

    explained_by: ClassVar[str] = TREE_SHAP

    booster: xgb.Booster
    task: Task
    classes: tuple[str, ...] = ()
    """Which class each probability is of."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, the number, or a score to rank by; (n, classes) probabilities."""
        import numpy as np

        values = self.inputs(rows)
        if not len(values):
            return nothing(self.classes)
        return np.asarray(self.booster.inplace_predict(values), dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.ubj`, XGBoost's own format."""
        file = folder / "model.ubj"
        self.booster.save_model(file)
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) SHAP values; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Exact SHAP values in log odds, in the label's unit or in that of the score: Lundberg et al. (2020)."""
        import numpy as np

        outputs = len(self.classes) if self.task is MULTICLASS else 1
        with_bias = np.asarray(self.booster.predict(self._data(rows), pred_contribs=True), dtype=np.float64)
        found = with_bias.reshape(rows.num_rows, outputs, len(self.encoding.features) + 1).swapaxes(1, 2)
        return Attribution(values=found[:, :-1], base=found[:, -1], unit=unit_of(self.task))

    def interactions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features, features) exact SHAP interaction values; of several classes their mean sizes."""
        import numpy as np

        with_bias = self.booster.predict(self._data(rows), pred_interactions=True)
        found = np.asarray(with_bias[..., :-1, :-1], dtype=np.float64)
        return np.abs(found).mean(axis=1) if self.task is MULTICLASS else found

    def _data(self, rows: pa.Table) -> xgb.DMatrix:
        import xgboost as xgb

        names = list(self.encoding.features)
        return xgb.DMatrix(self.inputs(rows), nthread=threads(), feature_names=names, **_kinds(self.encoding))

    def onnx(self) -> bytes:
        """The same trees as an ONNX graph; `NotPortable` where a split tells categories apart."""
        from platform_ml.families.graphs import converted, refuse_categories

        refuse_categories("XGBoost", self.encoding)
        unnamed = self.booster.copy()  # the converter takes f0, f1, ... and nothing else
        unnamed.feature_names = None
        if self.task is RANKING:  # the converter would take a score for a probability; a sum of trees it is
            plain = json.loads(unnamed.save_raw("json"))
            plain["learner"]["objective"] = {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}
            unnamed.load_model(bytearray(json.dumps(plain).encode()))
        return converted("convert_xgboost", unnamed, self.encoding, self.task)


def _of_task(train: Rows) -> dict[str, Any]:
    """What only such a label needs."""
    if train.task is RANKING:
        return GAINS
    return {"num_class": len(train.classes)} if train.task is MULTICLASS else {}


def _labels(rows: Told) -> dict[str, Any]:
    """What a matrix is told of its rows."""
    if rows.group is None:
        return {"label": rows.label, "weight": rows.weight}
    return {"label": rows.label, "weight": rows.group_weight, "qid": rows.group}


def _kinds(encoding: Encoding) -> dict[str, Any]:
    """How a matrix of XGBoost is told which of its columns are categories.

    To learn from, it has no names: they would be compared twice a round, which costs more than a small tree.
    """
    if not encoding.levels:
        return {}
    kinds = ["c" if name in encoding.levels else "q" for name in encoding.features]
    return {"feature_types": kinds, "enable_categorical": True}


def _matrices(train: Rows, validation: Rows, max_bin: int) -> tuple[Encoding, xgb.QuantileDMatrix, xgb.DMatrix]:
    """Training rows in bins and validation rows as they are; what was built once for these rows is used again.

    Scores are the same either way, and validation rows that are not in bins are scored several times as fast.
    """
    import xgboost as xgb

    key = f"xgboost max_bin={max_bin}"
    if key not in train.cache:
        check_label(train, "train")
        check_columns_known_somewhere(train.features)
        encoding = Encoding.learned(train.features)
        train.cache[key] = encoding, _binned(encoding, train, max_bin)
    encoding, learn = train.cache[key]
    encoded_by, judge = validation.cache.get("xgboost", (None, None))
    if encoded_by != encoding:
        check_label(validation, "validation")
        values = encoding.matrix(validation.features)
        said = replace(told(validation, values), weight=None)
        judge = xgb.DMatrix(said.arranged(values), nthread=threads(), **_labels(said), **_kinds(encoding))
        validation.cache["xgboost"] = (encoding, judge)
    return encoding, learn, judge


def _binned(encoding: Encoding, rows: Rows, max_bin: int) -> xgb.QuantileDMatrix:
    """Rows in bins, encoded batch by batch: the bins are those of all rows at once, which are never all in memory.

    XGBoost goes over the rows several times: to count them, to find the bins, and to fill them.
    """
    import xgboost as xgb

    kinds = _kinds(encoding)
    if rows.task is RANKING:  # whose rows have to be in an order that only all of them together have
        values = encoding.matrix(rows.features)
        said = told(rows, values)
        return xgb.QuantileDMatrix(said.arranged(values), max_bin=max_bin, nthread=threads(), **_labels(said), **kinds)
    weight = weights(rows)
    categorical = kinds.pop("enable_categorical", False)

    class Batches(xgb.DataIter):
        def reset(self) -> None:
            self.left = encoding.batches(rows.features)

        def next(self, input_data: Callable[..., None]) -> bool:
            for where, values in self.left:
                weighed = None if weight is None else weight[where]
                input_data(data=values, label=rows.label[where], weight=weighed, **kinds)
                return True
            return False

    return xgb.QuantileDMatrix(Batches(), max_bin=max_bin, nthread=threads(), enable_categorical=categorical)


def _reporter(report: Callable[[int, float], None], watched: str, sign: int) -> xgb.callback.TrainingCallback:
    import xgboost as xgb

    class Reporter(xgb.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            report(epoch, sign * float(evals_log["validation"][watched][-1]))
            return False

    return Reporter()
