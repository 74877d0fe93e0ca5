"""Gradient-boosted trees that grow by leaf."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.encoding import Encoded, Encoding
from platform_ml.families.inputs import check_label, nothing, told
from platform_ml.families.limits import check_limits
from platform_ml.families.losses import LOSSES, USUAL, check_loss, tasks_of
from platform_ml.families.threads import threads
from platform_ml.spec.attribution import TREE_SHAP, Attribution, unit_of
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.libraries import library
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import MULTICLASS, RANKING, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.families.inputs import Told
    from platform_ml.spec.family import Rows

LIMITS = {
    "num_leaves": (2, 131_072),
    "learning_rate": (0, 1),
    "min_child_samples": (1, float("inf")),
    "subsample": (0, 1),
    "colsample_bytree": (0, 1),
    "reg_lambda": (0, float("inf")),
    "reg_alpha": (0, float("inf")),
    "max_bin": (2, 65_535),
    "max_rounds": (1, float("inf")),
    "early_stopping_rounds": (1, float("inf")),
}
OBJECTIVES: Mapping[str, tuple[str, str, int]] = {
    "log": ("binary", "auc", 1),
    "squared": ("regression", "rmse", -1),
    "absolute": ("regression_l1", "l1", -1),
    "softmax": ("multiclass", "multi_logloss", -1),
    "ndcg": ("lambdarank", "ndcg", 1),
}
"""Loss → LightGBM's name for it, the metric that stops it, and 1 where more of that is better."""
MARK = "platform_ml_encoding:"
"""The line of the model's file that says how rows are encoded; LightGBM passes over it."""
CLASSES = "platform_ml_classes:"
"""The line before it that says which class each probability is of, where there are classes."""
GAINS = "lightgbm gains"


@dataclass(frozen=True, kw_only=True)
class LightGBM(EveryColumn):
    """Boosted trees grown leaf by leaf (Ke et al. 2017), stopped early on validation rows; takes categories and nulls.

    A binary label is stopped by the area under the ROC curve, a ranking by NDCG@10, others by what their loss is about.
    Needs `pip install 'platform_ml[lightgbm]'`.
    """

    name: ClassVar[str] = "lightgbm"
    complexity: ClassVar[Complexity] = Complexity.TREES

    num_leaves: int | Whole = Whole(8, 128, log=True)
    learning_rate: float | Between = Between(0.02, 0.3, log=True)
    min_child_samples: int | Whole = Whole(5, 200, log=True)
    subsample: float | Between = Between(0.5, 1.0)
    colsample_bytree: float | Between = Between(0.4, 1.0)
    reg_lambda: float | Between = Between(0.1, 30.0, log=True)
    reg_alpha: float | Between = Between(0.001, 10.0, log=True)
    max_bin: int | Whole = 255
    max_rounds: int = 1_000
    early_stopping_rounds: int = 50
    loss: str | None = field(default=None, metadata=ADDED)
    """As for XGBoost: "log", "squared", "absolute", "softmax" or "ndcg"; None: whichever fits the label."""

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
    ) -> LeafwiseTrees:
        """Boost until `early_stopping_rounds` rounds bring nothing better on `validation`, and keep the best round."""
        lgb = library("lightgbm", extra="lightgbm", user="LightGBM")
        settings = dict(params)
        rounds, patience = settings.pop("max_rounds"), settings.pop("early_stopping_rounds")
        objective, watched, sign = OBJECTIVES[settings.pop("loss", None) or USUAL[train.task]]
        encoding, learn, judge = _datasets(lgb, train, validation, settings["max_bin"])
        callbacks = [lgb.early_stopping(patience, verbose=False)]
        if report is not None:

            def heard(env: Any) -> None:
                report(env.iteration, sign * float(env.evaluation_result_list[0][2]))

            heard.order = 0  # type: ignore[attr-defined] # before early stopping ends the training
            callbacks.append(heard)
        booster = lgb.train(
            settings
            | _fixed(settings["max_bin"])
            | {"objective": objective, "metric": watched, "seed": seed}
            | _of_task(train),
            learn,
            num_boost_round=rounds,
            valid_sets=[judge],
            callbacks=callbacks,
        )
        text = booster.model_to_string(num_iteration=booster.best_iteration)
        return LeafwiseTrees(
            text=text,
            booster=lgb.Booster(model_str=text),
            encoding=encoding,
            task=train.task,
            classes=train.classes,
        )

    def load(self, file: Path, features: Sequence[str]) -> LeafwiseTrees:
        """Read a native file, which cannot run code."""
        lgb = library("lightgbm", extra="lightgbm", user="LightGBM")
        text, mark, encoded = file.read_text(encoding="utf-8", errors="replace").rpartition(MARK)
        if not mark or not text.startswith("tree\n"):
            raise StoreError(f"{file} is no LightGBM model that was saved here. Materialize the model again.")
        encoding = Encoding.from_json(file, encoded)
        encoding.check(file, features)
        before, there, classes = text.rpartition(CLASSES)
        text = before if there else text
        try:
            booster = lgb.Booster(model_str=text)
        except lgb.basic.LightGBMError as error:
            raise StoreError(f"{file} is no LightGBM model ({error}). Materialize the model again.") from error
        objective = text.partition("\nobjective=")[2].split()[0]
        task = next(LOSSES[loss] for loss, (name, _, _) in OBJECTIVES.items() if name == objective)
        named = tuple(json.loads(classes)) if there else ()
        return LeafwiseTrees(text=text, booster=booster, encoding=encoding, task=task, classes=named)


