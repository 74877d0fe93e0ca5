"""How to use a model, as a program on its card."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine import preparation
from platform_ml.spec.schema import Boolean, Decimal, Double, Doubles, Integer, Text, Timestamp
from platform_ml.spec.space import Range, families_in
from platform_ml.spec.task import CLUSTERING, MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from dataclasses import Field

    from platform_ml.spec.family import Family
    from platform_ml.spec.schema import Type
    from platform_ml.spec.tuned_model import TunedModel

ARROW = {Boolean: "pa.bool_()", Double: "pa.float64()", Integer: "pa.int64()", Text: "pa.string()"}
SCORED = """\
pq.write_table(rows.append_column("prediction", [predictions]), "predictions.parquet")"""
SCORED_CLASSES = """\
for place, name in enumerate(model.classes):
    rows = rows.append_column(f"probability of {name}", [predictions[:, place]])
pq.write_table(rows, "predictions.parquet")"""
XGBOOST_SCORED = """\
rows["prediction"] = booster.predict(xgboost.DMatrix(rows[FEATURES]))"""
SCORED_CLUSTERS = """\
rows = rows.append_column("distance", [predictions.min(axis=1)])
pq.write_table(rows.append_column("cluster", [predictions.argmin(axis=1) + 1]), "predictions.parquet")"""
ONE_OF_CLASSES = "dict(zip(model.classes, predictions[0].tolist(), strict=True))"
XGBOOST_ONE_OF_CLASSES = """\
dict(zip(json.loads(booster.attr("platform_ml_classes")), predictions[0].tolist(), strict=True))"""
XGBOOST_SCORED_CLASSES = """\
classes = [f"probability of {name}" for name in json.loads(booster.attr("platform_ml_classes"))]
rows[classes] = booster.predict(xgboost.DMatrix(rows[FEATURES]))"""
ONLINE_XGBOOST = """

def predict(row: dict) -> {gives}:
    if lacking := [name for name in FEATURES if name not in row]:
        raise KeyError(f"The row has no {{lacking}}. Give null for what is not known.")
    values = [[float("nan") if row[name] is None else float(row[name]) for name in FEATURES]]
    predictions = booster.predict(xgboost.DMatrix(np.array(values), feature_names=FEATURES))
    return {answer}


# Features of one {row}, as known at the moment of prediction.
row = json.loads(Path("row.json").read_text())
print(json.dumps(predict(row)))
"""
ONLINE = """\
TYPES = {{
{types}
}}


def predict(row: dict) -> {gives}:
    if lacking := [name for name in FEATURES if name not in row]:
        raise KeyError(f"The row has no {{lacking}}. Give null for what is not known.")
    rows = pa.table({{name: pa.array([row[name]]).cast(kind) for name, kind in TYPES.items()}})
    predictions = model.predict({prepared})
    return {answer}


# Features of one {row}, as known at the moment of prediction.
row = json.loads(Path("row.json").read_text())
print(json.dumps(predict(row)))
"""
BATCH_XGBOOST = """\
# One row per {row}: features as known at the moment of prediction.
rows = pd.read_parquet("rows.parquet")
{scored}
rows.to_parquet("predictions.parquet")
"""
BATCH = """\
# One row per {row}: features as known at the moment of prediction.
rows = pq.read_table("rows.parquet")
predictions = model.predict({prepared})
{scored}
"""
LOADED_XGBOOST = """\
import hashlib
{json}from pathlib import Path

{third}
import xgboost

FEATURES = [
{features}
]
file = Path("{file}")  # from the model's published folder{registry}
SHA256 = "{sha256}"
if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
    raise SystemExit("This is not the model that this card describes.")
booster = xgboost.Booster(model_file=file)
"""
LOADED = """\
import hashlib
{json}from pathlib import Path

{third}

from platform_ml.families import {families}
{imports}
FEATURES = [
{features}
]
{narrow}file = Path("{file}")  # from the model's published folder{registry}
SHA256 = "{sha256}"
if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
    raise SystemExit("This is not the model that this card describes.")
model = {family}.load(file, {chosen})
{fitted}"""
REGISTRY = """, or, every file checked, from the registry:
# from platform_ml.tracking import load_model
# load_model("{name}").predict(rows)"""
REGISTRY_RANGES = """
# load_model("{name}").predict_interval(rows)"""

CHOSEN = """\
CHOSEN = [  # what the model itself sees
{chosen}
]
"""
PREPARED = """\
prepared = Path("{file}")  # lies beside the model
if hashlib.sha256(prepared.read_bytes()).hexdigest() != "{sha256}":
    raise SystemExit("These are not the preparations that this card describes.")
STEPS = [
{steps}
]
fitted = Fitted.load(STEPS, prepared)
"""


def usage(model: TunedModel, used: Mapping[str, Any], *, registered: bool, family: Family | None = None) -> str:
    """A program that scores a file of rows; `used` is what the card says of the model: files, registered_as.

    `family`: the one that became the model; None: its own.
    """
    return _program(model, used, registered=registered, family=family or model.family, online=False)


