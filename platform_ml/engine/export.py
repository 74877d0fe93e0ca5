"""Published training datasets written in a format that others read: all of it or nothing, with checksums."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml import exports
from platform_ml.engine.content import file_sha256
from platform_ml.engine.durable import sync_path
from platform_ml.exports.schema import as_json, bare, from_json
from platform_ml.readers.order import cut
from platform_ml.spec.errors import PlatformError, RowsError, StoreError, did_you_mean
from platform_ml.spec.export import ENTITY, FEATURE, HELPER, KNOWN, LABEL, MOMENT, ROLE, StoredFile, StoredRows
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.export import FileFormat

MANIFEST = "export.json"
ROWS_PER_FILE = 1_000_000
ROWS_PER_BATCH = 16_384
"""What is held at once: a row group of Parquet, a record batch of Arrow."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """A folder of one or more splits in one format."""

    folder: Path
    manifest: Mapping[str, Any]
    """Plain JSON: dataset, digest, format, columns, the files of each split with their rows, sha256 of every file."""

    def rows(self, split: str) -> StoredRows:
        """A split, for readers."""
        found = self.manifest["splits"]
        if split not in found:
            raise RowsError(
                f"{self.folder} has no split {split!r}.{did_you_mean(split, found)} It has {', '.join(found)}."
            )
        return StoredRows(
            format=format_named(self.manifest["format"]),
            files=tuple(
                StoredFile(path=self.folder / file["path"], rows=file["rows"]) for file in found[split]["files"]
            ),
            schema=from_json(self.manifest["columns"]),
        )


def formats() -> dict[str, FileFormat]:
    """What can be exported to, by name."""
    found = [getattr(exports, member)() for member in exports.__all__]
    return {form.name: form for form in found}


def format_named(name: str) -> FileFormat:
    """The format of this name."""
    known = formats()
    if name not in known:
        raise PlatformError(f"There is no format {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
    return known[name]


def published(artifact: Artifact, split: str) -> StoredRows:
    """A split of a published dataset as it lies there, for readers that need no export."""
    import pyarrow.parquet as pq

    if split not in SPLITS:
        raise RowsError(f"There is no split {split!r}.{did_you_mean(split, SPLITS)} There are {', '.join(SPLITS)}.")
    path = artifact.folder / f"{split}.parquet"
    with pq.ParquetFile(path) as file:
        rows, schema = file.metadata.num_rows, file.schema_arrow
    stored = StoredFile(path=path, rows=rows)
    return StoredRows(format=exports.Parquet(), files=(stored,), schema=_with_roles(schema, artifact.record))


def export(
    artifact: Artifact,
    form: FileFormat,
    to: Path,
    *,
    name: str,
    splits: Sequence[str] = SPLITS,
    rows_per_file: int = ROWS_PER_FILE,
) -> Export:
    """Write these splits into the folder `to`, which appears whole or not at all.

    Files hold `rows_per_file` rows at most. The same export that is already there is left as it is.

    Raises:
        StoreError: a file of the dataset was changed; `to` holds something else, or cannot be written.
    """
    if damage := artifact.damage():
        raise StoreError(f"{damage[0]}. Restore it from a backup, or delete the folder and materialize again.")
    if rows_per_file < 1:
        raise PlatformError(f"rows_per_file is {rows_per_file}. A file holds 1 row at least.")
    to, sources = to.absolute(), {split: published(artifact, split) for split in splits}
    schema = bare(next(iter(sources.values())).schema, lists=True)
    head = {
        "dataset": name,
        "cutoff": artifact.record["cutoff"],
        "digest": artifact.digest,
        "format": form.name,
        "rows_per_file": rows_per_file,
        "columns": as_json(schema),
        "loses": {kind: why for kind, why in form.loses.items() if kind in map(str, schema.types)},
    }
    if there := _there(to, head, splits):
        return there
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
        try:
            written = {split: _write(rows, form, aside, split, rows_per_file) for split, rows in sources.items()}
            files = {file.relative_to(aside).as_posix(): file_sha256(file) for file in _files(aside)}
            text = json.dumps(head | {"splits": written, "files": files}, indent=1, ensure_ascii=False) + "\n"
            (aside / MANIFEST).write_text(text, encoding="utf-8")
            _publish(aside, to)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    except OSError as error:
        raise StoreError(f"{to}: cannot write ({error.strerror or error}). Nothing is left there.") from error
    return open_export(to, verify=False)


def open_export(folder: Path, *, verify: bool = True) -> Export:
    """An export that was written before; `StoreError` where a file is not what its manifest says."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder} holds no export: {MANIFEST} cannot be read ({error}). Export it again.") from error
    found = Export(folder=folder, manifest=manifest)
    if verify:
        for path, expected in manifest["files"].items():
            if not (folder / path).is_file():
                raise StoreError(f"{folder / path} is missing. Export it again.")
            if file_sha256(folder / path) != expected:
                raise StoreError(f"{folder / path} was changed: its sha256 is not {expected[:12]}…. Export it again.")
    return found


def _write(rows: StoredRows, form: FileFormat, folder: Path, split: str, rows_per_file: int) -> dict[str, Any]:
    size = min(ROWS_PER_BATCH, rows_per_file)
    per_file = rows_per_file // size
    count = max(1, -(-rows.rows // (per_file * size)))
    stream = cut(rows.batches(), size)
    files: list[dict[str, Any]] = []
    for number in range(count):
        stem = split if count == 1 else f"{split}-{number:05d}-of-{count:05d}"
        path = folder / f"{stem}{form.suffix}"
        files.append({"path": path.name, "rows": form.write(islice(stream, per_file), rows.schema, path)})
    if sum(file["rows"] for file in files) != rows.rows:
        raise StoreError(f"Of {rows.rows:,} rows of {split}, others were written. Materialize the dataset again.")
    return {"rows": rows.rows, "files": files}


def _there(to: Path, head: Mapping[str, Any], splits: Sequence[str]) -> Export | None:
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return None
    try:
        found = open_export(to)
    except StoreError as error:
        raise StoreError(f"{to} is not empty, and no whole export ({error}). Choose another folder.") from error
    if {key: found.manifest.get(key) for key in head} != dict(head) or list(found.manifest["splits"]) != list(splits):
        raise StoreError(f"{to} holds another export, of {found.manifest['dataset']}. Choose another folder.")
    return found


def _with_roles(schema: pa.Schema, record: Mapping[str, Any]) -> pa.Schema:
    """Besides features and helpers there are the entity, its moment, the label, and when that was known."""
    import pyarrow as pa

    roles = dict.fromkeys(record["features"], FEATURE) | dict.fromkeys(record["helpers"], HELPER)
    roles |= {EVENT_TIME: MOMENT, KNOWN_TIME: KNOWN}
    entity, label = (name for name in schema.names if name not in roles)
    roles |= {entity: ENTITY, label: LABEL}
    fields = [field.with_metadata({ROLE: roles[field.name].encode()}) for field in schema]
    return pa.schema(fields)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _publish(aside: Path, to: Path) -> None:
    for path in (*aside.rglob("*"), aside):
        sync_path(path)
    aside.chmod(0o755)
    aside.rename(to)
    sync_path(to.parent)
