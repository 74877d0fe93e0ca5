"""What a model takes and gives, as MLflow writes it down: a signature and an example, and nothing that it could run.

The file `MLmodel` has no flavour, so no loader of MLflow finds code or a pickle to load by it.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any

from platform_ml.spec.schema import Boolean, Decimal, Double, Doubles, Integer, Text, Timestamp
from platform_ml.spec.task import CLUSTERING, MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.schema import Type

MLMODEL, EXAMPLE = "MLmodel", "input_example.json"
EXAMPLE_ROWS, LOOKED_AT = 5, 1_000
PREDICTION, DISTANCES = "prediction", "distance to each cluster"


def signature(view: FeatureView, classes: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """The columns that go in, any of which may be null, and those that come out.

    Args:
        view: what the model sees.
        classes: of a label of several classes their names, in the order in which they are predicted.
    """
    types = view.types
    names = [f"probability of {name}" for name in classes] if view.label.task is MULTICLASS else [PREDICTION]
    if view.label.task is CLUSTERING:
        outputs = [{"type": "array", "items": {"type": "double"}, "name": DISTANCES, "required": True}]
    else:
        outputs = [{"type": "double", "name": name, "required": True} for name in names]
    return {
        "inputs": [{**_kind(types[name]), "name": name, "required": False} for name in view.feature_names],
        "outputs": outputs,
    }


def mlmodel(said: Mapping[str, Sequence[Mapping[str, Any]]], *, made: str, run_id: str) -> str:
    """The file by which MLflow knows a model: YAML, of which JSON is a part.

    Args:
        said: of `signature`.
        made: when the model was made.
        run_id: the run that made it.
    """
    plain = {
        "flavors": {},
        "run_id": run_id,
        "utc_time_created": made,
        "signature": {name: json.dumps(columns) for name, columns in said.items()} | {"params": None},
        "saved_input_example_info": {"artifact_path": EXAMPLE, "type": "dataframe", "pandas_orient": "split"},
    }
    return json.dumps(plain, indent=1) + "\n"


def example_rows(file: Path, view: FeatureView) -> pa.Table:
    """The first rows of a split of a dataset, as a model sees them; without nulls, if there are such rows early on.

    MLflow, which reads an example through pandas, has no whole numbers that are missing.
    """
    from pyarrow import dataset

    rows = dataset.dataset(file).head(LOOKED_AT, columns=view.feature_names)
    whole = rows.drop_null()
    return (whole if whole.num_rows else rows).slice(0, EXAMPLE_ROWS)


def example_text(rows: pa.Table) -> str:
    """The rows as MLflow reads an example."""
    data = [[_plain(value) for value in row.values()] for row in rows.to_pylist()]
    return json.dumps({"columns": rows.column_names, "data": data}, indent=1, allow_nan=False) + "\n"


def _kind(kind: Type) -> dict[str, Any]:
    match kind:
        case Integer():
            return {"type": "long"}
        case Double() | Decimal():
            return {"type": "double"}
        case Text():
            return {"type": "string"}
        case Boolean():
            return {"type": "boolean"}
        case Timestamp():
            return {"type": "datetime"}
        case Doubles():
            return {"type": "array", "items": {"type": "double"}}
    raise TypeError(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    number = float(value) if isinstance(value, Exact) else value
    return None if isinstance(number, float) and not math.isfinite(number) else number
