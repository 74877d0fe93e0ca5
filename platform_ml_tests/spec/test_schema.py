import math

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import (
    Boolean,
    Column,
    Decimal,
    Double,
    Doubles,
    Integer,
    Text,
    Timestamp,
    check_same_type,
)


def test_types_are_called_as_duckdb_calls_them():
    types = (Integer(), Decimal(9, 2), Double(), Text(), Boolean(), Timestamp())
    assert [kind.sql for kind in types] == ["BIGINT", "DECIMAL(9,2)", "DOUBLE", "VARCHAR", "BOOLEAN", "TIMESTAMPTZ"]


@pytest.mark.parametrize(("precision", "scale"), [(1, 0), (1, 1), (18, 0), (18, 18)])
def test_decimals_that_fit_64_bits(precision, scale):
    assert Decimal(precision, scale).sql == f"DECIMAL({precision},{scale})"


@pytest.mark.parametrize(("precision", "scale"), [(0, 0), (19, 2), (5, 6), (5, -1)])
def test_decimals_that_do_not(precision, scale):
    what = rf"Decimal\({precision}, {scale}\): needs 0 <= scale <= precision and a precision of 1 to 18"
    with pytest.raises(DeclarationError, match=what):
        Decimal(precision, scale)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Column("Km", Integer()), "Column 'Km': a name is lower_snake_case .* Try 'km'"),
        (lambda: Column("km", Text(), minimum=0), "Column 'km' is VARCHAR: minimum and maximum are for numbers"),
        (
            lambda: Column("km", Timestamp(), maximum=0),
            "Column 'km' is TIMESTAMPTZ: minimum and maximum are for numbers",
        ),
        (lambda: Column("km", Integer(), minimum=2, maximum=1), "Column 'km': minimum 2 is above maximum 1"),
        (lambda: Column("km", Double(), maximum=math.inf), "Column 'km': minimum and maximum are finite. Drop the one"),
        (lambda: Column("km", Double(), minimum=math.nan), "Column 'km': minimum and maximum are finite. Drop the one"),
        (lambda: Column("km", Integer(), allowed=("a",)), "Column 'km' is BIGINT: allowed values are for Text"),
        (
            lambda: Column("km", Doubles()),
            "Column 'km' is DOUBLE.*: a source delivers single values. Make",
        ),
        (lambda: Column("km", Text(), allowed=()), "Column 'km': no value is allowed. Name some, or drop allowed"),
    ],
)
def test_a_wrong_column_cannot_be_made(made, message):
    with pytest.raises(DeclarationError, match=message):
        made()


def test_a_range_may_be_open_or_a_point():
    for bounds in ({"minimum": 0}, {"maximum": 0}, {"minimum": 0, "maximum": 0}):
        assert Column("km", Decimal(9, 2), **bounds).nullable is False


def test_columns_of_different_types_are_not_joined():
    check_same_type("View 'v'", "who", Integer(), "profile", Integer())
    message = "View 'v': 'who' is BIGINT here and VARCHAR in 'profile'. Declare them alike to join them"
    with pytest.raises(DeclarationError, match=message):
        check_same_type("View 'v'", "who", Integer(), "profile", Text())
