"""Whether a published model can be made again: bit by bit, within a tolerance and why not, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine import conditions
from platform_ml.engine.chosen import FILE as CHOSEN
from platform_ml.engine.chosen import Chosen
from platform_ml.engine.content import file_sha256
from platform_ml.engine.cross_validation import read_folds
from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.engine.recut import Difference, Level, published
from platform_ml.engine.reproduction import code_changes
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuned_model import SEARCH, fitted, refit, save, train
from platform_ml.engine.tuning import Tuning
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import SEMANTICS, fingerprint, meaning
from platform_ml.spec.training_dataset import TRAIN, VALIDATION
from platform_ml.spec.tuner import WarmStart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.engine.model_reference import ModelReference
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.engine.tuned_model import Trained
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.tuned_model import TunedModel

TOLERANCE = 1e-3
"""How far predictions may lie apart to be called equal: of their range on the validation rows."""
TIMES = ("seconds", "latency_ms")
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


def reproduce_model(
    reference: ModelReference, dataset: Artifact, *, work: Work, now: Mapping[str, str], search: bool = False
) -> ModelReproduction:
    """Check the files, fit the model again with its parameters, and with `search` also look for them again.

    Nothing is published, tracked or registered; the files of the attempt lie in a temporary folder.

    Args:
        reference: the published model.
        dataset: the published rows that it was trained on.
        work: the stores, for the reference's project; they are only read.
        now: what a record written now would hold in `made_by`.
        search: whether all trials are run again, too; as long as the training was.
    """
    record, model = reference.artifact.record, reference.model
    levels = [published(reference.artifact)]
    splits = {split: split_rows(model.dataset, dataset, split) for split in (TRAIN, VALIDATION)}
    features = None
    if model.features is not None:
        features = Chosen.load(model.features, reference.artifact.folder / CHOSEN)
    folds = read_folds(model, reference.cutoff, dataset, work=work) if search else []
    name = record.get("family") or model.family.name

    def fitted_again() -> Trained:
        return refit(model, splits, name=name, params=record["params"], features=features)

    def searched_again() -> Trained:
        warm = record["search"].get("warm_start")
        tuning = Tuning(warm_start=WarmStart(**warm)) if warm else None
        return train(model, splits, folds=folds, features=features, tuning=tuning, progress=lambda _: None)

    levels.append(_again("fitted again with its parameters", reference, fitted_again, splits))
    if search:
        levels.append(_again("searched again, every trial", reference, searched_again, splits, trials=True))
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
    made_again: Callable[[], Trained],
    splits: Mapping[str, SplitRows],
    *,
    trials: bool = False,
) -> Level:
    """Train, save aside, and compare file by file."""
    artifact, checked = reference.artifact, ""
    try:
        trained = made_again()
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
