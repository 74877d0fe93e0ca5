"""The model in use: its files are those that were registered, and the features it is shown are those it learned."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.engine.content import file_sha256
from platform_ml.engine.dataset_checks import KIND as DATASETS
from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.engine.tuned_model import KIND, SEARCH, digest_of, files_in, intervals_in, predictor_in
from platform_ml.spec.errors import MissingInputError, StoreError, did_you_mean
from platform_ml.spec.fingerprint import meaning
from platform_ml.spec.training_dataset import TEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.engine.intervals import Calibrated
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.registration import Registration
    from platform_ml.spec.tuned_model import TunedModel

SOURCE = ("is", "name", "key", "event_time")
REACH = ("first", "last")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A registered model, ready to predict."""

    predictor: Predictor
    record: Mapping[str, Any]
    """Plain JSON: name, version and alias in the registry; digests of model, evaluation and dataset; cutoff, family."""
    features: Mapping[str, str]
    """What it was trained on, in order: feature → SQL type."""
    classes: tuple[str, ...] = ()
    """Of several classes their names, in the order of the probabilities."""
    test: pa.Table | None = field(default=None, compare=False)
    """The features of its test rows; None where they are not to be had any more."""
    intervals: Calibrated | None = None
    """The ranges that its predictions come with."""

    @property
    def version(self) -> int:
        """In the registry."""
        return int(self.record["version"])

    @property
    def digest(self) -> str:
        """What the model is called."""
        return str(self.record["model"])


@dataclass(frozen=True, kw_only=True)
class InUse:
    """A registered version and what it was made from; its files were verified, and are not opened yet."""

    model: TunedModel
    trained: Artifact
    dataset: Artifact
    record: Mapping[str, Any]
    """As `Served.record`."""

    @property
    def features(self) -> dict[str, str]:
        """What it was trained on, in order: feature → SQL type."""
        manifest = self.dataset.record
        return {name: manifest["columns"][name] for name in manifest["features"]}

    def load(self) -> Served:
        """Open it; `StoreError` when today's declaration cannot read it."""
        said = json.loads((self.trained.folder / SEARCH).read_text(encoding="utf-8"))
        return Served(
            predictor=predictor_in(self.trained.folder, self.model, self.trained.record | said, list(self.features)),
            record=self.record,
            features=self.features,
            classes=tuple(self.dataset.record["split"].get("classes", ())),
            test=_test_rows(self.dataset),
            intervals=intervals_in(self.trained.folder, self.model),
        )


def load(registration: Registration, *, work: Work, version: int | None = None) -> Served:
    """The version that the alias points at now, or this one; raises as `in_use` does."""
    return in_use(registration, work=work, version=version).load()


def in_use(registration: Registration, *, work: Work, version: int | None = None) -> InUse:
    """The version that the alias points at now, or this one, its checksums and its digest verified.

    Raises:
        MissingInputError: there is no such version, or its files are not here.
        StoreError: a file is not the one that was registered.
    """
    model, registry = registration.card.evaluation.model, work.platform.registry
    called = f"version {version}" if version else f"alias {registration.alias!r}"
    tags = registry.promoted(registration.name, str(version) if version else registration.alias)
    if tags is None:
        raise MissingInputError(
            f"The registry has no {called} of {registration.name!r}, so nothing can be scored. "
            f"{work.missing(registration, [])}"
        )
    trained = _published(KIND, model, tags["model_digest"], work)
    dataset = _published(DATASETS, model.dataset, tags["dataset_digest"], work)
    _verify(trained, tags["model_digest"])
    identity = {name: tags[name] for name in ("model_digest", "evaluation_digest", "policy_digest") if name in tags}
    record = {
        "registered_as": registration.name,
        "version": version or int(registry.find(registration.name, identity) or 0),
        "alias": "" if version else registration.alias,
        "model": trained.digest,
        "evaluation": tags.get("evaluation_digest", ""),
        "dataset": dataset.digest,
        "cutoff": trained.record["cutoff"],
        "family": trained.record["family"],
        "made_by": dict(trained.record["made_by"]),
    }
    return InUse(model=model, trained=trained, dataset=dataset, record=record)


def _published(kind: str, noun: TunedModel | Any, digest: str, work: Work) -> Artifact:
    found = work.published(kind, noun, digest)
    if found is None:
        raise MissingInputError(
            f"{work.table(noun)} has no version {digest[:12]}, which is in use. Restore the artifacts from a backup, "
            "or promote a model that is here."
        )
    return found


