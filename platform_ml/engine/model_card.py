"""The card of a model: everything that is known of it, from arguments alone, as Markdown, HTML and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.engine import card_text
from platform_ml.engine.card_content import content, jsonable
from platform_ml.engine.card_explanation_plots import explanation_plots
from platform_ml.engine.card_front_matter import front_matter
from platform_ml.engine.card_graph import graph_plot
from platform_ml.engine.card_interval_plot import interval_plots
from platform_ml.engine.card_plots import Plot, plots
from platform_ml.engine.card_room import room
from platform_ml.spec.errors import Refused
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

    from platform_ml.engine.card_change import Previous
    from platform_ml.engine.lineage import Sources
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.gate import Gate, Verdict
    from platform_ml.spec.model_card import ModelCard

SUMMARY_LIMIT = 60_000
"""Bytes of Markdown that Dagster's event log and pages carry with ease."""
SUMMARY_PLOTS = ("slices", "roc", "residuals", "intervals", "confusion", "ndcg_by_size", "importance")
"""Which pictures a summary shows, most telling first, as far as there is room."""


@dataclass(frozen=True, kw_only=True)
class TableUsed:
    """What was read of one table: enough to read the same again."""

    asset: str
    table: str
    version: int
    partitions: tuple[str, ...]
    rows: int
    content: str
    """Digest of the rows."""


@dataclass(frozen=True, kw_only=True)
class SplitRange:
    """One split of the dataset, from its manifest."""

    rows: int
    first: str
    """Earliest moment, ISO 8601."""
    last: str


@dataclass(frozen=True, kw_only=True)
class DatasetUsed:
    """The manifest of the training dataset, in short."""

    digest: str
    splits: Mapping[str, SplitRange]
    gap_days: int
    rule: str
    """The splitter as a sentence."""
    history_days: int
    windows_may_overlap: str | None = None
    not_point_in_time: tuple[str, ...] = ()
    """Groups without event time: joined as last known."""
    lookback_days: Mapping[str, int]
    """Feature → how far it looks back."""


@dataclass(frozen=True, kw_only=True)
class SearchDone:
    """What the tuner did."""

    trials: int
    pruned: int
    best_trial: int
    best_score: float
    """On the validation rows."""
    ended: str = ""
    """Why no further trial was run."""
    caveat: str = ""
    """Why another run of the same search may find otherwise."""


@dataclass(frozen=True, kw_only=True)
class ModelUsed:
    """The fitted model as it was published."""

    digest: str
    files: Mapping[str, str]
    """File name → sha256."""
    params: Mapping[str, Any]
    """As chosen by the search."""
    search: SearchDone
    onnx: str = "It was not written as an ONNX graph."
    """What came of writing it as one, as a sentence."""
    registered_as: str = ""
    """`name@alias` in the registry, for the case that every gate passes."""
    family: str = ""
    """Of those that competed, the one that became the model; empty: none competed."""
    advice: str = ""
    """Which kinds of models the number of training rows speaks for."""
    contest: Mapping[str, Any] | None = None
    """The leader board; None: no other family was declared."""
    cross_validation: Mapping[str, Any] | None = None
    """Scores of the folds; None: no folds were declared."""
    selection: Mapping[str, Any] = field(default_factory=dict)
    """Which selection chose the features, by which method; empty: all are used."""
    not_used: Mapping[str, str] = field(default_factory=dict)
    """Feature → why the model does not see it."""
    compute: Mapping[str, Any] = field(default_factory=dict)
    """Seconds that the search and the fit took, of CPU and of wall clock; empty: nobody measured."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Device and processor that it was fitted on."""


@dataclass(frozen=True, kw_only=True)
class CodeUsed:
    """The code that made it."""

    git_commit: str
    dirty: bool
    """Whether there were changes outside of the commit."""
    lock_hash: str
    """sha256 of the file that pins every library."""
    platform_version: str
    python_version: str
    fingerprint: str
    """Of the declaration."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a model comes from, down to table versions: with it the model can be made again."""

    tables: tuple[TableUsed, ...]
    dataset: DatasetUsed
    model: ModelUsed
    code: CodeUsed
    dagster_run_id: str
    mlflow_run_id: str
    created: str
    """When the model was made, ISO 8601."""
    project: str = ""
    owner: str = ""
    """Of the project."""
    sources: tuple[Sources, ...] = ()
    """The delivered files behind the dataset, source by source; `lineage.json` beside the card lists each."""
    reason: str = str(Reason.MANUAL)
    """Why it was trained: new_data, drift, degradation, schedule or manual."""
    reason_detail: str = ""
    """The same in a sentence, with numbers."""
    simulated: str = ""
    """Which of the sources a simulator wrote, in a sentence; empty: none."""


