"""Gradient-boosted symmetric trees."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.encoding import Encoded, Encoding
from platform_ml.families.inputs import check_label, nothing, told
from platform_ml.families.limits import check_limits
from platform_ml.families.losses import USUAL, check_loss, tasks_of
from platform_ml.spec.attribution import TREE_SHAP, Attribution, unit_of
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.libraries import library
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.families.inputs import Told
    from platform_ml.spec.family import Rows

THREADS = 1
"""Pinned: this library's models depend on the number of threads once there are enough rows for several blocks."""
LIMITS = {
    "depth": (1, 16),
    "learning_rate": (0, 1),
    "l2_leaf_reg": (0, float("inf")),
    "random_strength": (0, float("inf")),
    "subsample": (0, 1),
    "rsm": (0, 1),
    "border_count": (1, 65_535),
    "max_rounds": (1, float("inf")),
    "early_stopping_rounds": (1, float("inf")),
}
OBJECTIVES: Mapping[str, tuple[str, str, int]] = {
    "log": ("Logloss", "AUC", 1),
    "squared": ("RMSE", "RMSE", -1),
    "absolute": ("MAE", "MAE", -1),
    "softmax": ("MultiClass", "MultiClass", -1),
    "ndcg": ("YetiRank", "NDCG:top=10;type=Base", 1),
}
"""Loss → CatBoost's name for it, the metric that stops it, and 1 where more of that is better."""
OF_THE_RUN = ("model_guid", "train_finish_time")
"""What CatBoost writes into a file that is of the run, not of the model: equal models would be unequal files."""
ENCODING, TASK, CLASSES = "platform_ml_encoding", "platform_ml_task", "platform_ml_classes"


@dataclass(frozen=True, kw_only=True)
class CatBoost(EveryColumn):
    """Boosted symmetric trees with ordered statistics of categories (Prokhorenkova et al. 2018), stopped early.

    A binary label is stopped by the area under the ROC curve, a ranking by NDCG@10, others by what their loss is about.
    Needs `pip install 'platform_ml[catboost]'`.
    """

    name: ClassVar[str] = "catboost"
    complexity: ClassVar[Complexity] = Complexity.TREES

    depth: int | Whole = Whole(4, 8)
    learning_rate: float | Between = Between(0.02, 0.3, log=True)
    l2_leaf_reg: float | Between = Between(1.0, 30.0, log=True)
    random_strength: float | Between = Between(0.1, 10.0, log=True)
    subsample: float | Between = Between(0.5, 1.0)
    rsm: float | Between = Between(0.4, 1.0)
    """The share of features that is looked at for each split."""
    border_count: int | Whole = 254
    max_rounds: int = 1_000
    early_stopping_rounds: int = 50
    loss: str | None = field(default=None, metadata=ADDED)
    """As for XGBoost: "log", "squared", "absolute", "softmax" or "ndcg" (YetiRank); None: whichever fits the label."""

    def __post_init__(self) -> None:
        check_limits(self, LIMITS, above=("learning_rate", "subsample", "rsm"))
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
    ) -> SymmetricTrees:
        """Boost until `early_stopping_rounds` rounds bring nothing better on `validation`, and keep the best round."""
        catboost = library("catboost", extra="catboost", user="CatBoost")
        settings = dict(params)
        objective, watched, sign = OBJECTIVES[settings.pop("loss", None) or USUAL[train.task]]
        rounds, patience = settings.pop("max_rounds"), settings.pop("early_stopping_rounds")
        encoding, learn, judge = _pools(catboost, train, validation)
        model = catboost.CatBoost(
            settings
            | {
                "iterations": rounds,
                "loss_function": objective,
                "eval_metric": watched,
                "od_type": "Iter",
                "od_wait": patience,
                "use_best_model": True,
                "bootstrap_type": "Bernoulli",
                "random_seed": seed,
                "thread_count": THREADS,
                "allow_writing_files": False,
                "logging_level": "Silent",
            }
            | ({"classes_count": len(train.classes)} if train.task is MULTICLASS else {})
        )
        heard = _Reporter(report, watched, sign)
        model.fit(learn, eval_set=judge, callbacks=[heard])
        if heard.stopped_by is not None:
            raise heard.stopped_by
        said = model.get_metadata()
        for key in OF_THE_RUN:
            said[key] = ""
        said[ENCODING], said[TASK] = encoding.to_json(), str(train.task)
        if train.classes:
            said[CLASSES] = json.dumps(train.classes)
        return SymmetricTrees(model=model, encoding=encoding, task=train.task, classes=train.classes)

    def load(self, file: Path, features: Sequence[str]) -> SymmetricTrees:
        """Read a native file, which cannot run code."""
        catboost = library("catboost", extra="catboost", user="CatBoost")
        model = catboost.CatBoost()
        try:
            model.load_model(str(file))
        except catboost.CatBoostError as error:
            raise StoreError(f"{file} is no CatBoost model ({error}). Materialize the model again.") from error
        said = model.get_metadata()
        encoding = Encoding.from_json(file, said.get(ENCODING, ""))
        encoding.check(file, features)
        classes = tuple(json.loads(said.get(CLASSES, "[]")))
        return SymmetricTrees(model=model, encoding=encoding, task=Task(said[TASK]), classes=classes)


