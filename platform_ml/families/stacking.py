"""A model that learns from what other models predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.inputs import check_label
from platform_ml.families.linear import Linear
from platform_ml.families.members import Members, Part, check_members, named, pack, task_in, unpacked, widths
from platform_ml.spec.errors import DeclarationError, NotPortable, RowsError
from platform_ml.spec.family import Portable
from platform_ml.spec.space import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Family, Predictor, Rows
    from platform_ml.spec.task import Task

FINAL = "final"
LAST = Linear()
"""The usual final family: weights of the members."""


@dataclass(frozen=True, kw_only=True)
class Stacking(EveryColumn):
    """A final family that is fitted on the members' predictions (Wolpert 1992, Stacked generalization).

    It learns from predictions for rows that the member never saw: the training rows are parted into folds, all rows of
    an entity in one of them, and each fold is predicted by members fitted on the others. What is deployed are members
    fitted on all training rows. Ranges are searched together, as `xgboost.max_depth` and `final.penalty`.
    """

    name: ClassVar[str] = "stacking"

    members: tuple[Family, ...]
    final: Family = LAST
    folds: int = 5

    def __post_init__(self) -> None:
        check_members(self, self.members)
        check_members(self, (*self.members, self.final))
        if self.folds < 2:  # noqa: PLR2004 - one to learn from and one to predict
            raise DeclarationError(f"Stacking: folds={self.folds} leaves nothing to learn from. Use 2 or more.")

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What all members and the final family learn."""
        return check_members(self, (*self.members, self.final))

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Stacked:
        """Fit members on folds and on all rows, then the final family; there are no reports."""
        import numpy as np

        check_label(train, "train")
        members = named(self.members)
        held = _folds(train, params["folds"], seed)
        whole, guessed = [], []
        for name, member in members.items():
            own = settings_of(name, params)
            whole.append(member.fit(train, validation, params=own, seed=seed))
            shape = (len(train.label), len(train.classes)) if train.classes else len(train.label)
            found = np.empty(shape)
            for places, others in held:
                fitted = member.fit(others, validation, params=own, seed=seed)
                found[places] = fitted.predict(train.features.take(places))
            guessed.append(found)
        task, classes = train.task, train.classes
        learn = _as_rows(train, table(list(members), guessed, task=task, classes=classes))
        told = [one.predict(validation.features) for one in whole]
        judge = _as_rows(validation, table(list(members), told, task=task, classes=classes))
        final = self.final.fit(learn, judge, params=settings_of(FINAL, params), seed=seed)
        return Stacked(names=tuple(members), members=tuple(whole), final=final, task=task, classes=classes)

    def load(self, file: Path, features: Sequence[str]) -> Stacked:
        """Read each member, and the final model, by its own family."""
        members = named(self.members)
        with unpacked(file, [*members, FINAL]) as (plain, files):
            task, classes = task_in(file, plain)
            fitted = tuple(member.load(files[name], features) for name, member in members.items())
            columns = [f"{name}{width}" for name in members for width in widths(task, classes)]
            final = self.final.load(files[FINAL], columns)
            return Stacked(names=tuple(members), members=fitted, final=final, task=task, classes=classes)


@dataclass(frozen=True, kw_only=True)
class Stacked(Members):
    """Fitted members, and the model that predicts from their predictions."""

    final: Predictor

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """What the final model makes of the members' predictions."""
        found = [member.predict(rows) for member in self.members]
        return self.final.predict(table(self.names, found, task=self.task, classes=self.classes))

    def save(self, folder: Path) -> Path:
        """Write `model.tar` with the native file of each member and of the final model."""
        plain = {"task": str(self.task), "classes": self.classes}
        predictors = {**dict(zip(self.names, self.members, strict=True)), FINAL: self.final}
        return pack(folder / "model.tar", predictors, plain)

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """None: SHAP values of a chain of models are not those of its links."""
        return None

    def onnx(self) -> bytes:
        """The members' graphs and the final one as one graph."""
        import numpy as np

        from platform_ml.families import graphs

        members, encoding = self.graphs()
        if not isinstance(self.final, Portable):
            raise NotPortable("its final model has no ONNX graph")
        last = self.final.onnx()

        def combine(onnx: Any, names: Sequence[str]) -> tuple[list[Any], list[Any]]:
            node = onnx.helper.make_node
            width = np.asarray([-1, max(1, len(self.classes))], np.int64)
            tensors = [onnx.numpy_helper.from_array(width, "width")]
            nodes = [node("Reshape", [name, "width"], [f"column_{place}"]) for place, name in enumerate(names)]
            nodes.append(node("Concat", [f"column_{place}" for place in range(len(names))], ["predictions"], axis=1))
            part = graphs.prefixed(last, "final_", "predictions")
            nodes += [*part.node, node("Identity", [part.output[0].name], [graphs.OUTPUT])]
            return nodes, [*tensors, *part.initializer]

        return graphs.joined(members, combine, encoding, self.task)


def table(
    names: Sequence[str], predictions: Sequence[NDArray[np.float64]], *, task: Task, classes: tuple[str, ...]
) -> pa.Table:
    """The members' predictions as features: one column of each, of several classes one of each class."""
    import pyarrow as pa

    columns = {}
    for name, found in zip(names, predictions, strict=True):
        for place, width in enumerate(widths(task, classes)):
            columns[f"{name}{width}"] = pa.array(
                found.reshape(len(found), -1)[:, place] if len(found) else [], pa.float64()
            )
    return pa.table(columns)


def _as_rows(rows: Rows, features: pa.Table) -> Part:
    return Part(
        features=features,
        label=rows.label,
        entity=rows.entity,
        task=rows.task,
        weight=rows.weight,
        classes=rows.classes,
    )


def _folds(train: Rows, folds: int, seed: int) -> list[tuple[NDArray[np.int64], Part]]:
    """For each fold its places and all other rows; built once for these rows, with the matrices of the members."""
    import numpy as np

    key = f"stacking folds={folds} seed={seed}"
    if key not in train.cache:
        known, number = np.unique(train.entity, return_inverse=True)
        if len(known) < folds:
            raise RowsError(
                f"The train split has {len(known)} entities, too few for {folds} folds of them. Use fewer folds."
            )
        fold = (np.random.default_rng(seed).permutation(len(known)) % folds)[number]
        train.cache[key] = [
            (np.flatnonzero(fold == one), Part.of(train, np.flatnonzero(fold != one))) for one in range(folds)
        ]
    found: list[tuple[NDArray[np.int64], Part]] = train.cache[key]
    return found
