"""What is measured, and the plain numbers that come of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.clusters import ClusterScore
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.explanation import Explanation, Explanations
from platform_ml.spec.fingerprint import ADDED, PROSE, digest
from platform_ml.spec.intervals import IntervalScore
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.slicing import FOUND, SUPPORT, Period, Slicing, WeakSlices, check_period, check_slicing, name_of
from platform_ml.spec.task import BINARY, CLUSTERING, RANKING, check_task

if TYPE_CHECKING:
    from platform_ml.spec.metric import Metric
    from platform_ml.spec.tuned_model import TunedModel

CONFIDENCE = 0.95
CHAMPION = "champion"
"""The alias of the model in use, and what it is called among baselines."""
LATER = (
    "classes",
    "groups",
    "ablations",
    "evidence",
    "meanings",
    "min_rows",
    "periods",
    "weak_slices",
    "explanations",
    "intervals",
    "clusters",
)
"""Fields of a result that are not written where they are empty, so that numbers from before keep their digest."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Metrics on every split, on slices of the test rows, and against the model's baselines."""

    name: str
    description: str = field(metadata=PROSE)
    model: TunedModel
    metrics: tuple[Metric, ...]
    """The first one is the one that slices are compared by."""
    slices: tuple[Slicing, ...] = ()
    """Helper columns of the view, each of whose values is a slice, pairs of them, and bands of numbers."""
    resamples: int = 1_000
    """Bootstrap resamples of entities behind every interval."""
    threshold: float | None = field(default=None, metadata=ADDED)
    """From which prediction of a binary label on a row is selected; gates on selection need it."""
    champion: str = field(default="", metadata=ADDED)
    """Name of the registration whose model in use is measured on the same test rows; empty: none is."""
    min_rows: int = field(default=SUPPORT, metadata=ADDED)
    """Slices and periods of fewer test rows are not measured: they are reported as not enough data."""
    periods: Period | None = field(default=None, metadata=ADDED)
    """Test rows are also measured by such periods of their event time; None: they are not."""
    weak_slices: WeakSlices | None = field(default=None, metadata=ADDED)
    """How slices are looked for that nobody thought of; None: they are not."""
    explanation: Explanation = field(default=Explanation(), metadata=ADDED)
    """How many rows are looked at to explain the model, and how."""

    def __post_init__(self) -> None:
        check_name("Evaluation", self.name)
        where = f"Evaluation {self.name!r}"
        check_unique(where, "metric", [metric.name for metric in self.metrics])
        for slicing in self.slices:
            check_slicing(self.model.dataset.view, slicing)
        check_unique(where, "slices by", self.sliced_by)
        check_period(where, self.periods)
        if not self.metrics:
            raise DeclarationError(f"{where} has no metrics.")
        for metric in self.metrics:
            check_task(where, f"metric {metric.name!r}", [metric.task], self.model.task)
        if self.min_rows < 1:
            raise DeclarationError(f"{where}: min_rows is {self.min_rows}; it is 1 or more.")
        if self.weak_slices is not None and self.model.task in {RANKING, CLUSTERING}:
            raise DeclarationError(f"{where}: rows of a {self.model.task} have no error of their own: no weak slices.")
        if self.champion:
            check_name(f"{where}, champion", self.champion)
            if CHAMPION in {baseline.name for baseline in self.model.baselines}:
                raise DeclarationError(f"{where}: a baseline is named {CHAMPION!r}, as the model in use is. Rename it.")
        if self.threshold is not None:
            check_task(where, "a threshold", [BINARY], self.model.task)
            if not math.isfinite(self.threshold):
                raise DeclarationError(f"{where}: threshold {self.threshold} is no number.")

    @property
    def sliced_by(self) -> list[str]:
        """What its slices are called by: Slice.column."""
        return [name_of(slicing) for slicing in self.slices]

    def metric(self, name: str) -> Metric:
        """The metric of this name."""
        return next(metric for metric in self.metrics if metric.name == name)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 95 % bootstrap interval; NaN never gets in, `None` says that it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for name, number in (("value", self.value), ("low", self.low), ("high", self.high)):
            if number is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)

    def __str__(self) -> str:
        if self.value is None:
            return "not defined"
        interval = "" if self.low is None or self.high is None else f" [{self.low:.4f}, {self.high:.4f}]"
        return f"{self.value:.4f}{interval}"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a metric's number is."""

    unit: str
    definition: str
    """In one sentence."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Test rows that share a value of a column, of two, a period, or a rule; with too few rows nothing is defined."""

    column: str
    """What they share; `FOUND` where it is a rule that was found."""
    value: str
    rows: int
    mean: float | None
    """Of the label: the share of true, of the most frequent class, or the mean number; None without rows."""
    metrics: Mapping[str, Estimate]
    gap: Estimate
    """The slice's first metric minus that of all test rows, signed so that negative is worse."""

    @property
    def title(self) -> str:
        """How reports call it."""
        return self.value if self.column == FOUND else f"{self.column} = {self.value}"


@dataclass(frozen=True, kw_only=True)
class SplitScore:
    """How good the model is on one split."""

    rows: int
    mean: float | None
    """Of the label: the share of true, of the most frequent class, or the mean number; None without rows."""
    first: str
    last: str
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True, kw_only=True)
class BaselineScore:
    """How good a baseline is on the test rows, and by how much the model is better."""

    metrics: Mapping[str, Estimate]
    lead: Mapping[str, Estimate]
    """Model minus baseline, paired on the same rows, signed so that positive is better."""


