"""How to use a model, as a program on its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.engine import preparation
from platform_ml.spec.schema import Text
from platform_ml.spec.space import families_in
from platform_ml.spec.task import MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.family import Family
    from platform_ml.spec.tuned_model import TunedModel

SCORED = """\
pq.write_table(rows.append_column("prediction", [predictions]), "predictions.parquet")"""
SCORED_CLASSES = """\
for place, name in enumerate(model.classes):
    rows = rows.append_column(f"probability of {name}", [predictions[:, place]])
pq.write_table(rows, "predictions.parquet")"""
XGBOOST_SCORED = """\
rows["prediction"] = booster.predict(xgboost.DMatrix(rows[FEATURES]))"""
XGBOOST_SCORED_CLASSES = """\
classes = [f"probability of {name}" for name in json.loads(booster.attr("platform_ml_classes"))]
rows[classes] = booster.predict(xgboost.DMatrix(rows[FEATURES]))"""
XGBOOST_USAGE = """\
import hashlib
{json}from pathlib import Path

import pandas as pd
import xgboost

FEATURES = [
{features}
]
file = Path("{file}")  # from the model's published folder{registry}
if hashlib.sha256(file.read_bytes()).hexdigest() != "{sha256}":
    raise SystemExit("This is not the model that this card describes.")
booster = xgboost.Booster(model_file=file)
rows = pd.read_parquet("rows.parquet")  # one row per {row}: features as known at the moment of prediction
{scored}
rows.to_parquet("predictions.parquet")
"""
USAGE = """\
import hashlib
from pathlib import Path

import pyarrow.parquet as pq

from platform_ml.families import {families}
{imports}
FEATURES = [
{features}
]
{narrow}file = Path("{file}")  # from the model's published folder{registry}
if hashlib.sha256(file.read_bytes()).hexdigest() != "{sha256}":
    raise SystemExit("This is not the model that this card describes.")
model = {family}.load(file, {chosen})
{fitted}rows = pq.read_table("rows.parquet")  # one row per {row}: features as known at the moment of prediction
predictions = model.predict({prepared})
{scored}
"""
REGISTRY = """, or, every file checked, from the registry:
# from platform_ml.tracking import load_model
# predictions = load_model("{name}").predict(rows)"""

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
    view, steps, files = model.dataset.view, model.preparations, used["files"]
    file = min(files, key=lambda name: (not name.startswith("model."), name.endswith(".onnx"), name))
    known = view.types
    seen = [name for name in view.feature_names if name not in used.get("not_used", {})]
    plain = not steps and not any(isinstance(known[name], Text) for name in seen)
    apart = bool(steps) and len(seen) < len(view.feature_names)  # preparations take what the model does not see, too
    registry = REGISTRY.format(name=used["registered_as"]) if registered and used["registered_as"] else ""
    native, classes = plain and file.endswith(".ubj"), model.task is MULTICLASS
    scored = (
        (XGBOOST_SCORED_CLASSES if classes else XGBOOST_SCORED) if native else (SCORED_CLASSES if classes else SCORED)
    )
    return (XGBOOST_USAGE if native else USAGE).format(
        scored=scored,
        json="import json\n" if classes else "",
        family=_made(family or model.family),
        families=", ".join(sorted(_names(family or model.family))),
        features="\n".join(f'    "{name}",' for name in (view.feature_names if steps else seen)),
        file=file,
        chosen="CHOSEN" if apart else "FEATURES",
        narrow=CHOSEN.format(chosen="\n".join(f'    "{name}",' for name in seen)) if apart else "",
        sha256=files[file],
        row=", ".join(view.label.key),
        registry=registry,
        imports=_imports(model),
        fitted=_fitted(model, files) if steps else "",
        prepared=("fitted.apply(rows.select(FEATURES))" if steps else "rows.select(FEATURES)")
        + (".select(CHOSEN)" if apart else ""),
    )


def _made(family: Any) -> str:
    """A family that can read the file, as a program says it: with the families in it, whose values do not matter."""
    inside = ", ".join(f"{name}={_written(value)}" for name, value in families_in(family).items())
    return f"{type(family).__name__}({inside})"


def _written(value: Any) -> str:
    return f"({', '.join(map(_made, value))},)" if isinstance(value, tuple) else _made(value)


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
