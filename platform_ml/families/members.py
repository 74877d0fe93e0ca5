"""What ensembles have in common: fitted members, and one file that holds the native file of each."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import DeclarationError, NotPortable, StoreError
from platform_ml.spec.family import Categorical, Portable
from platform_ml.spec.space import member_names
from platform_ml.spec.task import MULTICLASS, RANKING, Task

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.families.encoding import Encoding
    from platform_ml.spec.family import Family, Predictor, Rows

MANIFEST = "manifest.json"


def check_members(family: Any, members: Sequence[Family]) -> tuple[Task, ...]:
    """What all members learn; `DeclarationError` when there are too few, or nothing that all of them learn.

    A ranking is not among it: scores of two models have no common scale.
    """
    where = type(family).__name__
    if len(members) < 2:  # noqa: PLR2004 - an ensemble
        raise DeclarationError(f"{where} has {len(members) or 'no'} members. Use two or more, or the one as it is.")
    shared = [task for task in Task if task is not RANKING and all(task in member.tasks for member in members)]
    if not shared:
        raise DeclarationError(f"{where}: there is no label that all of its members learn.")
    return tuple(shared)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some rows of a split, with matrices of their own."""

    features: pa.Table
    label: NDArray[np.float64]
    entity: NDArray[np.int64]
    task: Task
    weight: NDArray[np.float64] | None
    classes: tuple[str, ...]
    group: NDArray[np.int64] | None = None
    cache: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, taken: NDArray[np.int64]) -> Part:
        """The rows at these places."""
        return cls(
            features=rows.features.take(taken),
            label=rows.label[taken],
            entity=rows.entity[taken],
            task=rows.task,
            weight=None if rows.weight is None else rows.weight[taken],
            classes=rows.classes,
        )


@dataclass(frozen=True, kw_only=True)
class Members:
    """Fitted members of an ensemble, by name."""

    names: tuple[str, ...]
    members: tuple[Predictor, ...]
    task: Task
    classes: tuple[str, ...]

    def unseen(self, rows: pa.Table) -> dict[str, int]:
        """Category → rows with a text that training never saw, which every member takes as missing."""
        found: dict[str, int] = {}
        for member in self.members:
            if isinstance(member, Categorical):
                found |= member.unseen(rows)
        return found

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """(n, features) what the graph is fed with: rows as every member encodes them."""
        first: Any = self.members[0]
        values: NDArray[np.float32] = first.inputs(rows)
        return values

    def graphs(self) -> tuple[list[bytes], Encoding]:
        """The graph of each member, and how rows are encoded; `NotPortable` unless all encode them alike."""
        found, encodings = [], []
        for name, member in zip(self.names, self.members, strict=True):
            if not isinstance(member, Portable):
                raise NotPortable(f"its member {name} has no ONNX graph")
            found.append(member.onnx())
            encodings.append(getattr(member, "encoding", None))
        if encodings[0] is None or any(one != encodings[0] for one in encodings):
            raise NotPortable(
                f"its members encode categories ({', '.join(_categories(encodings))}) each in its own way"
            )
        return found, encodings[0]


def _categories(encodings: Sequence[Any]) -> list[str]:
    return sorted({name for one in encodings if one is not None for name in one.levels})


def widths(task: Task, classes: Sequence[str]) -> list[str]:
    """What each number of a member's prediction is of: a class, or nothing to tell apart."""
    return [f".{one}" for one in classes] if task is MULTICLASS else [""]


def pack(file: Path, predictors: Mapping[str, Predictor], plain: Mapping[str, Any]) -> Path:
    """Write the native files side by side into one archive (tar, not compressed): equal models give equal bytes."""
    import tarfile

    saved, contents = {}, {}
    for name, predictor in predictors.items():
        with TemporaryDirectory() as folder:
            one = predictor.save(Path(folder))
            saved[name] = f"{name}{one.suffix}"
            contents[saved[name]] = one.read_bytes()
    manifest = json.dumps({**plain, "files": saved}, sort_keys=True, allow_nan=False).encode()
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in {MANIFEST: manifest, **contents}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file


@contextmanager
def unpacked(file: Path, names: Sequence[str]) -> Iterator[tuple[dict[str, Any], dict[str, Path]]]:
    """What `pack` wrote: the plain values, and name → native file; nothing of it is run.

    Raises:
        StoreError: The file is no such archive, or of other members than are declared now.
    """
    import tarfile

    with TemporaryDirectory() as folder:
        try:
            with tarfile.open(file, "r:") as archive:
                plain = json.loads(_content(archive, MANIFEST))
                files = {
                    name: Path(folder) / f"{place}{Path(plain['files'][name]).suffix}"
                    for place, name in enumerate(names)
                }
                for name, target in files.items():
                    target.write_bytes(_content(archive, plain["files"][name]))
            if sorted(plain["files"]) != sorted(names):
                raise KeyError(f"members {', '.join(plain['files'])}, not {', '.join(names)}")  # noqa: TRY301
        except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} does not hold the members ({error}). Materialize the model again.") from error
        yield plain, files


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found.read()


def task_in(file: Path, plain: Mapping[str, Any]) -> tuple[Task, tuple[str, ...]]:
    """The label that an archive was made for."""
    try:
        return Task(plain["task"]), tuple(plain["classes"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file} does not say its label ({error!r}). Materialize the model again.") from error


def named(members: Sequence[Family]) -> dict[str, Family]:
    """Name → member, in order."""
    return dict(zip(member_names(members), members, strict=True))