def _verify(trained: Artifact, digest: str) -> None:
    """The record is a file, too: what the registry says is held against what the files hash to."""
    for wrong in trained.damage():
        raise StoreError(f"{wrong}. It is not the registered model: restore {trained.folder} from a backup.")
    found = digest_of(
        files_in(trained.folder), dataset=trained.record["dataset"], declared=trained.record["fingerprint"]
    )
    if found != digest:
        raise StoreError(
            f"{trained.folder} hashes to {found[:12]}, but model {digest[:12]} was registered. Restore it from a "
            "backup."
        )


def _test_rows(dataset: Artifact) -> pa.Table | None:
    import pyarrow.parquet as pq

    name = f"{TEST}.parquet"
    file, expected = dataset.folder / name, dataset.record["files"].get(name)
    if expected is None or not file.exists() or file_sha256(file) != expected:
        return None
    return pq.read_table(file, columns=dataset.record["features"])


def unlike_training(found: InUse, view: FeatureView) -> list[str]:
    """Why the features of today's view are not those that the model was trained on; nothing when they are.

    A feature is missing, added, renamed or of another type; or it has its name still and is computed otherwise.
    """
    types = view.types
    said = schema_changes(found.features, {name: types[name].sql for name in view.feature_names})
    return said or meaning_changes(found.dataset.record["declaration"]["view"], view)


def schema_changes(trained: Mapping[str, str], given: Mapping[str, str]) -> list[str]:
    """Sentences on features (→ SQL type) that are not those of the training rows; their order does not matter.

    >>> schema_changes({"km_sum_7d": "DOUBLE", "races": "BIGINT"}, {"km_total_7d": "DOUBLE", "races": "DOUBLE"})
    ["feature 'km_sum_7d' is missing: was it renamed to 'km_total_7d'?", \
"feature 'races' is DOUBLE now, and was BIGINT in training"]
    """
    gone = [name for name in trained if name not in given]
    new = [name for name in given if name not in trained]
    said, renamed = [], set()
    for name in gone:
        alike = [other for other in new if given[other] == trained[name] and other not in renamed]
        near = did_you_mean(name, alike).removeprefix(" Did you mean ").removesuffix("?")
        renamed |= {near.strip("'")} if near else set()
        said.append(f"feature {name!r} is missing" + (f": was it renamed to {near}?" if near else ""))
    said += [f"feature {name!r} was added: the model does not know it" for name in new if name not in renamed]
    both = [name for name in trained if name in given and given[name] != trained[name]]
    return said + [f"feature {name!r} is {given[name]} now, and was {trained[name]} in training" for name in both]


def meaning_changes(trained: Mapping[str, Any], view: FeatureView) -> list[str]:
    """Sentences on what has its name still and is meant otherwise than in `trained`, the meaning of the view of then.

    Helpers, what the view does not take of a group, and how far the data reaches do not count: no model sees them.
    """
    known = {_role(given): given for given in trained["features"]}
    said = []
    for selection, now in zip(view.feature_selections, meaning(view)["features"], strict=True):
        if (then := known.get(_role(now))) is None:
            said.append(f"features of {selection.group.name!r} are joined in another role than in training")
            continue
        before, after = then.get("group", then), now.get("group", now)
        for name, feature in selection.columns.items():
            if meaning(feature) not in before["features"]:
                gone = [one for one in before["features"] if one not in after["features"]]
                how = declaration_changes(gone, [meaning(feature)])
                said.append(f"feature {name!r} is computed otherwise than in training ({'; '.join(how)})")
        parts = [{**_lasting(one), "features": []} for one in (before, after)]
        joined = [{"on": one.get("on") or [], "at": one.get("at")} for one in (then, now)]
        if how := [*declaration_changes(*parts), *declaration_changes(*joined)]:
            first, *others = selection.columns
            more = f" and {len(others)} more are" if others else " is"
            said.append(f"feature {first!r}{more} made otherwise than in training ({'; '.join(how)})")
    whole = [{**_lasting(one), "features": [], "helpers": []} for one in (trained, meaning(view))]
    for one in whole:
        one["label"] = {**one["label"], "cadence": None}
    return said + [f"what is predicted, or for whom, is another: {one}" for one in declaration_changes(*whole)]


def _role(given: Mapping[str, Any]) -> tuple[str, str]:
    group = given.get("group", given)
    return str(group["name"]), str(given.get("prefix", ""))


def _lasting(meant: Any) -> Any:
    """Without how far data reaches, and without how a source is delivered: its features mean the same."""
    if isinstance(meant, list):
        return [_lasting(one) for one in meant]
    if not isinstance(meant, dict):
        return meant
    kept = SOURCE if meant.get("is") == "Source" else [name for name in meant if name not in REACH]
    return {name: _lasting(meant[name]) for name in kept if name in meant}
