import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.sql import identifier, literal

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
few = settings(max_examples=50, deadline=None)


def answer(sql, **inputs):
    return DuckDB(threads=1).query(sql, inputs).table()


def through(value):
    return answer(f"SELECT {literal(value)} AS value")["value"].to_pylist()[0]


@few
@given(TEXT)
def test_text_comes_back(text):
    assert through(text) == text


@few
@given(TEXT.filter(bool))
def test_a_column_may_be_called_anything(name):
    found = answer(f"SELECT t.{identifier(name)} AS value FROM (SELECT 7 AS {identifier(name)}) AS t")
    assert found["value"].to_pylist() == [7]
    assert answer(f"SELECT 7 AS {identifier(name)}").column_names == [name]


@few
@given(TEXT.filter(bool))
def test_a_table_may_be_called_anything(name):
    found = DuckDB(threads=1).query(f"FROM {identifier(name)}", {name: pa.table({"a": [1]})}).table()
    assert found.to_pydict() == {"a": [1]}


@few
@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none(), st.dates()))
def test_numbers_truths_and_days_come_back(value):
    assert through(value) == value
    assert type(through(value)) is type(value)


@few
@given(st.floats())
def test_floats_come_back_to_the_last_bit(value):
    found = through(value)
    assert found == value or (math.isnan(found) and math.isnan(value))
    assert math.copysign(1, found) == math.copysign(1, value) or math.isnan(value)


@few
@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15))
def test_decimals_come_back(value):
    assert through(value) == value
    assert through(Decimal("1E+5")) == 100_000


@few
@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_come_back(value):
    assert through(value) == value


def test_a_minus_is_no_comment():
    assert answer(f"SELECT 5-{literal(-7)} AS value")["value"].to_pylist() == [12]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\0b", r"The text 'a\\x00b' cannot be used in SQL: it holds a NUL. Remove it"),
        ([1], r"\[1\] of type list has no SQL literal. Use text, numbers or dates"),
        (b"x", "of type bytes has no SQL literal"),
        (Decimal("NaN"), "The decimal NaN is not a number. Use None, or a float"),
        (Decimal(10) ** 38, "has 39 digits; DuckDB holds 38. Use a float"),
        (datetime(2024, 1, 1), "2024-01-01T00:00:00 is not in UTC. Use value.astimezone"),  # noqa: DTZ001
        (datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1))), "is not in UTC"),
    ],
)
def test_what_has_no_literal(value, message):
    with pytest.raises(DeclarationError, match=message):
        literal(value)


@pytest.mark.parametrize("name", ["", "a\0"])
def test_what_is_no_name(name):
    with pytest.raises(DeclarationError, match=r"cannot be used in SQL: it is empty or holds a NUL. Rename it"):
        identifier(name)


def test_a_day_is_no_moment():
    found = answer(f"SELECT {literal(date(2024, 1, 31))} AS a, {literal(datetime(2024, 1, 31, tzinfo=UTC))} AS b")
    assert found.schema.types == [pa.date32(), pa.timestamp("us", "UTC")]
