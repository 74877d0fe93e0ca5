"""How a model is explained on its test rows, and the plain numbers that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.task import Task

Known = str | float | None
"""A value of a feature as it is shown: a text, a number (of a list its length), or nothing."""


class Explainer(Protocol):
    """A way to divide what a model says of a row among the row's features, so that they add up."""

    name: ClassVar[str]

    @property
    def rule(self) -> str:
        """What it does, as a sentence for the card."""
        ...

    def suits(self, predictor: Predictor) -> bool:
        """Whether it can explain this model."""
        ...

    def most_rows(self, features: int, background: int) -> int | None:
        """How many rows it may explain at its declared cost; None: as many as are asked."""
        ...

    def explain(
        self, predictor: Predictor, rows: pa.Table, background: pa.Table, *, task: Task, seed: int
    ) -> Attribution:
        """Of each of the rows; equal arguments give equal bytes.

        Args:
            predictor: the model, which it suits.
            rows: (n, features) as they are in the dataset.
            background: what stands for rows of which a feature is not known.
            task: of the label.
            seed: of everything that is drawn.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How many rows are looked at to explain a model, and how: what bounds the time that it takes."""

    rows: int = 1_000
    """Test rows whose predictions are explained, evenly over the split; of a ranking whole groups."""
    background: int = 32
    """Rows that stand for all others: training rows for SHAP values by sampling, test rows for partial dependence."""
    repeats: int = 5
    """How often each feature is shuffled for its permutation importance."""
    features: int = 6
    """Of how many, the ones that move predictions most, dependence and interactions are shown."""
    worst: int = 10
    """How many of the worst errors are explained."""
    entities: bool = True
    """Whether the worst errors say which entity they are about; False: cards do not tell."""
    seed: int = 0
    """Changes everything that is drawn."""
    method: Explainer | None = None
    """None: SHAP values that the family itself has, else by sampling."""

    def __post_init__(self) -> None:
        least = {"rows": 1, "background": 2, "repeats": 1, "features": 1, "worst": 0, "seed": 0}
        for name, low in least.items():
            if (value := getattr(self, name)) < low:
                raise DeclarationError(f"Explanation: {name} is {value}. It has to be {low} or more.")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How one feature moves predictions."""

    feature: str
    mean_size: float
    """Of its SHAP values over the explained rows: how far it moves an output, up or down."""
    mean: float
    """The same with signs: whether it rather raises or lowers the output that is told of."""
    loss: float | None = None
    """Permutation importance: how much worse the first metric is once its values are shuffled; below 0: better."""
    low: float | None = None
    high: float | None = None
    """The 95 % interval of the loss."""


@dataclass(frozen=True, kw_only=True)
class SliceEffects:
    """How features move the predictions of the explained rows of one slice."""

    column: str
    value: str
    rows: int
    """Explained ones."""
    effects: tuple[Effect, ...]
    """None where there are too few rows."""


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """What two features move together beyond what each does alone."""

    first: str
    second: str
    strength: float
    """Mean size in the unit of the outputs."""
    share: float | None = None
    """Friedman's H squared: of the variance of what both move, the share that neither moves alone."""


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """The SHAP values of one feature, row by row."""

    feature: str
    points: tuple[tuple[Known, float], ...]
    """(value of the feature, how far it moved the output)."""


@dataclass(frozen=True, kw_only=True)
class Partial:
    """What the model predicts on average where a feature has one value in all rows (Friedman 2001)."""

    feature: str
    points: tuple[tuple[Known, float, float], ...]
    """(value, mean prediction, share of test rows that are nearest to this value)."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What one feature did to one prediction."""

    feature: str
    value: str
    """As it is shown."""
    by: float
    """How far it moved the output."""


@dataclass(frozen=True, kw_only=True)
class WorstError:
    """A test row that the model was most wrong about."""

    row: int
    """Its place in the test split."""
    entity: str
    """Empty where the declaration keeps it back."""
    moment: str
    """ISO 8601."""
    truth: Known
    prediction: Known
    """Of several classes the likeliest one."""
    error: float
    """How wrong: the distance, of classes what is missing to a probability of 1, of a ranking the lost gain."""
    output: str
    """Which output the features moved; empty: there is one."""
    moved: tuple[Moved, ...]
    """The ones that moved it most, the greatest first."""


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """Everything that is known of why a model predicts what it does, in plain numbers."""

    method: str
    rule: str
    unit: str
    """What outputs, and what moves them, are in."""
    output: str
    """Of several classes the one that signs, dependence and partial dependence are of; else empty."""
    rows: int
    """Test rows that were explained."""
    of: int
    """Test rows that there are."""
    background: int
    gap: float
    """The furthest that base and contributions of a row are from its prediction, in the unit of predictions."""
    leftover: float
    """The most of an output that the method left and that was divided among the features."""
    effects: tuple[Effect, ...]
    """The feature that moves predictions most comes first."""
    metric: str
    """Title of the metric of the permutation importance."""
    shuffled: int
    """How often each feature was shuffled."""
    slices: tuple[SliceEffects, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    """The strongest pair first."""
    interactions_by: str = ""
    """How they were measured, or why there are none, as a sentence."""
    dependence: tuple[Dependence, ...] = ()
    partial: tuple[Partial, ...] = ()
    worst: tuple[WorstError, ...] = ()

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `EvaluationResult.to_json` gave."""
        values = dict(plain)
        values["effects"] = tuple(Effect(**one) for one in plain["effects"])
        values["slices"] = tuple(
            SliceEffects(**one | {"effects": tuple(Effect(**of) for of in one["effects"])}) for one in plain["slices"]
        )
        values["interactions"] = tuple(Interaction(**one) for one in plain["interactions"])
        values["dependence"] = tuple(
            Dependence(feature=one["feature"], points=tuple((x, y) for x, y in one["points"]))
            for one in plain["dependence"]
        )
        values["partial"] = tuple(
            Partial(feature=one["feature"], points=tuple((x, y, share) for x, y, share in one["points"]))
            for one in plain["partial"]
        )
        values["worst"] = tuple(
            WorstError(**one | {"moved": tuple(Moved(**of) for of in one["moved"])}) for one in plain["worst"]
        )
        return cls(**values)