def online_usage(model: TunedModel, used: Mapping[str, Any], *, registered: bool, family: Family | None = None) -> str:
    """A program with a function that scores one row, as a service would: loaded and checked once, then called."""
    return _program(model, used, registered=registered, family=family or model.family, online=True)


def _program(model: TunedModel, used: Mapping[str, Any], *, registered: bool, family: Family, online: bool) -> str:
    view, steps, files = model.dataset.view, model.preparations, used["files"]
    file = min(files, key=lambda name: (not name.startswith("model."), name.endswith(".onnx"), name))
    known = view.types
    seen = [name for name in view.feature_names if name not in used.get("not_used", {})]
    plain = not steps and not any(isinstance(known[name], Text) for name in seen)
    apart = bool(steps) and len(seen) < len(view.feature_names)  # preparations take what the model does not see, too
    native, classes = plain and file.endswith(".ubj"), model.task is MULTICLASS
    clusters = model.task is CLUSTERING
    features = view.feature_names if steps else seen
    loaded, scored = (LOADED_XGBOOST, _xgboost_parts) if native else (LOADED, _parts)
    parts = scored(classes=classes, online=online) | (_cluster_parts(online=online) if clusters else {})
    return (loaded + parts["body"]).format(
        scored=parts.get("scored", ""),
        third=parts["third"],
        answer=parts.get("answer", ""),
        gives="dict" if classes else "int" if clusters else "float",
        json="import json\n" if online or (native and classes) else "",
        types="\n".join(f'    "{name}": {_arrow(known[name])},' for name in features),
        family=_made(family),
        families=", ".join(sorted(_names(family))),
        features=_listed(features),
        file=file,
        chosen="CHOSEN" if apart else "FEATURES",
        narrow=CHOSEN.format(chosen=_listed(seen)) if apart else "",
        sha256=files[file],
        row=", ".join(view.label.key),
        registry=_registry(model, used) if registered else "",
        imports=_imports(model),
        fitted=_fitted(model, files) if steps else "",
        prepared=("fitted.apply(rows.select(FEATURES))" if steps else "rows.select(FEATURES)")
        + (".select(CHOSEN)" if apart else ""),
    )


def _xgboost_parts(*, classes: bool, online: bool) -> dict[str, str]:
    if online:
        answer = XGBOOST_ONE_OF_CLASSES if classes else "float(predictions[0])"
        return {"body": ONLINE_XGBOOST, "third": "import numpy as np", "answer": answer}
    scored = XGBOOST_SCORED_CLASSES if classes else XGBOOST_SCORED
    return {"body": BATCH_XGBOOST, "third": "import pandas as pd", "scored": scored}


def _parts(*, classes: bool, online: bool) -> dict[str, str]:
    if online:
        answer = ONE_OF_CLASSES if classes else "float(predictions[0])"
        return {"body": ONLINE, "third": "import pyarrow as pa", "answer": answer}
    scored = SCORED_CLASSES if classes else SCORED
    return {"body": BATCH, "third": "import pyarrow.parquet as pq", "scored": scored}


def _cluster_parts(*, online: bool) -> dict[str, str]:
    return {"answer": "int(predictions[0].argmin()) + 1"} if online else {"scored": SCORED_CLUSTERS}


def _registry(model: TunedModel, used: Mapping[str, Any]) -> str:
    said = REGISTRY + (REGISTRY_RANGES if model.intervals else "")
    return said.format(name=used["registered_as"]) if used["registered_as"] else ""


def _listed(names: Iterable[str]) -> str:
    return "\n".join(f'    "{name}",' for name in names)


def _arrow(kind: Type) -> str:
    """A type as a program says it."""
    match kind:
        case Timestamp():
            return 'pa.timestamp("us", tz="UTC")'
        case Decimal(precision=precision, scale=scale):
            return f"pa.decimal128({precision}, {scale})"
        case Doubles():
            return "pa.list_(pa.float64())"
    return ARROW[type(kind)]


def _made(family: Any) -> str:
    """A family that can read the file, as a program says it: with all that was declared, except what was searched."""
    said = {one.name: _written(getattr(family, one.name)) for one in fields(family) if _told(family, one)}
    return f"{type(family).__name__}({', '.join(f'{name}={value}' for name, value in said.items())})"


def _told(family: Any, one: Field[Any]) -> bool:
    value = getattr(family, one.name)
    return not isinstance(value, Range) and (one.default is MISSING or value != one.default)


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({''.join(f'{_written(one)}, ' for one in value).rstrip()})"
    return _made(value) if is_dataclass(value) else repr(value)


def _names(family: Any) -> set[str]:
    found = {type(family).__name__}
    for value in families_in(family).values():
        for one in value if isinstance(value, tuple) else (value,):
            found |= _names(one)
    return found


def _imports(model: TunedModel) -> str:
    names = sorted({type(step).__name__ for step in model.preparations})
    if not names:
        return ""
    return f"""\
from platform_ml.engine.preparation import Fitted
from platform_ml.preparations import {", ".join(names)}
"""


def _fitted(model: TunedModel, files: Mapping[str, str]) -> str:
    steps = "\n".join(f"    {step!r}," for step in model.preparations)
    return PREPARED.format(file=preparation.FILE, sha256=files[preparation.FILE], steps=steps)