@dataclass(frozen=True, kw_only=True)
class SymmetricTrees(Encoded):
    """Fitted trees, cut off after the best round."""

    explained_by: ClassVar[str] = TREE_SHAP

    model: Any
    task: Task
    classes: tuple[str, ...] = ()
    """Which class each probability is of."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, the number, or a score to rank by; (n, classes) probabilities."""
        import numpy as np

        if not rows.num_rows:
            return nothing(self.classes)
        kind = "Probability" if self.task.in_classes else "RawFormulaVal"
        found = self.model.predict(self._pool(rows), prediction_type=kind, thread_count=THREADS)
        return np.asarray(found[:, 1] if self.task is BINARY else found, dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.cbm`, CatBoost's own format; how rows are encoded is part of its metadata."""
        file = folder / "model.cbm"
        self.model.save_model(str(file), format="cbm")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) SHAP values; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Exact SHAP values in log odds, in the label's unit or in that of the score: Lundberg et al. (2020)."""
        import numpy as np

        found = self.model.get_feature_importance(self._pool(rows), type="ShapValues", thread_count=THREADS)
        outputs = len(self.classes) if self.task is MULTICLASS else 1
        found = found.reshape(rows.num_rows, outputs, -1).swapaxes(1, 2)
        ordered = np.empty((rows.num_rows, len(self.encoding.features), outputs))
        ordered[:, _order(self.encoding)] = found[:, :-1]
        return Attribution(values=ordered, base=found[:, -1], unit=unit_of(self.task))

    def onnx(self) -> bytes:
        """The same trees as an ONNX graph; `NotPortable` with categories, which ONNX has no statistics for."""
        from pathlib import Path
        from tempfile import TemporaryDirectory

        from platform_ml.families.graphs import finished, refuse_categories

        refuse_categories("CatBoost", self.encoding)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            self.model.save_model(str(file), format="onnx")
            return finished(file.read_bytes(), self.encoding, self.task)

    def _pool(self, rows: pa.Table) -> Any:
        catboost = library("catboost", extra="catboost", user="CatBoost")
        return catboost.Pool(_data(catboost, self.encoding, self.inputs(rows)))


class _Reporter:
    """Passes scores on; what a report raises would be lost in the library, so it is kept for later."""

    def __init__(self, report: Callable[[int, float], None] | None, watched: str, sign: int) -> None:
        self.report, self.watched, self.sign = report, watched, sign
        self.stopped_by: BaseException | None = None

    def after_iteration(self, info: Any) -> bool:
        if self.report is None:
            return True
        try:
            self.report(info.iteration - 1, self.sign * float(info.metrics["validation"][self.watched][-1]))
        except BaseException as error:  # noqa: BLE001 - raised again by `fit`
            self.stopped_by = error
            return False
        return True


def _order(encoding: Encoding) -> list[int]:
    """Where CatBoost's columns are among the features: numbers come first."""
    numbers = [place for place in range(len(encoding.features)) if place not in encoding.categories]
    return numbers + list(encoding.categories)


def _data(catboost: Any, encoding: Encoding, values: NDArray[np.float32]) -> Any:
    """The encoded rows; a missing category is one of its own."""
    import numpy as np

    if not encoding.categories:
        return catboost.FeaturesData(num_feature_data=values)
    names = np.array([*(str(place).encode() for place in range(max(map(len, encoding.levels.values())))), b"-"], object)
    codes = np.nan_to_num(values[:, list(encoding.categories)], nan=-1).astype(np.int64)
    numbers = [place for place in range(values.shape[1]) if place not in encoding.categories]
    return catboost.FeaturesData(
        num_feature_data=np.ascontiguousarray(values[:, numbers]) if numbers else None, cat_feature_data=names[codes]
    )


def _labels(rows: Told, kind: Any) -> dict[str, Any]:
    """What a pool is told of its rows."""
    import numpy as np

    label = rows.label.astype(kind)
    if rows.sizes is None:
        return {"label": label, "weight": rows.weight}
    weight = None if rows.group_weight is None else np.repeat(rows.group_weight, rows.sizes)
    return {"label": label, "group_id": rows.group, "group_weight": weight}


def _pools(catboost: Any, train: Rows, validation: Rows) -> tuple[Encoding, Any, Any]:
    """The rows of both splits as CatBoost takes them; what was built once for these rows is used again."""
    import numpy as np

    key = "catboost"
    # Classes that are floats cannot be exported.
    kind: Any = np.float64 if train.task in {REGRESSION, RANKING} else np.int64
    if key not in train.cache:
        check_label(train, "train")
        encoding, values = Encoding.of(train.features)
        said = told(train, values)
        pool = catboost.Pool(_data(catboost, encoding, said.arranged(values)), **_labels(said, kind))
        train.cache[key] = encoding, pool
    encoding, learn = train.cache[key]
    made_for, judge = validation.cache.get(key, (None, None))
    if made_for is not learn:
        check_label(validation, "validation")
        values = encoding.matrix(validation.features)
        said = replace(told(validation, values), weight=None)
        judge = catboost.Pool(_data(catboost, encoding, said.arranged(values)), **_labels(said, kind))
        validation.cache[key] = (learn, judge)
    return encoding, learn, judge
