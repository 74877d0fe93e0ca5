"""NumPy arrays."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import quote

from platform_ml.exports.matrix import is_number, matrix
from platform_ml.exports.plain import array, is_text, nulls, numbers
from platform_ml.exports.schema import BATCH, bare, checked, chosen, load_sidecar, save_sidecar
from platform_ml.spec.errors import StoreError
from platform_ml.spec.export import FEATURE, LABEL, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    import pyarrow as pa
    from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, kw_only=True)
class Npy:
    """A folder of .npy files for `np.load(file, mmap_mode="r")`; the types are in `schema.json` beside it. Lossless.

    `X.npy` (rows, features) float32 holds the numeric features in their order, NaN where null; `y.npy` (rows,) the
    label as float64. They are there to learn from. Exact are the columns: `columns/<name>.npy` holds the values (zero
    where null), `columns/<name>.null.npy` which are null. Text is `<name>.bytes.npy`, the UTF-8 of all rows in one
    piece, and `<name>.ends.npy`, where each row ends. Decimals are whole numbers to be divided by 10^scale (text
    beyond 18 digits), moments datetime64[us] in UTC. No file needs pickle.
    """

    name: ClassVar[str] = "npy"
    suffix: ClassVar[str] = ""
    loses: ClassVar[Mapping[str, str]] = {}

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """All files grow with each batch."""
        plain = bare(schema)
        save_sidecar(path, plain)
        (path / "columns").mkdir(parents=True)
        rows = 0
        with ExitStack() as stack:
            parts = _parts(plain, path, stack)
            for batch in checked(batches, plain):
                for part in parts:
                    part(batch)
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Slices of the mapped columns."""
        import pyarrow as pa

        wanted = chosen(load_sidecar(path), columns)
        try:
            stored = [_Stored.open(path, field) for field in wanted]
        except (OSError, ValueError, EOFError) as error:
            raise StoreError(f"{path} is no whole folder of arrays ({error}). Export it again.") from error
        rows = len(stored[0])
        if any(len(column) != rows for column in stored):
            raise StoreError(f"{path}: its columns have different lengths. Export it again.")
        for start in range(first, rows, BATCH):
            stop = min(start + BATCH, rows)
            yield pa.RecordBatch.from_arrays([column.cells(start, stop) for column in stored], schema=wanted)

    def blocks(self, path: Path, rows: int) -> list[int]:
        """Any slice can be read alone; these are of a size that is worth reading."""
        return [min(BATCH, rows - start) for start in range(0, rows, BATCH)]


class _Growing:
    """A .npy file whose first axis grows; the header is written again at the end, when its length is known."""

    def __init__(self, path: Path, dtype: DTypeLike, width: int | None = None) -> None:
        import numpy as np

        self._file: BinaryIO = path.open("wb")
        self._dtype, self._width, self._rows = np.dtype(dtype), width, 0
        self._header()

    def append(self, values: NDArray[Any]) -> None:
        self._file.write(values.astype(self._dtype, order="C", copy=False).tobytes())
        self._rows += len(values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            end = self._file.tell()
            self._file.seek(0)
            self._header()
            self._file.seek(end)
        self._file.close()

    def _header(self) -> None:
        # NumPy pads headers so that the first axis can grow to any number without moving the data.
        from numpy.lib import format as npy

        shape = (self._rows,) if self._width is None else (self._rows, self._width)
        described = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, described)


def _parts(schema: pa.Schema, path: Path, stack: ExitStack) -> list[Callable[[pa.RecordBatch], None]]:
    """What each batch is written to."""
    parts = [_column(field, path, stack) for field in schema]
    roles = {field.name: (field.metadata or {}).get(ROLE, b"").decode() for field in schema if is_number(field.type)}
    features = [name for name, role in roles.items() if role == FEATURE]
    labels = [name for name, role in roles.items() if role == LABEL]
    if features:
        wide = stack.enter_context(_Growing(path / "X.npy", "<f4", len(features)))
        parts.append(lambda batch: wide.append(matrix(batch, features)))
    if labels:
        tall = stack.enter_context(_Growing(path / "y.npy", "<f8"))
        parts.append(lambda batch: tall.append(batch[labels[0]].cast("double").to_numpy(zero_copy_only=False)))
    return parts


def _column(field: pa.Field, path: Path, stack: ExitStack) -> Callable[[pa.RecordBatch], None]:
    import numpy as np

    stem, empty = _stem(path, field.name), numbers(_none(field.type)) if not is_text(field.type) else None
    gaps = stack.enter_context(_Growing(stem("null"), "?")) if field.nullable else None
    if empty is not None:
        values = stack.enter_context(_Growing(stem(""), empty.dtype))
    else:
        letters = stack.enter_context(_Growing(stem("bytes"), "u1"))
        ends = stack.enter_context(_Growing(stem("ends"), "<i8"))
    total = 0

    def write(batch: pa.RecordBatch) -> None:
        nonlocal total
        column = batch[field.name]
        if gaps is not None:
            gaps.append(nulls(column))
        if empty is not None:
            values.append(numbers(column))
            return
        words = [(word or "").encode() for word in column.cast("string").to_pylist()]
        places = total + np.cumsum([len(word) for word in words], dtype=np.int64)
        total = int(places[-1]) if words else total
        letters.append(np.frombuffer(b"".join(words), np.uint8))
        ends.append(places)

    return write


def _none(kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    return pa.array([], kind)


def _stem(path: Path, name: str) -> Callable[[str], Path]:
    plain = quote(name, safe="").replace(".", "%2E")
    return lambda part: path / "columns" / (f"{plain}.{part}.npy" if part else f"{plain}.npy")


@dataclass(frozen=True)
class _Stored:
    """One column, mapped into memory."""

    kind: pa.DataType
    values: NDArray[Any]
    """The numbers, or where each text ends."""
    letters: NDArray[Any] | None
    missing: NDArray[Any] | None

    @classmethod
    def open(cls, path: Path, field: pa.Field) -> _Stored:
        """Map the files of a column."""
        import numpy as np

        stem = _stem(path, field.name)
        text = is_text(field.type)
        return cls(
            field.type,
            np.load(stem("ends" if text else ""), mmap_mode="r"),
            np.load(stem("bytes"), mmap_mode="r") if text else None,
            np.load(stem("null"), mmap_mode="r") if field.nullable else None,
        )

    def __len__(self) -> int:
        return len(self.values)

    def cells(self, start: int, stop: int) -> pa.Array:
        """A slice of the column."""
        missing = None if self.missing is None else self.missing[start:stop]
        values = self.values[start:stop]
        if self.letters is None:
            return array(values, missing, self.kind)
        begins = [int(self.values[start - 1]) if start else 0, *values[:-1].tolist()]
        letters = self.letters
        words = [letters[a:b].tobytes().decode() for a, b in zip(begins, values.tolist(), strict=True)]
        return array(words, missing, self.kind)
