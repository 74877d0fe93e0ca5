"""A family that learns how far a rule is off, as a share of what the rule says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.inputs import check_label
from platform_ml.families.members import Members, Part, pack, task_in, unpacked
from platform_ml.spec.complexity import Complexity, complexity_of
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.space import settings_of
from platform_ml.spec.task import REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Family, Predictor, Rows

RULE, FAMILY = "rule", "family"


@dataclass(frozen=True, kw_only=True)
class RelativeTo:
    """`family` learns label / `rule`, and what it predicts is multiplied by the rule: a multiplicative offset.

    RelativeTo(rule=PowerLaw(...), family=XGBoost(loss="absolute")): trees say the same far beyond what they saw, and
    need many splits for what the rule knows. It is what an exposure is to a generalized linear model (McCullagh and
    Nelder 1989), and the base margin to XGBoost under a logarithmic link. Losses are of shares: a row counts by how far
    off it is for its size. Ranges of the family are searched as `family.max_depth`.

    The rule is asked of every row. Where it says nothing above 0, the mean label of the training rows stands for it, so
    that the family learns those rows on one scale. Rules have words of their own for what they lack (see `PowerLaw`).

    SHAP values of shares are not those of the product: such a model is explained by sampling.
    """

    name: ClassVar[str] = "relative_to"
    tasks: ClassVar[tuple[Task, ...]] = (REGRESSION,)

    rule: Family
    """What is fitted first: best a rule of thumb, or whatever predicts numbers above 0."""
    family: Family

    def __post_init__(self) -> None:
        for what, one in ((RULE, self.rule), (FAMILY, self.family)):
            if REGRESSION not in one.tasks:
                raise DeclarationError(f"RelativeTo: {what} {one.name!r} does not learn numbers. Use one that does.")

    @property
    def complexity(self) -> Complexity:
        """That of the less simple one."""
        return max(complexity_of(self.rule), complexity_of(self.family))

    def columns(self) -> tuple[str, ...] | None:
        """What one of both uses; None where one of them uses all."""
        rule, family = self.rule.columns(), self.family.columns()
        return None if rule is None or family is None else tuple(dict.fromkeys((*rule, *family)))

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Relative:
        """Fit the rule, then the family on shares of it; reports are of shares."""
        check_label(train, "train")
        rule = self.rule.fit(train, validation, params=settings_of(RULE, params), seed=seed)
        usual = float(abs(train.label).mean())
        family = self.family.fit(
            _shares(train, _scale(rule, train.features, usual)),
            _shares(validation, _scale(rule, validation.features, usual)),
            params=settings_of(FAMILY, params),
            seed=seed,
            report=report,
        )
        return Relative(names=(RULE, FAMILY), members=(rule, family), task=train.task, classes=(), usual=usual)

    def load(self, file: Path, features: Sequence[str]) -> Relative:
        """Read both by their own families."""
        with unpacked(file, [RULE, FAMILY]) as (plain, files):
            task, _ = task_in(file, plain)
            members = self.rule.load(files[RULE], features), self.family.load(files[FAMILY], features)
            usual = plain.get("usual")
            if not isinstance(usual, float) or not 0 < usual < math.inf:
                raise StoreError(f"{file} does not say what stands for the rule. Materialize the model again.")
            return Relative(names=(RULE, FAMILY), members=members, task=task, classes=(), usual=usual)


@dataclass(frozen=True, kw_only=True)
class Relative(Members):
    """A fitted rule, and a model of shares of it."""

    usual: float
    """The mean size of the training labels: stands for the rule where it says nothing above 0."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the rule times the share."""
        rule, family = self.members
        return _scale(rule, rows, self.usual) * family.predict(rows)

    def save(self, folder: Path) -> Path:
        """Write `model.tar` with the native files of both."""
        plain = {"task": str(self.task), "classes": self.classes, "usual": self.usual}
        return pack(folder / "model.tar", dict(zip(self.names, self.members, strict=True)), plain)

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """None: a feature moves the rule and the share of it, and the two are multiplied."""
        return None

    def onnx(self) -> bytes:
        """Both graphs and their product as one; `NotPortable` where the rule has none."""
        import numpy as np

        from platform_ml.families import graphs

        members, encoding = self.graphs()

        def combine(onnx: Any, names: Sequence[str]) -> tuple[list[Any], list[Any]]:
            node = onnx.helper.make_node
            values = {"nothing": 0.0, "usual": self.usual}
            tensors = [onnx.numpy_helper.from_array(np.asarray(one, np.float32), name) for name, one in values.items()]
            rule, share = names
            nodes = [
                node("Greater", [rule, "nothing"], ["said"]),
                node("Where", ["said", rule, "usual"], ["scale"]),
                node("Mul", ["scale", share], [graphs.OUTPUT]),
            ]
            return nodes, tensors

        return graphs.joined(members, combine, encoding, self.task)


def _scale(rule: Predictor, rows: pa.Table, usual: float) -> NDArray[np.float64]:
    """(n,) what the rule says, above 0 and finite."""
    import numpy as np

    said = rule.predict(rows)
    found: NDArray[np.float64] = np.where(np.isfinite(said) & (said > 0), said, usual)
    return found


def _shares(rows: Rows, scale: NDArray[np.float64]) -> Part:
    """The rows with the label as a share; what was made for these shares is used again, with its matrices."""
    import numpy as np

    label = rows.label / scale
    kept: Part | None = rows.cache.get(RelativeTo.name)
    if kept is None or not np.array_equal(kept.label, label):
        kept = rows.cache[RelativeTo.name] = Part(
            features=rows.features,
            label=label,
            entity=rows.entity,
            task=rows.task,
            weight=rows.weight,
            classes=rows.classes,
            group=rows.group,
        )
    return kept