@dataclass(frozen=True, kw_only=True)
class LeafwiseTrees(Encoded):
    """Fitted trees, cut off after the best round."""

    explained_by: ClassVar[str] = TREE_SHAP

    text: str
    booster: Any
    task: Task
    classes: tuple[str, ...] = ()
    """Which class each probability is of."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, the number, or a score to rank by; (n, classes) probabilities."""
        import numpy as np

        values = self.inputs(rows)
        if not len(values):
            return nothing(self.classes)
        return np.asarray(self.booster.predict(values, num_threads=threads()), dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.txt`, LightGBM's own format, with one more line that says how rows are encoded."""
        file = folder / "model.txt"
        classes = f"{CLASSES}{json.dumps(self.classes)}\n" if self.classes else ""
        file.write_text(f"{self.text}{classes}{MARK}{self.encoding.to_json()}", encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) SHAP values; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Exact SHAP values in log odds, in the label's unit or in that of the score: Lundberg et al. (2020)."""
        import numpy as np

        with_bias = self.booster.predict(self.inputs(rows), pred_contrib=True, num_threads=threads())
        outputs = len(self.classes) if self.task is MULTICLASS else 1
        found = np.asarray(with_bias, dtype=np.float64).reshape(rows.num_rows, outputs, -1).swapaxes(1, 2)
        return Attribution(values=found[:, :-1], base=found[:, -1], unit=unit_of(self.task))

    def onnx(self) -> bytes:
        """The same trees as an ONNX graph; `NotPortable` where a split tells categories apart."""
        from platform_ml.families.graphs import converted, refuse_categories

        refuse_categories("LightGBM", self.encoding)
        return converted("convert_lightgbm", self.booster, self.encoding, self.task, zipmap=False)


def _fixed(max_bin: int) -> dict[str, Any]:
    """What makes it repeatable and quiet, and lets one binned dataset serve every trial."""
    return {
        "max_bin": max_bin,
        "num_threads": threads(),
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "bagging_freq": 1,
        "verbosity": -1,
    }


def _of_task(train: Rows) -> dict[str, Any]:
    """What only such a label needs."""
    if train.task is RANKING:
        return {"label_gain": train.cache[GAINS], "eval_at": [10]}
    return {"num_class": len(train.classes)} if train.task is MULTICLASS else {}


def _labels(rows: Told, gains: Sequence[float] | None) -> dict[str, Any]:
    """What a dataset is told of its rows; a relevance is the place of its gain, which need be no whole number."""
    import numpy as np

    if rows.sizes is None or gains is None:
        return {"label": rows.label, "weight": rows.weight}
    weight = None if rows.group_weight is None else np.repeat(rows.group_weight, rows.sizes)
    places = np.searchsorted(gains[1:], rows.label, side="right")
    return {"label": places, "weight": weight, "group": rows.sizes}


def _shape(encoding: Encoding, max_bin: int) -> dict[str, Any]:
    return {
        "feature_name": [f"f{place}" for place in range(len(encoding.features))],
        "categorical_feature": list(encoding.categories),
        "params": _fixed(max_bin),
    }


def _datasets(lgb: Any, train: Rows, validation: Rows, max_bin: int) -> tuple[Encoding, Any, Any]:
    """The binned rows of both splits; what was built once for these rows is used again."""
    import numpy as np

    key = f"lightgbm max_bin={max_bin}"
    if key not in train.cache:
        check_label(train, "train")
        encoding, values = Encoding.of(train.features)
        said = told(train, values)
        if train.task is RANKING:
            train.cache[GAINS] = np.unique(train.label).tolist()
        label = _labels(said, train.cache.get(GAINS))
        binned = lgb.Dataset(said.arranged(values), **label, **_shape(encoding, max_bin))
        train.cache[key] = encoding, binned.construct()
    encoding, learn = train.cache[key]
    binned_for, judge = validation.cache.get(key, (None, None))
    if binned_for is not learn:
        check_label(validation, "validation")
        values = encoding.matrix(validation.features)
        said = replace(told(validation, values), weight=None)
        label = _labels(said, train.cache.get(GAINS))
        judge = lgb.Dataset(said.arranged(values), reference=learn, **label, **_shape(encoding, max_bin)).construct()
        validation.cache[key] = (learn, judge)
    return encoding, learn, judge
