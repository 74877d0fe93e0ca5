"""The laws of exports: a member's test class inherits them."""

from __future__ import annotations

import gc
import hashlib
import random
import tracemalloc
import weakref
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa
import pytest

from platform_ml.spec.errors import RowsError
from platform_ml.spec.export import ENTITY, FEATURE, LABEL, ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from platform_ml.spec.export import FileFormat

MOMENT = pa.timestamp("us", tz="UTC")
WORDS = ["", None, " ", "ß€𝄞", "a,b;c\t\n\"q\" 'x'\r\ny\rz", "nan", "null", "NA", "=1+1", "\\N", "\u2028", "\\"]
CASES = {
    "int64": pa.array([2**63 - 1, -(2**63), 2**53 + 1, 0, None]),
    "int8": pa.array([127, -128, None], pa.int8()),
    "int16": pa.array([2**15 - 1, -(2**15), None], pa.int16()),
    "int32": pa.array([2**31 - 1, -(2**31), None], pa.int32()),
    "uint8": pa.array([255, 0, None], pa.uint8()),
    "uint16": pa.array([2**16 - 1, 0, None], pa.uint16()),
    "uint32": pa.array([2**32 - 1, 0, None], pa.uint32()),
    "double": pa.array([0.1, float("nan"), None, float("inf"), -float("inf"), -0.0, 5e-324, 1.7976931348623157e308]),
    "float": pa.array([0.1, float("nan"), None, float("inf"), -float("inf"), -0.0, 1e-45, 3.4e38], pa.float32()),
    "bool": pa.array([True, False, None]),
    "text": pa.array(WORDS),
    "text_with_nul": pa.array(["a\0b", "\0", None]),
    "long_text": pa.array(["x" * 1_500_000, "\n" * 70_000, None]),
    "moment": pa.array(
        [
            datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            datetime(2261, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            None,
        ],
        MOMENT,
    ),
    "day": pa.array([date(1900, 1, 1), date(2261, 12, 31), None, date(1970, 1, 1)]),
    "decimal": pa.array([Decimal("9999999.99"), Decimal("-0.01"), None, Decimal(0)], pa.decimal128(9, 2)),
    "fine_decimal": pa.array([Decimal("1E-18"), Decimal("-0.999999999999999999")], pa.decimal128(18, 18)),
    "wide_decimal": pa.array(
        [Decimal("1234567890123456789012345678.0123456789"), Decimal("-1E-10"), None, Decimal(0)],
        pa.decimal128(38, 10),
    ),
    "only_nulls": pa.array([None] * 3, pa.int64()),
    "no_rows": pa.array([], pa.string()),
}  # fmt: skip
SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.int64(), nullable=False, metadata={ROLE: ENTITY.encode()}),
        pa.field("event_time", MOMENT),
        pa.field("visits", pa.int64(), metadata={ROLE: FEATURE.encode()}),
        pa.field("share", pa.float32(), metadata={ROLE: FEATURE.encode()}),
        pa.field("student", pa.bool_(), metadata={ROLE: FEATURE.encode()}),
        pa.field("amount", pa.decimal128(9, 2), metadata={ROLE: FEATURE.encode()}),
        pa.field("word", pa.string()),
        pa.field("lapsed", pa.bool_(), nullable=False, metadata={ROLE: LABEL.encode()}),
    ]
)
LETTERS = "aZ ,;\t\n\r\"'\\äß€𝄞\u0301{}[]=+-@0.null"
MOST_ALIVE = 3
"""Batches: the one that is written, the one that is made, and one that a loop variable still holds."""


def invented(rows: int, seed: int = 1) -> pa.Table:
    """Rows like a training dataset's, with nulls, NaN and unpleasant text."""
    draw = random.Random(seed)  # noqa: S311 - rows, no secrets
    begin = datetime(1960, 1, 1, tzinfo=UTC)

    def maybe(value: object) -> object:
        return None if draw.random() < 0.2 else value

    return pa.Table.from_pylist(
        [
            {
                "customer_id": draw.randrange(-(2**63), 2**63),
                "event_time": maybe(begin + timedelta(microseconds=draw.randrange(10**16))),
                "visits": maybe(draw.randrange(100)),
                "share": maybe(draw.choice([draw.random(), float("nan")])),
                "student": maybe(draw.random() < 0.5),
                "amount": maybe(Decimal(draw.randrange(-(10**9) + 1, 10**9)).scaleb(-2)),
                "word": maybe("".join(draw.choices(LETTERS, k=draw.randrange(12)))),
                "lapsed": draw.random() < 0.5,
            }
            for _ in range(rows)
        ],
        schema=SCHEMA,
    )


