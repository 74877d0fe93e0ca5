"""The laws of formats: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.adapters.folders import Folders
from platform_ml.engine.delivery import read
from platform_ml.engine.feed import landing_file
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.ports import WHOLE
from platform_ml.formats import Parquet
from platform_ml.spec.errors import SourceError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.schema import Boolean, Column, Double, Integer
from platform_ml.spec.source import Source
from platform_ml.testing import features

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.engine.delivery import Delivery
    from platform_ml.spec.source import Format

arrivals = Source(
    name="arrivals",
    description="Rows with a column of every type.",
    format=Parquet(),
    columns=(
        Column("n", Integer()),
        *(replace(column, nullable=True) for column in features.visits.columns),
        Column("weight", Double(), nullable=True),
        Column("paid", Boolean(), nullable=True),
    ),
    key=("n",),
    max_rejected_share=1.0,
)
SCHEMA = pa.schema([("n", pa.int64()), *features.SCHEMA, ("weight", pa.float64()), ("paid", pa.bool_())])


def rows(count: int, seed: int = 1) -> pa.Table:
    """Random rows of `arrivals`; `n` counts them."""
    events = features.table(features.invented(seed, events=count)).to_pydict()
    weights = [None if n % 5 == 0 else n / 7 for n in range(count)]
    paid = [[True, False, None][n % 3] for n in range(count)]
    return pa.table({"n": range(count), **events, "weight": weights, "paid": paid}, schema=SCHEMA)


class FormatContract:
    """What every format promises: whole files are read as they are, and others are never read as if they were whole."""

    lined: ClassVar[bool] = False
    """Whether a row has a line of its own."""

    @pytest.fixture
    def form(self) -> Format:
        """The member under test."""
        raise NotImplementedError

    def write(self, file: Path, rows: pa.Table) -> None:
        """How a supplier writes such a file."""
        raise NotImplementedError

    @pytest.fixture
    def work(self, tmp_path: Path) -> Work:
        """Somewhere to deliver to."""
        return work_in(tmp_path / "landing")

    def deliver(self, form: Format, work: Work, rows: pa.Table) -> Path:
        """Write a file where the source expects it."""
        file = landing_file(replace(arrivals, format=form), WHOLE, work)
        file.parent.mkdir(parents=True, exist_ok=True)
        self.write(file, rows)
        return file

    def found(self, form: Format, work: Work) -> Delivery:
        """What is read of it."""
        return read(replace(arrivals, format=form), WHOLE, work=work)

    def test_says_what_it_is(self, form: Format) -> None:
        assert form.suffix.startswith(".")
        assert fingerprint(form) == fingerprint(form)

    def test_rows_come_back(self, form: Format, work: Work) -> None:
        file = self.deliver(form, work, rows(500))
        assert form.problem(str(file)) is None
        found = self.found(form, work)
        assert found.accepted.equals(rows(500))
        assert found.rejected.num_rows == 0

    def test_a_bad_row_is_kept_with_its_number(self, form: Format, work: Work) -> None:
        numbers = [None if n in {7, 300} else n for n in range(500)]
        file = self.deliver(form, work, rows(500).set_column(0, "n", pa.array(numbers, pa.int64())))
        found = self.found(form, work)
        assert found.accepted.equals(rows(500).filter(pa.array([n not in {7, 300} for n in range(500)])))
        kept = found.rejected.to_pylist()
        assert [(row["row_number"], row["reasons"]) for row in kept] == [(7, "n is null"), (300, "n is null")]
        assert [row["line"] is not None for row in kept] == [self.lined] * 2
        lines = file.read_bytes().split(b"\n")
        for row in kept:
            seen = rows(500)["seen_at"][row["row_number"]].as_py()
            assert str(seen.date()) in row["record"]
            assert not self.lined or str(seen.date()).encode() in lines[row["line"] - 1]

    def test_a_file_without_rows_is_whole(self, form: Format, work: Work) -> None:
        file = self.deliver(form, work, SCHEMA.empty_table())
        assert form.problem(str(file)) is None
        found = self.found(form, work)
        assert (found.accepted.num_rows, found.rejected.num_rows) == (0, 0)

    @pytest.mark.parametrize("name", ["it's", 'a "b"', "ä ö", "a;b", "100%", "[x]", "a*b?"])
    def test_a_path_may_be_called_anything(self, form: Format, tmp_path: Path, name: str) -> None:
        work = work_in(tmp_path / name)
        self.deliver(form, work, rows(20))
        assert self.found(form, work).accepted.num_rows == 20

    def test_text_stays_as_it_is(self, form: Format, work: Work) -> None:
        items = ["", " ", "ß€𝄞", "a,b\n", "'\"\\", None, "=1+1", "NULL", "\\n", "a\tb", "x" * 100_000, "نص", "1e5"]
        blank = rows(len(items))
        self.deliver(form, work, blank.set_column(2, "item", pa.array(items)))
        assert self.found(form, work).accepted["item"].to_pylist() == items

    def test_numbers_at_their_limits(self, form: Format, work: Work) -> None:
        pieces = [2**63 - 1, -(2**63), 2**53 + 1, 0]
        weights = [1.7976931348623157e308, 5e-324, -0.0, 0.1]
        limits = rows(4).set_column(4, "pieces", pa.array(pieces)).set_column(6, "weight", pa.array(weights))
        self.deliver(form, work, limits)
        assert self.found(form, work).accepted.equals(limits)

    def test_columns_may_come_in_another_order_and_with_others(self, form: Format, work: Work) -> None:
        more = rows(9).append_column("till", pa.array(["x"] * 9))
        self.deliver(form, work, more.select(more.column_names[::-1]))
        assert self.found(form, work).accepted.equals(rows(9))

    def test_a_missing_column_refuses_the_file(self, form: Format, work: Work) -> None:
        renamed = [{"pieces": "peices"}.get(name, name) for name in SCHEMA.names]
        self.deliver(form, work, rows(9).rename_columns(renamed))
        with pytest.raises(SourceError, match=r"column 'pieces' is missing\. Did you mean 'peices'\?"):
            self.found(form, work)

    def test_a_word_is_no_number(self, form: Format, work: Work) -> None:
        words = ["many" if n == 3 else str(n) for n in range(9)]
        self.deliver(form, work, rows(9).set_column(4, "pieces", pa.array(words)))
        if form.typed:
            with pytest.raises(SourceError, match="column 'pieces' is VARCHAR, declared is BIGINT"):
                self.found(form, work)
            return
        found = self.found(form, work)
        assert found.accepted["pieces"].to_pylist() == [n for n in range(9) if n != 3]
        assert found.rejected["reasons"].to_pylist() == ["pieces is not a BIGINT"]

    @pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    def test_a_file_that_was_cut_off_is_not_read(self, form: Format, work: Work, share: float) -> None:
        file = self.deliver(form, work, rows(500))
        whole = file.read_bytes()
        kept = whole[: int(len(whole) * share)]
        # Where a line ends nobody can see that others followed.
        file.write_bytes(kept.rstrip(b"\n")[:-1] if kept.endswith(b"\n") else kept)
        self.assert_refused(form, work)

    @pytest.mark.parametrize("content", [b"", b"x", b"<html>Not found</html>", b"\0" * 5_000], ids=repr)
    def test_another_file_is_not_read(self, form: Format, work: Work, content: bytes) -> None:
        self.deliver(form, work, rows(1)).write_bytes(content)
        self.assert_refused(form, work)

    def assert_refused(self, form: Format, work: Work) -> None:
        """It says which file, and why."""
        with pytest.raises(SourceError, match=f"arrivals, partition all: .*{form.suffix} cannot be read: "):
            self.found(form, work)


def work_in(landing: Path) -> Work:
    """As much of a platform as reading takes."""
    nothing: Any = None
    platform = Platform(
        landing=landing,
        tables=nothing,
        compute=DuckDB(memory="500MB", threads=2),
        artifacts=Folders(landing.parent / "artifacts"),
        tracker=nothing,
        registry=nothing,
    )
    return Work(project="shop", platform=platform, say=lambda _: None)
