"""The laws of splitters: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.sql import literal
from platform_ml.spec.training_dataset import SPLITS, TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.spec.training_dataset import Splitter

    Row = tuple[int, datetime | None]
    """Entity and event time."""

CUTOFF = datetime(2024, 6, 10, tzinfo=UTC)
ENTITIES = 5


class SplitterContract:
    """What every splitter promises: later splits are for later moments, and nothing leaks from one into the next."""

    @pytest.fixture
    def splitter(self) -> Splitter:
        """The member under test, without a gap of its own."""
        raise NotImplementedError

    @pytest.fixture(params=[0, 1, 7, 30], ids="gap {} d".format)
    def gap(self, request: pytest.FixtureRequest) -> int:
        """The days between splits that declarations demand."""
        days: int = request.param
        return days

    @pytest.fixture
    def rows(self) -> list[Row]:
        """Moments from long before to a while after the cutoff: at midnight, and at any time."""
        draw = np.random.default_rng(5)
        midnights = [(who, CUTOFF + timedelta(days=day)) for day in range(-280, 20) for who in range(ENTITIES)]
        seconds = draw.integers(-280 * 86_400, 20 * 86_400, 500).tolist()
        return [*midnights, *((n % ENTITIES, CUTOFF + timedelta(seconds=s)) for n, s in enumerate(seconds))]

    def test_says_what_it_does(self, splitter: Splitter, gap: int) -> None:
        says = splitter.says(gap)
        assert says.endswith(".")
        assert str(gap) in says
        assert fingerprint(splitter) == fingerprint(splitter)

    def test_cannot_be_changed(self, splitter: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(splitter, fields(splitter)[0].name, None)

    def test_there_are_only_the_three_splits_and_gaps(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        assert set(split_of(splitter, rows, gap).values()) - {None} == set(SPLITS)

    def test_the_order_of_rows_does_not_matter(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        other = np.random.default_rng(1).permutation(len(rows))
        assert split_of(splitter, [rows[n] for n in other], gap) == split_of(splitter, rows, gap)

    def test_new_rows_never_move_old_ones(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        after = split_of(splitter, rows, gap)
        for some in (rows[:700], rows[::3], rows[:1]):
            assert split_of(splitter, some, gap).items() <= after.items()

    def test_the_gap_is_kept(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, TEST)):
            found = split_of(splitter, rows, gap)
            distance = min(moments(found, later)) - max(moments(found, earlier))
            assert distance > timedelta(0)
            assert distance >= timedelta(days=gap)

    def test_outcomes_are_known_before_the_next_split_begins(
        self, splitter: Splitter, gap: int, rows: list[Row]
    ) -> None:
        found, horizon = split_of(splitter, rows, gap), timedelta(days=gap)
        assert all(at + horizon <= min(moments(found, VALIDATION)) for at in moments(found, TRAIN))
        assert all(at + horizon <= CUTOFF for split in (TRAIN, VALIDATION) for at in moments(found, split))

    def test_the_test_rows_are_those_of_the_cutoff(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        found = split_of(splitter, rows, gap)
        assert set(moments(found, TEST)) == {CUTOFF}
        assert {who for (who, at), split in found.items() if split == TEST} == set(range(ENTITIES))

    def test_nothing_is_made_of_what_comes_later_or_has_no_time(
        self, splitter: Splitter, gap: int, rows: list[Row]
    ) -> None:
        found = split_of(splitter, [*rows, (1, None)], gap)
        assert {split for (_, at), split in found.items() if at is None or at > CUTOFF} == {None}


def split_of(splitter: Splitter, rows: Sequence[Row], gap_days: int) -> Mapping[Row, str | None]:
    """(entity, event time) → split."""
    schema = pa.schema({"who": pa.int64(), "at": pa.timestamp("us", "UTC")})
    given = pa.Table.from_pylist([{"who": who, "at": at} for who, at in rows], schema)
    sql = splitter.sql(entity='"who"', event_time='"at"', cutoff=literal(CUTOFF), gap_days=gap_days)
    found = DuckDB(threads=2).query(f'SELECT "who", "at", {sql} AS split FROM rows', {"rows": given}).table()
    return {(row["who"], row["at"]): row["split"] for row in found.to_pylist()}


def moments(found: Mapping[Row, str | None], split: str) -> list[datetime]:
    """The event times of a split."""
    return [at for (_, at), into in found.items() if into == split and at is not None]