def cells(table: pa.Table) -> list[str]:
    """The rows as text, in which NaN equals NaN and -0.0 is not 0.0."""
    return [repr(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


class ExportContract:
    """What every format promises: what was written comes back as it was, a bounded number of rows at a time."""

    gaps: ClassVar[Mapping[str, str]] = {}
    """Case → why the format refuses it. What it takes and changes is in its `loses`."""

    @pytest.fixture
    def form(self) -> FileFormat:
        """The member under test."""
        raise NotImplementedError

    @pytest.fixture
    def path(self, form: FileFormat, tmp_path: Path) -> Path:
        """Where it writes."""
        return tmp_path / f"train{form.suffix}"

    def test_says_what_it_is(self, form: FileFormat) -> None:
        assert form.name == form.name.lower()
        assert not form.suffix or form.suffix.startswith(".")

    @pytest.mark.parametrize("case", CASES)
    def test_values_come_back_as_they_were(
        self, form: FileFormat, path: Path, case: str, request: pytest.FixtureRequest
    ) -> None:
        table = pa.table({case: CASES[case]})
        reason = form.loses.get(str(CASES[case].type)) or self.gaps.get(case)
        if reason:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
        written = form.write(table.to_batches(), table.schema, path)
        assert written == table.num_rows
        assert cells(read(form, path, table.schema)) == cells(table)

    @pytest.mark.parametrize("rows", [0, 1, 4_095, 4_096, 4_097, 9_000])
    def test_rows_come_back_in_their_order(self, form: FileFormat, path: Path, rows: int) -> None:
        table = invented(rows)
        assert form.write(table.to_batches(1_000), table.schema, path) == rows
        assert cells(read(form, path, SCHEMA)) == cells(table)

    def test_reading_begins_at_any_row(self, form: FileFormat, path: Path) -> None:
        table = invented(9_000)
        form.write(table.to_batches(700), table.schema, path)
        for first in (0, 1, 699, 700, 4_096, 5_000, 8_999, 9_000, 10_000):
            assert cells(read(form, path, SCHEMA, first=first)) == cells(table.slice(first))

    def test_columns_are_chosen(self, form: FileFormat, path: Path) -> None:
        table = invented(50)
        form.write(table.to_batches(7), table.schema, path)
        some = table.select(["word", "visits"]).slice(8)
        assert cells(read(form, path, some.schema, columns=["word", "visits"], first=8)) == cells(some)
        with pytest.raises(RowsError, match="There is no column 'vists'"):
            list(form.read(path, columns=["vists"]))

    def test_blocks_are_all_rows(self, form: FileFormat, path: Path) -> None:
        table = invented(9_000)
        form.write(table.to_batches(700), table.schema, path)
        assert sum(form.blocks(path, 9_000)) == 9_000
        assert all(rows > 0 for rows in form.blocks(path, 9_000))

    @pytest.mark.parametrize("name", ["ä ö", "a/b", "..", "a,b", 'a "b"', "A\nB", "%2E", "𝄞", "null", "x.null"])
    def test_a_column_may_be_called_anything(self, form: FileFormat, path: Path, name: str) -> None:
        table = pa.table({"x": [1, 2], name: pa.array(["one", None]), "y": [0.5, None]})
        table = table.set_column(2, "y", table["y"].cast(pa.float32()))
        form.write(table.to_batches(), table.schema, path)
        assert read(form, path, table.schema).equals(table)

    def test_many_columns(self, form: FileFormat, path: Path) -> None:
        table = pa.table({f"column_{n}": pa.array([n, None]) for n in range(500)})
        form.write(table.to_batches(), table.schema, path)
        assert read(form, path, table.schema).equals(table)

    def test_the_same_rows_make_the_same_bytes(self, form: FileFormat, tmp_path: Path) -> None:
        table = invented(500)
        found = []
        for name in ("a", "b"):
            folder = tmp_path / name
            folder.mkdir()
            form.write(table.to_batches(100), table.schema, folder / f"train{form.suffix}")
            files = sorted(file for file in folder.rglob("*") if file.is_file())
            found.append([(str(f.relative_to(folder)), hashlib.sha256(f.read_bytes()).hexdigest()) for f in files])
        assert found[0] == found[1]

    @pytest.mark.parametrize(
        ("schema", "problem"),
        [
            (pa.schema([]), "no columns"),
            (pa.schema([("x", pa.int64()), ("x", pa.int64())]), "several columns 'x'"),
            (pa.schema([("x", pa.list_(pa.int64()))]), "'x' is list"),
            (pa.schema([("x", pa.timestamp("us"))]), r"'x' is timestamp\[us\]"),
            (pa.schema([("x", pa.timestamp("ns", tz="UTC"))]), r"'x' is timestamp\[ns, tz=UTC\]"),
            (pa.schema([("", pa.int64())]), "no name"),
        ],
    )
    def test_what_no_export_holds_is_refused(
        self, form: FileFormat, path: Path, schema: pa.Schema, problem: str
    ) -> None:
        with pytest.raises(RowsError, match=problem):
            form.write([], schema, path)

    def test_a_batch_of_another_schema_is_refused(self, form: FileFormat, path: Path) -> None:
        other = pa.record_batch({"x": pa.array([1], pa.int32())})
        with pytest.raises(RowsError, match="other columns"):
            form.write([other], pa.schema([("x", pa.int64())]), path)

    def test_a_null_where_none_may_be_is_refused(self, form: FileFormat, path: Path) -> None:
        with pytest.raises(RowsError, match="'x' may not be null, but 1 "):
            form.write(
                [pa.record_batch({"x": pa.array([1, None])})],
                pa.schema([pa.field("x", pa.int64(), nullable=False)]),
                path,
            )

    def test_batches_are_let_go_while_writing(self, form: FileFormat, path: Path) -> None:
        """A writer that collected its input would hold more of these than may be alive."""
        made: list[weakref.ref[Any]] = []

        def batches() -> Iterator[pa.RecordBatch]:
            for number in range(12):
                gc.collect()
                alive = sum(batch() is not None for batch in made)
                assert alive < MOST_ALIVE, f"{alive} batches are held while number {number} is asked for"
                batch = invented(20, number).to_batches()[0]
                made.append(weakref.ref(batch))
                yield batch
                del batch

        with quick_collections():
            assert form.write(batches(), SCHEMA, path) == 240

    def frugal(self, form: FileFormat) -> FileFormat:
        """The member, told to read little at once where it can be told."""
        return form

    def test_four_times_the_rows_take_no_more_memory(self, form: FileFormat, tmp_path: Path) -> None:
        form = self.frugal(form)
        first, written, back = tmp_path / f"first{form.suffix}", [], []
        form.write(wide(1), WIDE, first)
        assert sum(batch.num_rows for batch in form.read(first)) == 500  # which has loaded the libraries
        for times in (1, 4):
            path = tmp_path / str(times) / f"train{form.suffix}"
            path.parent.mkdir()
            with quick_collections(), Peak() as peak:
                form.write(peak.watched(wide(12 * times)), WIDE, path)
            written.append(peak.bytes)
            with quick_collections(), Peak() as peak:
                rows = sum(batch.num_rows for batch in peak.watched(form.read(path)))
            back.append(peak.bytes)
            assert rows == 6_000 * times
        assert written[1] < 1.4 * written[0] + AHEAD
        assert back[1] < 1.4 * back[0] + AHEAD


AHEAD = 2_000_000
"""Bytes: a reader in a thread of its own runs ahead as far as it is given time. 24,000 rows have 9.6 million."""
WIDE = pa.schema([("n", pa.int64()), ("text", pa.string())])


def wide(count: int) -> Iterator[pa.RecordBatch]:
    """So many batches of 500 rows of 400 bytes."""
    for number in range(count):
        rows = range(500 * number, 500 * (number + 1))
        yield pa.record_batch([pa.array(rows, pa.int64()), pa.array([f"{row:>392}" for row in rows])], schema=WIDE)


@contextmanager
def quick_collections() -> Iterator[None]:
    """What else the tests hold is not searched for garbage."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class Peak:
    """The most memory of Python, NumPy and Arrow between batches."""

    bytes = 0

    def __enter__(self) -> Self:
        gc.collect()
        self._arrow = pa.total_allocated_bytes()
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = max(self.bytes, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    def watched(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches, with a look at the memory at each."""
        for batch in batches:
            arrow = pa.total_allocated_bytes() - self._arrow
            self.bytes = max(self.bytes, arrow + tracemalloc.get_traced_memory()[0])
            yield batch


def read(form: FileFormat, path: Path, schema: pa.Schema, **options: Any) -> pa.Table:
    """All rows in one table; every batch has the schema that was written, roles included."""
    batches = list(form.read(path, **options))
    assert all(batch.schema.equals(schema, check_metadata=True) for batch in batches)
    return pa.Table.from_batches(batches, schema=schema)