@dataclass(frozen=True, kw_only=True)
class Importance:
    """How much a feature moves the predictions on test rows."""

    feature: str
    mean_abs_shap: float
    meaning: str


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """How good the model is on one class of the test rows, the likeliest class of a row being its prediction."""

    name: str
    rows: int
    """That are of it."""
    predicted: tuple[int, ...]
    """How many of these rows are predicted as each class: a row of the confusion matrix."""
    precision: float | None
    """The share of rows predicted as it that are of it; None where there are none."""
    recall: float | None
    f1: float | None
    roc_auc: float | None
    """How well its probability tells it from all others."""
    intervals: Mapping[str, Estimate] = field(default_factory=lambda: MappingProxyType({}), metadata=ADDED)
    """precision, recall, f1 and roc_auc with their intervals."""


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """Everything that gates are judged on and a card prints: plain numbers, bound to one model and one dataset."""

    model: str
    """Name of the model."""
    cutoff: str
    model_digest: str
    dataset_digest: str
    policy_digest: str
    """Fingerprint of the declared evaluation."""
    splits: Mapping[str, SplitScore]
    slices: tuple[Slice, ...]
    baselines: Mapping[str, BaselineScore]
    importance: tuple[Importance, ...]
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    """Named point lists for plots: calibration and score_histogram; roc and baseline_roc_<name>, or residuals.

    Of a ranking ndcg_at and ndcg_by_size instead, each also as baseline_<curve>_<name>.
    """
    latency_ms: Mapping[str, float]
    """p50, p95, p99 of predicting one row."""
    size_bytes: int
    goals: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Metric name → maximize or minimize."""
    titles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Metric name → the name that is printed."""
    task: str = BINARY
    """What learning the label is."""
    unseen: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Feature → test rows with a category that training never saw."""
    residuals: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Of numbers: statistics of prediction minus truth on the test rows, in the label's unit."""
    classes: tuple[ClassScore, ...] = ()
    """Of several classes: each of them, in the order of the model's probabilities."""
    groups: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Of a ranking: what groups the test rows are in."""
    ablations: Mapping[str, BaselineScore] = field(default_factory=lambda: MappingProxyType({}))
    """Name → how good the model is without some of its features, and by how much it is better with them."""
    evidence: Evidence | None = None
    """What only gates read; None in numbers that were written before there was any."""
    meanings: Mapping[str, Meaning] = field(default_factory=lambda: MappingProxyType({}))
    """Metric name → what its number is."""
    min_rows: int = 0
    """Slices and periods of fewer test rows were not measured."""
    periods: tuple[Slice, ...] = ()
    """Of the test rows, the earliest first."""
    weak_slices: tuple[Slice, ...] = ()
    """Rules that were found on validation rows, measured on test rows; the worst of validation first."""
    explanations: Explanations | None = None
    """Why the model predicts what it does; None in numbers that were written before, and without test rows."""
    intervals: IntervalScore | None = None
    """How often the ranges of the predictions held the truth; None: the model has none."""
    clusters: ClusterScore | None = None
    """Of rows without a label: the groups that they are put into."""

    @property
    def digest(self) -> str:
        """What verdicts are bound to: the judged numbers, without the timings that differ on every run."""
        plain = self.to_json()
        plain.pop("latency_ms")
        return digest(plain)

    def test(self, metric: str) -> Estimate:
        """A metric on the test rows; not defined when the evaluation does not have it."""
        return self.splits["test"].metrics.get(metric, Estimate(value=None))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        plain = {name: _plain(value) for name, value in values.items()}
        return {name: value for name, value in plain.items() if value or name not in LATER}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        values = dict(plain)
        values["splits"] = {k: SplitScore(**_scored(v)) for k, v in plain["splits"].items()}
        for kind in {"slices", "periods", "weak_slices"} & plain.keys():
            values[kind] = tuple(Slice(**_scored(v) | {"gap": Estimate(**v["gap"])}) for v in plain[kind])
        values["meanings"] = {name: Meaning(**v) for name, v in plain.get("meanings", {}).items()}
        for rivals in ("baselines", "ablations"):
            values[rivals] = {
                name: BaselineScore(metrics=_estimates(v["metrics"]), lead=_estimates(v["lead"]))
                for name, v in plain.get(rivals, {}).items()
            }
        values["classes"] = tuple(
            ClassScore(
                **one | {"predicted": tuple(one["predicted"]), "intervals": _estimates(one.get("intervals", {}))}
            )
            for one in plain.get("classes", ())
        )
        if plain.get("evidence"):
            values["evidence"] = Evidence.from_json(plain["evidence"])
        if plain.get("explanations"):
            values["explanations"] = Explanations.from_json(plain["explanations"])
        if plain.get("intervals"):
            values["intervals"] = IntervalScore.from_json(plain["intervals"])
        if plain.get("clusters"):
            values["clusters"] = ClusterScore.from_json(plain["clusters"])
        values["importance"] = tuple(Importance(**v) for v in plain["importance"])
        values["curves"] = {name: tuple((x, y) for x, y in points) for name, points in plain["curves"].items()}
        return cls(**values)


def _estimates(plain: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate(**value) for name, value in plain.items()}


def _scored(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that were written before labels could be numbers have a count of positives for the mean."""
    values = dict(plain) | {"metrics": _estimates(plain["metrics"])}
    if "positives" in values:
        values["mean"] = values.pop("positives") / plain["rows"] if plain["rows"] else None
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Estimate | Importance):
        return asdict(value)
    if hasattr(value, "__dataclass_fields__"):
        named = {item.name: (getattr(value, item.name), item.metadata.get("added")) for item in fields(value)}
        return {name: _plain(held) for name, (held, added) in named.items() if held or not added}
    return value