@dataclass(frozen=True, kw_only=True)
class RenderedCard:
    """One card in three forms with the same content."""

    markdown: str
    """With front matter as Hugging Face reads it; its pictures are the files of `plots`."""
    html: str
    """One file that needs no other."""
    json: Mapping[str, Any]
    plots: tuple[Plot, ...] = field(repr=False)
    """Of the numbers."""
    pedigree: Plot = field(repr=False)
    """From the sources to the model."""

    @property
    def files(self) -> dict[str, str]:
        """File name → text, to be published side by side."""
        written = {"README.md": self.markdown, "card.html": self.html}
        written["card.json"] = json.dumps(self.json, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return written | {f"{plot.name}.svg": plot.svg for plot in (*self.plots, self.pedigree)}


def render(
    card: ModelCard,
    *,
    result: EvaluationResult,
    verdicts: Sequence[Verdict],
    gates: Sequence[Gate],
    provenance: Provenance,
    previous: Previous | None = None,
) -> RenderedCard:
    """Write the card; equal arguments give equal bytes.

    `previous` is the version that was registered before; None: there was none.

    Raises:
        Refused: The evaluation is of another model, dataset or declaration than the card, or a verdict of other
            numbers.
    """
    _check_same(card, result, provenance)
    _check_bound(card, result, verdicts)
    known = jsonable(provenance)
    shown = content(card, result=result, verdicts=verdicts, gates=gates, provenance=known, previous=previous)
    pictures, drawn, pedigree = (
        (*plots(result, metric=shown["metric"]), *interval_plots(result)),
        explanation_plots(result),
        graph_plot(shown["graph"]),
    )
    templates, fitting = environment(), room(shown)
    named = {plot.name: plot for plot in pictures}
    beside = {"room": fitting, "pedigree": pedigree, "drawn": drawn}
    markdown = templates.get_template("card.md.j2").render(shown, plots=pictures, **beside)
    return RenderedCard(
        markdown=front_matter(shown) + markdown,
        html=templates.get_template("card.html.j2").render(shown, plots=named, **beside),
        json=shown,
        plots=(*pictures, *(plot for pair in drawn for plot in pair)),
        pedigree=pedigree,
    )


def dagster_markdown(rendered: RenderedCard) -> str:
    """Status, gates, metrics and a few pictures in one short text for the pages of Dagster, below 60 kB."""
    template = environment().get_template("summary.md.j2")
    known = {plot.name: plot for plot in rendered.plots}
    wanted = [known[name] for name in SUMMARY_PLOTS if name in known]
    while True:
        text = template.render(rendered.json, plots=wanted)
        if len(text.encode()) < SUMMARY_LIMIT or not wanted:
            return text
        wanted.pop()


def _check_same(card: ModelCard, result: EvaluationResult, provenance: Provenance) -> None:
    pairs = (
        ("model", result.model_digest, provenance.model.digest),
        ("dataset", result.dataset_digest, provenance.dataset.digest),
        ("declaration", result.policy_digest, fingerprint(card.evaluation)),
    )
    for what, evaluated, ours in pairs:
        if evaluated != ours:
            raise Refused(
                f"Model card {card.name!r}: the evaluation is of {what} {evaluated[:12]!r}, the card of {ours[:12]!r}. "
                f"Materialize {card.evaluation.name!r} again, then the card."
            )


def _check_bound(card: ModelCard, result: EvaluationResult, verdicts: Sequence[Verdict]) -> None:
    ours = (result.model_digest, result.dataset_digest, result.digest)
    for verdict in verdicts:
        if (bound := verdict.bound_to) and (bound.model, bound.dataset, bound.evaluation) != ours:
            raise Refused(
                f"Model card {card.name!r}: the verdict of {verdict.gate} is on model {bound.model[:12]}, dataset "
                f"{bound.dataset[:12]} and numbers {bound.evaluation[:12]}, not on those of this card. Judge again."
            )


@cache
def environment() -> Environment:
    """The templates beside this file with their filters; in HTML every value is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ("places", "number", "interval", "level", "size", "when", "plain", "md", "tagless", "blocks")
    environment.filters |= {name: getattr(card_text, name) for name in names}
    environment.filters["data_uri"] = _data_uri
    return environment


def _printable(value: Any) -> Any:
    """What a template may print: a card with 'None' in it is a mistake of ours, so it is not written."""
    if value is None:
        raise TypeError("A card template prints None. Say in words what is missing.")
    return value


def _data_uri(svg: str) -> str:
    import base64

    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
