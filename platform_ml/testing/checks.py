"""The laws of checks on rows: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.statistics import measure
from platform_ml.spec.check import Seen, check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import orders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

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
    earlier = {key: statistics[key] for key in keys[:-1][-check.looks_back :]} if check.looks_back else {}
    return check.judge(
        Seen(partition=keys[-1], numbers=own, statistics=statistics[keys[-1]], earlier=earlier, last=last)
    )


class CheckContract:
    """What every check on rows promises."""

    columns: Mapping[str, Type]
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
