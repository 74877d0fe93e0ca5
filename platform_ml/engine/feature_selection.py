"""Feature selections: ranked on training rows alone, cut, and published with the reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from platform_ml.engine.catalog_columns import view_columns
from platform_ml.engine.chosen import FILE, Chosen, Pick
from platform_ml.engine.training_dataset import split_rows
from platform_ml.spec.errors import MissingInputError, PlatformError, RowsError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.selection import About, Asked, Ranking
from platform_ml.spec.training_dataset import TRAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.feature_selection import FeatureSelection
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.selection import Ranked
    from platform_ml.spec.tuned_model import TunedModel

KIND = "selections"
LEAST = 20
"""Training rows below which a ranking is luck."""


def choose(selection: FeatureSelection, train: SplitRows) -> Chosen:
    """Rank the features by the training rows and cut the list; no other rows are looked at.

    Raises:
        RowsError: the rows cannot be learned from, or nothing is kept.
    """
    where = f"Feature selection {selection.name!r} of dataset {selection.dataset.name!r}"
    names = train.features.column_names
    _check_label(where, train)
    useless = dict(_useless(train))
    useful = [name for name in names if name not in useless]
    if not useful:
        raise RowsError(f"{where}: all {len(names)} features are the same in all {len(train.label):,} training rows.")
    asked = _asked(selection, useful)
    some = train if len(useful) == len(names) else _some(train, useful)
    try:
        ranking = selection.method.rank(some, asked, seed=selection.seed)
    except RowsError as error:
        raise RowsError(f"{where}: {error}") from error
    if sorted(one.feature for one in ranking.features) != sorted(useful):
        raise PlatformError(f"{where}: {selection.method.name} did not rank each feature once. It has to.")
    picks = (*_cut(selection, ranking), *_left(selection, useless))
    kept = {pick.feature for pick in picks if pick.kept}
    if not kept:
        best = max(one.score for one in ranking.features)
        raise RowsError(
            f"{where} keeps none of {len(names)} features: the best score by {ranking.method} is {best:.4g}. Lower the "
            "threshold, or name some in always=."
        )
    return Chosen(
        selection=selection.name,
        method=ranking.method,
        rule=selection.rule,
        picks=picks,
        kept=tuple(name for name in names if name in kept),
        notes=ranking.notes,
        asked=ranking.asked,
    )


def materialize_feature_selection(
    selection: FeatureSelection, cutoff: str, dataset: Artifact, *, work: Work, made_by: Mapping[str, Any]
) -> tuple[Chosen, Artifact]:
    """Choose by a published dataset, and publish the choice."""
    try:
        chosen = choose(selection, split_rows(selection.dataset, dataset, TRAIN))
    except RowsError as error:
        raise RowsError(f"Project {work.project}: {error}") from error
    declared = fingerprint(selection)
    name = digest({"chosen": chosen.to_json(), "dataset": dataset.digest, "fingerprint": declared})
    record = {
        "selection": selection.name,
        "cutoff": cutoff,
        "fingerprint": declared,
        "dataset": dataset.digest,
        "method": chosen.method,
        "kept": list(chosen.kept),
        "dropped": chosen.dropped,
        "notes": list(chosen.notes),
        "made_by": dict(made_by),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }

    def fill(folder: Path) -> None:
        chosen.save(folder)

    artifact = work.platform.artifacts.publish(work.place(KIND, selection, cutoff), name, record, fill)
    for note in chosen.notes:
        work.say(f"{work.table(selection)}: {note}")
    work.say(f"{work.table(selection)}: {len(chosen.kept)} of {len(chosen.picks)} features kept, version {name[:12]}")
    return chosen, artifact


def load(selection: FeatureSelection, cutoff: str, *, work: Work) -> Artifact:
    """The newest choice of a cutoff, its checksums verified."""
    artifact = work.platform.artifacts.newest(work.place(KIND, selection, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(selection, [cutoff]))
    return artifact


def chosen_for(model: TunedModel, cutoff: str, dataset: Artifact, *, work: Work) -> Chosen | None:
    """The published choice that a model declares, made from the same rows; None: it sees all features."""
    selection = model.features
    if selection is None:
        return None
    artifact = load(selection, cutoff, work=work)
    for what, used, now in (
        ("another version of its dataset", artifact.record["dataset"], dataset.digest),
        ("another declaration", artifact.record["fingerprint"], fingerprint(selection)),
    ):
        if used != now:
            raise MissingInputError(
                f"{work.table(selection)} of cutoff {cutoff} was made from {what} ({used[:12]}, now {now[:12]}). "
                "Materialize it again first."
            )
    return Chosen.load(selection, artifact.folder / FILE)


def recorded(chosen: Chosen | None) -> dict[str, Any]:
    """What the record of a model says of the features that it sees."""
    if chosen is None:
        return {}
    said = {"name": chosen.selection, "method": chosen.method, "notes": list(chosen.notes)}
    return {"selection": said, "not_used": chosen.dropped}


def _check_label(where: str, train: SplitRows) -> None:
    import numpy as np

    if len(train.label) < LEAST:
        raise RowsError(f"{where}: {len(train.label)} training rows say nothing; {LEAST} are the least. Widen history.")
    if not np.isfinite(train.label).all():
        raise RowsError(f"{where}: a label of the training rows is not finite. Look at what the outcome is made of.")
    if (train.label == train.label[0]).all():
        raise RowsError(
            f"{where}: all {len(train.label):,} training labels are {train.label[0]:g}, so no feature says more than "
            "another. Widen the split."
        )


def _useless(train: SplitRows) -> Iterator[tuple[str, str]]:
    """Features of one value, which no method can rank."""
    import pyarrow.compute as pc

    for name in train.features.column_names:
        values = train.features[name]
        if values.null_count == len(values):
            yield name, "It is null in all training rows."
        elif values.null_count == 0 and pc.count_distinct(values).as_py() == 1:
            yield name, "It is the same in all training rows."


def _some(train: SplitRows, names: list[str]) -> SplitRows:
    return replace(train, features=train.features.select(names), cache={})


def _asked(selection: FeatureSelection, names: list[str]) -> Asked:
    view = selection.dataset.view
    label, about = view.label, described(view)
    return Asked(
        predicts=(
            f"{label.description} {label.name}: {label.meaning} For whom: {label.population} When: {label.moments} It "
            f"looks {label.horizon_days} days ahead."
        ),
        features={name: about[name] for name in names},
        keep=None if selection.most is None else min(selection.most, len(names)),
    )


def described(view: FeatureView) -> dict[str, About]:
    """What the catalog says of each feature that a model sees."""
    found = {column.name: column for column in view_columns(view, None)}
    return {
        name: About(meaning=one.meaning, made_of=one.origin, unit=one.unit, looks_back=one.lookback)
        for name, one in ((name, found[name]) for name in view.feature_names)
    }


def _cut(selection: FeatureSelection, ranking: Ranking) -> Iterator[Pick]:
    """The ranked features, those that are always kept counted first."""
    room = None if selection.most is None else selection.most - len(selection.always)
    for place, one in enumerate(ranking.features, start=1):
        why = "" if one.feature in selection.always else _out(selection, one, place, room)
        if one.feature in selection.always:
            yield _pick(one, kept=True, reason=f"Always kept, as declared. {one.reason}")
            continue
        if not why and room is not None:
            room -= 1
        yield _pick(one, kept=not why, reason=f"{one.reason} {why}".strip() if not one.drop else one.reason)


def _out(selection: FeatureSelection, one: Ranked, place: int, room: int | None) -> str:
    """Why it is not kept; empty when it is."""
    if one.drop:
        return one.reason
    if selection.threshold is not None and one.score < selection.threshold:
        return f"Its score of {one.score:.4g} is below {selection.threshold:g}."
    if room is not None and room <= 0:
        return f"It takes place {place}, and {selection.most} are kept."
    return ""


def _pick(one: Ranked, *, kept: bool, reason: str) -> Pick:
    return Pick(feature=one.feature, score=one.score, kept=kept, reason=reason)


def _left(selection: FeatureSelection, useless: Mapping[str, str]) -> Iterator[Pick]:
    for name, why in useless.items():
        always = name in selection.always
        yield Pick(feature=name, score=0.0, kept=always, reason=f"Always kept, as declared. {why}" if always else why)
