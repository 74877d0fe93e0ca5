"""Registered models to predict with: nothing of one is read before all of its files were found to be as registered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.promotion import checked
from platform_ml.engine.schema import arrow_type
from platform_ml.engine.tuned_model import SEARCH, digest_of, files_in, intervals_in, predictor_in
from platform_ml.spec.errors import PlatformError, Refused, RowsError, did_you_mean
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.registration import Registration
from platform_ml.spec.stage import SEATS, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.intervals import Calibrated
    from platform_ml.engine.manifest import Checked
    from platform_ml.engine.ports import Registry
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.project import Project
    from platform_ml.spec.tuned_model import TunedModel

LATEST = "latest"


@dataclass(frozen=True, kw_only=True)
class RegisteredModel:
    """One version of a registered model: its predictions, and the columns that it takes."""

    name: str
    version: int
    stage: str
    """What it was when it was loaded."""
    columns: Mapping[str, pa.DataType]
    """The features, in order; any may be null."""
    classes: Sequence[str]
    """Of a label of several classes, in the order of the columns of its predictions."""
    manifest: Mapping[str, Any]
    predictor: Predictor
    intervals: Calibrated | None = None
    """The ranges that its predictions come with."""

    def predict(self, rows: pa.Table | pd.DataFrame) -> NDArray[np.float64]:
        """(n,) or, of several classes, (n, classes); columns that are no features are left out.

        Raises:
            RowsError: a feature is missing, or of another kind than the model has learned.
        """
        return self.predictor.predict(fitting_rows(rows, self.columns, where=f"{self.name}@{self.version}"))

    def predict_interval(self, rows: pa.Table | pd.DataFrame) -> NDArray[np.float64]:
        """(n, 2) the least and the greatest likely number of each row, as the declared coverage says.

        Raises:
            RowsError: as `predict`; or the model was declared without intervals.
        """
        where = f"{self.name}@{self.version}"
        if self.intervals is None:
            raise RowsError(f"{where} was declared without intervals. Use predict, or train it with Conformal(...).")
        features = fitting_rows(rows, self.columns, where=where)
        return self.intervals.bounds(self.predictor.predict(features), features)

    def __repr__(self) -> str:
        return f"<{self.name}@{self.version}, {self.stage}, {len(self.columns)} features>"


def registration_named(name: str, projects: Sequence[Project]) -> tuple[Project, Registration]:
    """The registration that PROJECT/NAME or NAME names; `PlatformError` with the near miss."""
    known = {f"{project.name}/{one.name}": (project, one) for project in projects for one in project.all(Registration)}
    fits = [whole for whole in known if name in (whole, whole.partition("/")[2])]
    if len(fits) == 1:
        return known[fits[0]]
    if fits:
        raise PlatformError(f"More than one project registers {name!r}. Write one of: {', '.join(fits)}.")
    near = did_you_mean(name, [*known, *(whole.partition("/")[2] for whole in known)])
    raise PlatformError(f"Nothing is registered as {name!r}.{near} Known: {', '.join(known) or 'nothing'}.")


def version_named(text: str, name: str, registry: Registry) -> int:
    """The number that VERSION of NAME@VERSION names: itself, or the version that is champion or challenger.

    Raises:
        PlatformError: nobody has that seat, or it is no version at all; says which there are.
    """
    standing = Standing.of(registry.history(name))
    if text in SEATS:
        if (holder := standing.holder(text)) is None:
            raise PlatformError(f"{name} has no {text}. {_seats(name, standing)}")
        return holder
    if not text.isdecimal():
        near = did_you_mean(text, map(str, SEATS))
        raise PlatformError(f"{name}@{text}: there is no such version.{near} {_seats(name, standing)}")
    return int(text)


def load_registered(name: str, projects: Sequence[Project], registry: Registry) -> RegisteredModel:
    """The model that NAME@VERSION names, VERSION a number, champion or challenger, and champion if left out.

    Its files are copied, each is compared with the checksum that it was registered with, and only then are they read,
    by the reader of the declared family: no pickle, and no code of the version itself.

    Raises:
        Refused: a file was changed, cut off, removed or added, or the model was made by another declaration.
    """
    called, _, wanted = name.partition("@")
    project, registration = registration_named(called, projects)
    version = version_named(wanted or "champion", registration.name, registry)
    history = registry.history(registration.name)
    where, model = f"{registration.name}@{version}", registration.card.evaluation.model
    with checked(registration.name, version, history, registry=registry) as found:
        search = _search(where, found, model)
        predictor, ranges = predictor_in(found.folder, model, search), intervals_in(found.folder, model)
    view = model.dataset.view
    outputs = found.manifest.get("classes", [])
    return RegisteredModel(
        name=f"{project.name}/{registration.name}",
        version=version,
        stage=str(Standing.of(history).stage(version)),
        columns={column: arrow_type(view.types[column]) for column in view.feature_names},
        classes=tuple(outputs),
        manifest=found.manifest,
        predictor=predictor,
        intervals=ranges,
    )


def fitting_rows(rows: pa.Table | pd.DataFrame, columns: Mapping[str, pa.DataType], *, where: str) -> pa.Table:
    """The features of some rows, in order and typed as the model has learned them; nothing is guessed."""
    import pyarrow as pa

    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    if missing := [name for name in columns if name not in table.column_names]:
        near = did_you_mean(missing[0], table.column_names)
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise RowsError(f"{where} takes column {missing[0]!r}{more}, which the rows do not have.{near}")
    found = {}
    for name, kind in columns.items():
        given = table.schema.field(name).type
        if not _alike(given, kind):
            raise RowsError(f"{where} takes column {name!r} as {kind}; the rows have it as {given}. Convert it first.")
        try:
            found[name] = table[name].cast(kind)
        except pa.ArrowInvalid as error:
            raise RowsError(f"{where} takes column {name!r} as {kind}; a value does not fit: {error}") from error
    return pa.table(found)


def _search(where: str, found: Checked, model: TunedModel) -> dict[str, Any]:
    """What `search.json` says, when the files are the model that was approved, and of this declaration."""
    declared, said = fingerprint(model), found.manifest
    if said["declared"] != declared:
        commit = said.get("made_by", {}).get("git_commit", "unknown")
        raise Refused(
            f"{where} was made by another declaration of {model.name!r} ({said['declared'][:12]}, now "
            f"{declared[:12]}), so which features it takes is not known here. Check out commit {commit[:12]} to use "
            "it, or register a model of today's declaration."
        )
    search: dict[str, Any] = json.loads((found.folder / SEARCH).read_text(encoding="utf-8"))
    digest = digest_of(files_in(found.folder), dataset=said["dataset_digest"], declared=declared)
    if digest != said["model_digest"]:
        raise Refused(f"{where}: its files are model {digest[:12]}, approved was {said['model_digest'][:12]}.")
    return search


def _alike(given: pa.DataType, wanted: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_null(given) or given == wanted:
        return True
    if types.is_dictionary(given):
        return _alike(given.value_type, wanted)

    def kind(one: pa.DataType) -> str:
        if types.is_integer(one) or types.is_floating(one) or types.is_decimal(one):
            return "number"
        if types.is_string(one) or types.is_large_string(one):
            return "text"
        if types.is_list(one) or types.is_large_list(one):
            return "list"
        return "moment" if types.is_timestamp(one) else str(one)

    return kind(given) == kind(wanted)


def _seats(name: str, standing: Standing) -> str:
    held = [f"{name}@{standing.holder(seat)} ({seat})" for seat in SEATS if standing.holder(seat)]
    return f"There is {' and '.join(held)}. See: platform-ml models" if held else "See: platform-ml models"
