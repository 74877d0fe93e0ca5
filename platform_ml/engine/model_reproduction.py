"""Whether a published model can be made again: bit by bit, within a tolerance and why not, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine import conditions
from platform_ml.engine.content import file_sha256
from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.engine.recut import Difference, Level, published
from platform_ml.engine.reproduction import code_changes
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuned_model import SEARCH, fitted, save, train
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import SEMANTICS, fingerprint, meaning
from platform_ml.spec.training_dataset import TRAIN, VALIDATION
from platform_ml.spec.tuner import Search, TriedParams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.engine.model_reference import ModelReference
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.engine.tuned_model import Trained
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.tuner import Trial

TOLERANCE = 1e-3
"""How far predictions may lie apart to be called equal: of their range on the validation rows."""
TIMES = ("seconds",)
"""What of a trial is no result."""


@dataclass(frozen=True, kw_only=True)
class ModelReproduction:
    """What came of making a model again, and what is not as it was when it was made."""

    reference: str
    levels: Sequence[Level]
    causes: Sequence[str]
    """Other device, threads, processor or libraries: what may change the last digits of a number."""
    changed: Sequence[str]
    """Other code or declarations: what may change everything."""

    @property
    def identical(self) -> bool:
        """Whether every level gave the published bytes."""
        return all(level.identical for level in self.levels)

    @property
    def explained(self) -> bool:
        """Whether what is not identical is within the tolerance, and for a reason that was recorded."""
        return all(level.equal for level in self.levels) and bool(self.causes)


@dataclass
class Replay:
    """A tuner that tries once what was recorded."""

    params: Mapping[str, Any]
    trials: int = 1

    def search(self, objective: Callable[[Trial], float], **_: Any) -> Search:
        """One trial, whatever is searched."""
        trial = _Recorded(dict(self.params))
        tried = TriedParams(number=0, params=trial.known, score=objective(trial), steps=tuple(trial.steps), seconds=0.0)
        return Search(trials=(tried,), best=tried)


@dataclass
class _Recorded:
    known: dict[str, Any]
    number: int = 0
    steps: list[float] = field(default_factory=list)

    def params(self, family: Family) -> dict[str, Any]:
        return dict(self.known)

    def report(self, step: int, score: float) -> None:
        self.steps.append(score)


def reproduce_model(
    reference: ModelReference, dataset: Artifact, *, now: Mapping[str, str], search: bool = False
) -> ModelReproduction:
    """Check the files, fit the model again with its parameters, and with `search` also look for them again.

    Nothing is published, tracked or registered; the files of the attempt lie in a temporary folder.

    Args:
        reference: the published model.
        dataset: the published rows that it was trained on.
        now: what a record written now would hold in `made_by`.
        search: whether all trials are run again, too; as long as the training was.
    """
    record, model = reference.artifact.record, reference.model
    levels = [published(reference.artifact)]
    splits = {split: split_rows(model.dataset, dataset, split) for split in (TRAIN, VALIDATION)}
    once = replace(model, tuner=Replay(record["params"]))
    levels.append(_again("fitted again with its parameters", reference, once, splits))
    if search:
        levels.append(_again("searched again, every trial", reference, model, splits, trials=True))
    then = record.get("conditions", {})
    return ModelReproduction(
        reference=str(reference),
        levels=levels,
        causes=conditions.differing(then, conditions.here()),
        changed=_changed(record, model, now),
    )


def _again(
    name: str,
    reference: ModelReference,
    model: TunedModel,
    splits: Mapping[str, SplitRows],
    *,
    trials: bool = False,
) -> Level:
    """Train, save aside, and compare file by file."""
    artifact, checked = reference.artifact, ""
    try:
        trained = train(model, splits, progress=lambda _: None)
    except (PlatformError, KeyError, TypeError, ValueError) as error:
        reason = f"today's declaration cannot be trained: {type(error).__name__}: {error}"
        return Level(name=name, checked="", differences=[Difference(reason=reason)])
    with TemporaryDirectory() as aside:
        folder = Path(aside)
        save(trained, folder)
        made = {file.name: file_sha256(file) for file in sorted(folder.iterdir()) if file.name != SEARCH}
        recorded = artifact.record["files"]
        other = [file for file, sha256 in made.items() if recorded.get(file) != sha256]
        wrong = [
            Difference(table=file, reason="was not published with this model") for file in other if file not in recorded
        ]
        checked = f"{len(made)} files by their sha256"
        if trials:
            found = _trials(artifact, folder)
            wrong += found
            checked += f", {len(trained.search.trials)} trials"
    within = ""
    if other and not wrong:
        apart, wrong = _apart(reference, trained, other, splits[VALIDATION])
        if not wrong:
            within = f"{', '.join(other)} differ; predictions lie {apart:.1e} of their range apart at most"
    return Level(name=name, checked=checked, differences=wrong, within=within)


def _apart(
    reference: ModelReference, trained: Trained, files: Sequence[str], rows: SplitRows
) -> tuple[float, list[Difference]]:
    """How far the predictions of what was published and of what was made now lie apart, and where that is too far."""
    try:
        predictor, baselines = fitted(reference.model, reference.artifact)
    except (PlatformError, KeyError, OSError, ValueError) as error:
        return 0.0, [Difference(reason=f"the published files cannot be compared: {error}")]
    pairs = {"the model": (predictor, trained.predictor)} | {
        f"baseline {name}": (baselines[name], made) for name, made in trained.baselines.items()
    }
    far = {what: _distance(*pair, rows) for what, pair in pairs.items()}
    wrong = [
        Difference(table=what, reason=f"predictions lie {one:.1e} of their range apart, more than {TOLERANCE:.0e}")
        for what, one in far.items()
        if not one <= TOLERANCE
    ]
    if wrong:
        wrong += [Difference(table=file, reason="has other bytes") for file in files]
    return max(far.values()), wrong


def _distance(one: Predictor, other: Predictor, rows: SplitRows) -> float:
    import numpy as np

    first, second = (np.asarray(each.predict(rows.features), dtype=np.float64) for each in (one, other))
    if first.shape != second.shape:
        return float("inf")
    spread = float(first.max() - first.min()) if first.size else 0.0
    return float(np.abs(first - second).max(initial=0.0)) / (spread or 1.0)


def _trials(artifact: Artifact, folder: Path) -> list[Difference]:
    """In which trials two searches differ; how long one took is no difference."""
    then, now = (
        [
            {name: value for name, value in trial.items() if name not in TIMES}
            for trial in json.loads((place / SEARCH).read_text(encoding="utf-8"))["trials"]
        ]
        for place in (artifact.folder, folder)
    )
    if len(then) != len(now):
        return [Difference(table=SEARCH, reason=f"{len(now)} trials; published were {len(then)}")]
    first = next((number for number, pair in enumerate(zip(then, now, strict=True)) if pair[0] != pair[1]), None)
    if first is None:
        return []
    names = [name for name in then[first] if then[first][name] != now[first].get(name)]
    count = sum(one != other for one, other in zip(then, now, strict=True))
    return [Difference(table=SEARCH, reason=f"{count} trials differ, first trial {first}: {', '.join(names)}")]


def _changed(record: Mapping[str, Any], model: TunedModel, now: Mapping[str, str]) -> list[str]:
    """What was otherwise when the model was made, in its code and its declaration."""
    found = []
    if (then := record.get("semantics", SEMANTICS)) != SEMANTICS:
        found.append(f"the platform computes other things from the same declaration: SEMANTICS {then} → {SEMANTICS}")
    if "declaration" in record:
        found += [f"declaration: {text}" for text in declaration_changes(record["declaration"], meaning(model))]
    elif record["fingerprint"] != fingerprint(model):
        found.append(f"declaration: TunedModel {model.name} has another fingerprint")
    return found + code_changes(record["made_by"], now)
