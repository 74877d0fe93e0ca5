"""The laws of splitters and folds: a member's test class inherits those that it promises."""

from __future__ import annotations

from collections import Counter
from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.splitter import RowSQL
from platform_ml.spec.sql import literal
from platform_ml.spec.training_dataset import SPLITS, TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.spec.splitter import Folds, Splitter

CUTOFF = datetime(2024, 6, 10, tzinfo=UTC)
TOMORROW = CUTOFF + timedelta(days=1)
ENTITIES = 24
SIGMAS = 4.5
"""Shares are the same on every run, so this only says how unlucky a seed of ours may be."""


class Row(NamedTuple):
    """What a splitter may look at; entity and event time are the key."""

    who: Any
    at: datetime | None
    label: bool | None = None


ROW = RowSQL(
    entity='"who"', key=('"who"', 'epoch_us("at")'), event_time='"at"', label='"label"', cutoff=literal(CUTOFF)
)


@cache
def _invented() -> tuple[Row, ...]:
    draw = np.random.default_rng(5)
    midnights = [(who, CUTOFF + timedelta(days=day)) for day in range(-280, 20) for who in range(day % 3, ENTITIES, 3)]
    seconds = draw.integers(-280 * 86_400, 20 * 86_400, 500).tolist()
    times = [*midnights, *((n % ENTITIES, CUTOFF + timedelta(seconds=s)) for n, s in enumerate(seconds))]
    return tuple(Row(who, at, bool(draw.random() < 0.2)) for who, at in dict.fromkeys(times))


