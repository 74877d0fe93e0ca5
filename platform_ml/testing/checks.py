"""The laws of checks on rows: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.statistics import measure
from platform_ml.spec.check import Seen, check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.schema import Double, Text
from platform_ml.testing.declarations import orders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.checks.drift import Drift
    from platform_ml.spec.check import DataCheck, Judgement
    from platform_ml.spec.schema import Type

Days = list[dict[str, list[Any]]]
"""Of each day, oldest first, column → values; the last one is judged."""


def judged(
    check: DataCheck,
    days: Days,
    types: Mapping[str, pa.DataType] | None = None,
    read: Mapping[str, pa.Table] | None = None,
    last: datetime | None = None,
) -> Judgement:
    """What a check says of the last of these days, with the others before it."""
    import pyarrow as pa

    keys = [f"2024-01-{n + 1:02}" for n in range(len(days))]
    kinds = types or {}
    parts = [
        pa.table({"_partition": [key] * len(next(iter(day.values())))}).cast(pa.schema([("_partition", pa.string())]))
        for key, day in zip(keys, days, strict=True)
    ]
    full = []
    for part, day in zip(parts, days, strict=True):
        made = part
        for name, values in day.items():
            made = made.append_column(name, pa.array(values, kinds.get(name)))
        full.append(made)
    rows, compute = pa.concat_tables(full, promote_options="default"), DuckDB(threads=1)
    statistics, numbers = measure(rows, keys, compute=compute, more=check.aggregates())
    sql, own = check.query(), dict(numbers[keys[-1]])
    if sql is not None:
        for row in compute.query(sql, {"rows": rows, **(read or {})}).table().to_pylist():
            own |= row if row.pop("_partition") == keys[-1] else {}
    if check.reads_rows:
        own |= check.inspect(full[-1].drop_columns(["_partition"]), [])
    earlier = {key: statistics[key] for key in keys[:-1][-check.looks_back :]} if check.looks_back else {}
    return check.judge(
        Seen(partition=keys[-1], numbers=own, statistics=statistics[keys[-1]], earlier=earlier, last=last)
    )


class CheckContract:
    """What every check on rows promises."""

    columns: ClassVar[Mapping[str, Type]]
    """Of a table that it fits."""
    types: Mapping[str, Any] | None = None
    """Column → Arrow type, where the values do not say it."""
    last: datetime | None = None

    @pytest.fixture
    def check(self) -> DataCheck:
        """The member under test."""
        raise NotImplementedError

    @pytest.fixture
    def read(self) -> Mapping[str, pa.Table]:
        """Other tables that it reads."""
        return {}

    @pytest.fixture
    def good(self) -> Days:
        """Days of which the last one passes."""
        raise NotImplementedError

    @pytest.fixture
    def bad(self) -> Days:
        """Days of which the last one fails."""
        raise NotImplementedError

    def test_says_what_it_is(self, check: DataCheck) -> None:
        check_checks("Table", [check], self.columns)
        assert check.rule.endswith(".")
        assert check.looks_back >= 0
        assert not check.blocking

    def test_cannot_be_changed(self, check: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(check, fields(check)[0].name, None)

    def test_refuses_a_table_without_its_columns(self, check: Any) -> None:
        named = [getattr(check, name, None) for name in ("column", "columns")]
        if any(named):
            with pytest.raises(DeclarationError, match="has no column"):
                check.check("Table", {})

    def test_changes_no_fingerprint(self, check: DataCheck) -> None:
        columns = dict(orders.types) | dict(self.columns)
        known = {column.name: column for column in orders.columns}
        more = tuple(
            replace(orders.columns[0], name=name, type=kind) for name, kind in columns.items() if name not in known
        )
        plain = replace(orders, columns=(*orders.columns, *more))
        assert fingerprint(replace(plain, checks=(check,))) == fingerprint(plain)

    def test_passes(self, check: DataCheck, good: Days, read: Mapping[str, pa.Table]) -> None:
        found = judged(check, good, self.types, read, self.last)
        assert found.passed, found
        assert found.reason.endswith(".")

    def test_fails(self, check: DataCheck, bad: Days, read: Mapping[str, pa.Table]) -> None:
        found = judged(check, bad, self.types, read, self.last)
        assert not found.passed, found
        assert found.reason.endswith(".")
        assert all(isinstance(value, int | float) for value in found.numbers.values())


def drawn(*sizes: int, shift: float = 0.0, seed: int = 1) -> Days:
    """Days of as many values of one distribution, a number and a category, the last one shifted."""
    draw = np.random.default_rng(seed)

    def day(n: int, shift: float) -> dict[str, list[Any]]:
        shares = [0.4 - shift / 4, 0.3, 0.2, 0.1 + shift / 4]
        return {"amount": list(draw.normal(shift, 1, n)), "brand": list(draw.choice(list("abcd"), n, p=shares))}

    return [*(day(n, 0.0) for n in sizes[:-1]), day(sizes[-1], shift)]


class DriftContract(CheckContract):
    """What every check on drift promises besides."""

    member: ClassVar[type[Drift]]
    columns: ClassVar[Mapping[str, Type]] = {"amount": Double(), "brand": Text()}

    @property
    def column(self) -> str:
        """The one of `drawn` that it is for."""
        return "amount" if self.member.numbers else "brand"

    @pytest.fixture
    def check(self) -> Drift:
        return self.member(self.column, 0.01)

    @pytest.fixture
    def good(self) -> Days:
        return drawn(2000, 2000, 2000)

    @pytest.fixture
    def bad(self) -> Days:
        return drawn(2000, 2000, 2000, shift=1.0)

    def test_small_samples_do_not_cry_wolf(self, check: Drift) -> None:
        wrong = [seed for seed in range(100) if not judged(check, drawn(300, 300, 40, seed=seed)).passed]
        assert len(wrong) <= 1

    def test_what_chance_does_not_explain_is_found_in_many_rows(self, check: Drift) -> None:
        assert not judged(check, drawn(3000, 3000, 3000, shift=0.5)).passed

    def test_a_declared_limit_allows_more(self, bad: Days) -> None:
        assert judged(self.member(self.column, 100.0), bad).passed

    def test_too_few_values_say_nothing(self, check: Drift) -> None:
        assert "too few" in judged(check, drawn(5, 5, shift=1.0)).reason
        assert judged(check, drawn(100)).passed

    def test_nulls_are_no_drift(self, check: Drift) -> None:
        days = drawn(2000, 2000)
        for name, values in days[-1].items():
            days[-1][name] = [None if n % 2 else value for n, value in enumerate(values)]
        assert judged(check, days).passed

    def test_another_kind(self, check: Drift) -> None:
        with pytest.raises(DeclarationError, match="is for"):
            check.check("Table", {self.column: Text() if self.member.numbers else Double()})

    @pytest.mark.parametrize(("limit", "partitions"), [(0, 1), (float("nan"), 1), (1, 0)])
    def test_refused(self, limit: float, partitions: int) -> None:
        with pytest.raises(DeclarationError, match="Use"):
            self.member(self.column, limit, partitions=partitions)
