"""What a registered version says of itself besides its numbers: signature, example, dataset and feature groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.engine import dataset_checks
from platform_ml.engine.signature import EXAMPLE, MLMODEL, example_rows, example_text, mlmodel, signature
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.task import MULTICLASS
from platform_ml.spec.training_dataset import TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.tuned_model import TunedModel


def dataset_of(model: TunedModel, trained: Artifact, *, work: Work) -> Artifact:
    """The published dataset that a model was trained on, whatever its dataset is today."""
    wanted = trained.record["dataset"]
    found = work.published(dataset_checks.KIND, model.dataset, wanted)
    if found is None:
        raise MissingInputError(
            f"{work.table(model)} was trained on {model.dataset.name}@{wanted[:12]}, which is not there. Restore it "
            "from a backup: a registered version carries an example of its rows, and their versions."
        )
    return found


def classes_of(model: TunedModel, dataset: Artifact) -> list[str]:
    """Of a label of several classes their names, in the order in which they are predicted."""
    return list(dataset.record["split"]["classes"]) if model.dataset.view.label.task is MULTICLASS else []


def described(model: TunedModel, dataset: Artifact, folder: Path, *, made: str, run_id: str) -> dict[str, Path]:
    """Write signature and example into a folder: path in the version → file.

    Args:
        model: whose view and label say what goes in and comes out.
        dataset: what it was trained on; the example is its first training rows.
        folder: where to write.
        made: when the model was made.
        run_id: the run that made it.
    """
    view = model.dataset.view
    texts = {
        MLMODEL: mlmodel(signature(view, classes_of(model, dataset)), made=made, run_id=run_id),
        EXAMPLE: example_text(example_rows(dataset.folder / f"{TRAIN}.parquet", view)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in texts}


def made_from(model: TunedModel, dataset: Artifact, *, work: Work) -> dict[str, Any]:
    """The dataset and every table behind it by version and content: feature groups apart from the other tables."""
    groups = {work.table(selection.group) for selection in model.dataset.view.selections}
    tables: list[Mapping[str, Any]] = dataset.record["tables"]

    def pinned(*, of_groups: bool) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for table in tables:
            if (table["asset"] in groups) is of_groups:
                found.setdefault(table["asset"], []).append({name: table[name] for name in ("version", "content")})
        return found

    return {
        "name": work.table(model.dataset),
        "digest": dataset.digest,
        "content": dataset.record["content"],
        "feature_groups": pinned(of_groups=True),
        "tables": pinned(of_groups=False),
    }