class DividerContract:
    """What splitters and folds promise alike: a row is where it is because of itself, today and forever."""

    @pytest.fixture(params=[0, 7, 30], ids="gap {} d".format)
    def gap(self, request: pytest.FixtureRequest) -> int:
        """The days between splits that declarations demand."""
        days: int = request.param
        return days

    @pytest.fixture
    def rows(self) -> list[Row]:
        """Moments from long before to a while after the cutoff: at midnight, and at any time."""
        return list(_invented())

    @pytest.fixture
    def columns(self, gap: int) -> list[str]:
        """SQL for what the member says of a row."""
        raise NotImplementedError

    @pytest.fixture
    def member(self) -> Any:
        """The declaration under test."""
        raise NotImplementedError

    def test_says_what_it_does(self, member: Any, gap: int) -> None:
        assert member.says(gap).endswith(".")
        assert fingerprint(member) == fingerprint(member)

    def test_cannot_be_changed(self, member: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(member, fields(member)[0].name, None)

    def test_the_order_of_rows_and_the_number_of_threads_do_not_matter(
        self, columns: list[str], rows: list[Row]
    ) -> None:
        other = np.random.default_rng(1).permutation(len(rows))
        expected = values_of(columns, rows)
        for threads in (1, 4):
            assert values_of(columns, [rows[n] for n in other], threads=threads) == expected

    def test_new_rows_never_move_old_ones(self, columns: list[str], rows: list[Row]) -> None:
        after = values_of(columns, rows)
        for some in (rows[:700], rows[::3], rows[:1]):
            assert values_of(columns, some).items() <= after.items()

    def test_what_comes_after_the_cutoff_or_has_no_time_is_nowhere(self, columns: list[str], rows: list[Row]) -> None:
        found = values_of(columns, [*rows, Row(1, None)])
        nowhere = {said for row, said in found.items() if row.at is None or row.at >= TOMORROW}
        assert nowhere == {(None,) * len(columns)}

    @pytest.mark.parametrize("names", [[None, "", "null", "4:null"], ["é", "e\u0301", "日本", "😀", "'; --", "\n"]])
    def test_an_entity_is_any_text_or_nothing(self, columns: list[str], names: list[str | None]) -> None:
        rows = [Row(who, CUTOFF - timedelta(days=day)) for who in names for day in range(0, 200, 3)]
        found = values_of(columns, rows, kind=pa.string())
        assert len(found) == len(rows)
        assert {said for each in found.values() for said in each} <= {*SPLITS, None}
        assert values_of(columns, rows[::-1], kind=pa.string()) == found


class SplitterContract(DividerContract):
    """What every splitter promises."""

    @pytest.fixture
    def splitter(self) -> Splitter:
        """The member under test, without a gap of its own."""
        raise NotImplementedError

    @pytest.fixture
    def member(self, splitter: Splitter) -> Splitter:
        return splitter

    @pytest.fixture
    def columns(self, splitter: Splitter, gap: int) -> list[str]:
        return [splitter.sql(ROW, gap_days=gap)]

    def test_there_are_only_the_three_splits_and_nothing(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        assert set(split_of(splitter, rows, gap).values()) - {None} == set(SPLITS)

    def test_the_newest_training_row_is_as_old_as_it_says(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        newest = max(moments(split_of(splitter, rows, gap), TRAIN))
        assert timedelta(0) <= TOMORROW - timedelta(days=splitter.span_days(gap)) - newest <= timedelta(days=1)

    def test_its_folds_have_no_test_rows_and_keep_its_promises(
        self, splitter: Splitter, gap: int, rows: list[Row]
    ) -> None:
        folds = splitter.folds(3)
        assert folds.number == 3
        assert folds.by_time == splitter.by_time
        assert folds.separates_entities == splitter.separates_entities
        if splitter.by_time:
            tested = moments(split_of(splitter, rows, gap), TEST)
            for found in folds_of(folds, rows, gap):
                assert max(moments(found, VALIDATION)) < min(tested)


class TimeLaws(SplitterContract):
    """What a splitter by time promises: later splits are later, and nothing leaks from one into the next."""

    def test_it_is_by_time(self, splitter: Splitter, gap: int) -> None:
        assert splitter.by_time
        assert str(gap) in splitter.says(gap)

    def test_the_gap_is_kept(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        found = split_of(splitter, rows, gap)
        for earlier, later in pairwise(SPLITS):
            distance = min(moments(found, later)) - max(moments(found, earlier))
            assert distance > timedelta(0)
            assert distance >= timedelta(days=gap)

    def test_outcomes_are_known_before_the_next_split_begins(
        self, splitter: Splitter, gap: int, rows: list[Row]
    ) -> None:
        found, horizon = split_of(splitter, rows, gap), timedelta(days=gap)
        assert max(moments(found, TRAIN)) + horizon <= min(moments(found, VALIDATION))
        assert max(moments(found, VALIDATION)) + horizon <= min(moments(found, TEST))

    def test_the_last_test_rows_are_those_of_the_cutoffs_day(
        self, splitter: Splitter, gap: int, rows: list[Row]
    ) -> None:
        assert CUTOFF <= max(moments(split_of(splitter, rows, gap), TEST)) < TOMORROW


class EntityLaws(SplitterContract):
    """What a splitter by entity promises: no entity is on two sides."""

    def test_no_entity_is_on_two_sides(self, splitter: Splitter, gap: int, rows: list[Row]) -> None:
        assert splitter.separates_entities
        sides = {(row.who, split) for row, split in split_of(splitter, rows, gap).items() if split}
        assert max(Counter(who for who, _ in sides).values()) == 1


class ShareLaws(SplitterContract):
    """What a splitter by hash promises: shares as declared, up to chance, and keys that do not collide."""

    def test_shares_are_as_declared(self, splitter: Any) -> None:
        rows = [Row(who, CUTOFF, who % 5 == 0) for who in range(20_000)]
        for chosen in (rows, rows[::5]):
            counts = Counter(split_of(splitter, chosen, 0).values())
            assert set(counts) == set(SPLITS)
            for split in SPLITS:
                share = getattr(splitter, split)
                sigma = sqrt(len(chosen) * share * (1 - share))
                assert abs(counts[split] - len(chosen) * share) < SIGMAS * sigma

    def test_great_keys_differ(self, splitter: Splitter) -> None:
        """Doubles cannot tell them apart."""
        found = split_of(splitter, [Row(2**53 + n, CUTOFF) for n in range(200)], 0)
        assert len(found) == 200
        assert set(found.values()) == set(SPLITS)

    def test_another_seed_is_another_split(self, splitter: Any) -> None:
        rows = [Row(who, CUTOFF) for who in range(500)]
        kind = type(splitter)
        assert split_of(kind(seed=1), rows, 0) != split_of(kind(seed=2), rows, 0)
        assert split_of(kind(seed=1), rows, 0) == split_of(kind(seed=1), rows, 0)

    @pytest.mark.parametrize(
        ("split", "share"), [("test", 0.0), ("train", 1.0), ("train", -0.1), ("test", float("nan"))]
    )
    def test_every_split_gets_something(self, splitter: Any, split: str, share: float) -> None:
        with pytest.raises(DeclarationError, match=f"{type(splitter).__name__}: the share of {split} is {share}"):
            type(splitter)(**{split: share})

    def test_shares_add_up(self, splitter: Any) -> None:
        with pytest.raises(DeclarationError, match=r"the shares add up to 1.05. Make it 1"):
            type(splitter)(test=0.2)
        third = 1 / 3
        assert type(splitter)(train=third, validation=third, test=third).test == third


class FoldsContract(DividerContract):
    """What folds promise."""

    @pytest.fixture
    def folds(self) -> Folds:
        """The member under test."""
        raise NotImplementedError

    @pytest.fixture
    def member(self, folds: Folds) -> Folds:
        return folds

    @pytest.fixture
    def columns(self, folds: Folds, gap: int) -> list[str]:
        return [folds.sql(ROW, fold=n, gap_days=gap) for n in range(folds.number)]

    def test_every_fold_learns_and_is_judged(self, folds: Folds, gap: int, rows: list[Row]) -> None:
        for found in folds_of(folds, rows, gap):
            assert set(found.values()) - {None} == {TRAIN, VALIDATION}

    def test_a_row_is_held_out_once_at_most(self, folds: Folds, gap: int, rows: list[Row]) -> None:
        held_out = Counter(
            row for found in folds_of(folds, rows, gap) for row, role in found.items() if role == VALIDATION
        )
        assert max(held_out.values()) == 1

    def test_it_keeps_what_it_says_of_entities(self, folds: Folds, gap: int, rows: list[Row]) -> None:
        for found in folds_of(folds, rows, gap):
            learned, judged = ({row.who for row, role in found.items() if role == side} for side in (TRAIN, VALIDATION))
            assert bool(learned & judged) != folds.separates_entities

    def test_it_keeps_what_it_says_of_time(self, folds: Folds, gap: int, rows: list[Row]) -> None:
        gaps = [min(moments(f, VALIDATION)) - max(moments(f, TRAIN)) for f in folds_of(folds, rows, gap)]
        assert all(kept > timedelta(0) and kept >= timedelta(days=gap) for kept in gaps) == folds.by_time

    def test_there_are_at_least_two(self, folds: Any) -> None:
        with pytest.raises(DeclarationError, match=r"number is 1. Use 2 folds or more|Make them equal"):
            _replaced(folds, number=1)


def _replaced(folds: Any, number: int) -> Any:
    own = {f.name for f in fields(folds)}
    return replace(folds, **({"number": number} if "number" in own else {"time": replace(folds.time, number=number)}))


def split_of(splitter: Splitter, rows: Sequence[Row], gap_days: int, **options: Any) -> Mapping[Row, str | None]:
    """Row → split."""
    found = values_of([splitter.sql(ROW, gap_days=gap_days)], rows, **options)
    return {row: split for row, (split,) in found.items()}


def folds_of(folds: Folds, rows: Sequence[Row], gap_days: int) -> list[dict[Row, str | None]]:
    """For each fold row → role."""
    columns = [folds.sql(ROW, fold=n, gap_days=gap_days) for n in range(folds.number)]
    found = values_of(columns, rows)
    return [{row: said[n] for row, said in found.items()} for n in range(folds.number)]


def values_of(
    columns: Sequence[str], rows: Sequence[Row], *, threads: int = 2, kind: pa.DataType | None = None
) -> dict[Row, tuple[str | None, ...]]:
    """Row → what SQL columns say of it."""
    types = {"who": kind or pa.int64(), "at": pa.timestamp("us", "UTC"), "label": pa.bool_()}
    given = pa.table({name: pa.array([getattr(r, name) for r in rows], types[name]) for name in types})
    said = ", ".join(f"{sql} AS _{n}" for n, sql in enumerate(columns))
    found = DuckDB(threads=threads).query(f'SELECT "who", "at", "label", {said} FROM rows', {"rows": given}).table()
    values = [column.to_pylist() for column in found.columns]
    return {Row(*each[:3]): each[3:] for each in zip(*values, strict=True)}


def moments(found: Mapping[Row, str | None], split: str) -> list[datetime]:
    """The event times of a split."""
    return [row.at for row, into in found.items() if into == split and row.at is not None]
