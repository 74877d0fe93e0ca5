from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Column, Integer, Timestamp
from platform_ml.spec.source import Packaged
from platform_ml.testing.declarations import customers, orders


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "My Orders"}, "Source 'My Orders': a name is lower_snake_case .* Try 'my_orders'"),
        (
            {"columns": (*orders.columns, orders.columns[0])},
            "'orders' declares column 'order_id' 2 times. Rename or drop",
        ),
        ({"key": ("oder_id",)}, r"'orders' has no column 'oder_id'. Did you mean 'order_id'\?"),
        ({"key": ()}, "Source 'orders' has no key: name the columns that identify a row"),
        ({"event_time": None}, "'orders': event_time and cadence belong together; declare both or neither"),
        ({"cadence": None}, "'orders': event_time and cadence belong together; declare both or neither"),
        ({"event_time": "orderd_at"}, r"'orders' has no column 'orderd_at'. Did you mean 'ordered_at'\?"),
        ({"event_time": "amount"}, "'orders': event_time 'amount' must be a Timestamp"),
        ({"max_rejected_share": 1.1}, "'orders': max_rejected_share is a share from 0 to 1, not 1.1"),
        ({"max_rejected_share": float("nan")}, "'orders': max_rejected_share is a share from 0 to 1, not nan"),
        ({"expected_rows": (9, 1)}, r"'orders': expected_rows \(9, 1\) must be least and most, like \(100, 500\)"),
        ({"expected_rows": (-1, 1)}, r"'orders': expected_rows \(-1, 1\) must be least and most"),
        ({"keep": "lst"}, r"'orders': keep 'lst' is not known\. Did you mean 'last'\?"),
        ({"keep": "greatest"}, "'orders': keep_by names the column for keep 'greatest' or 'least'"),
        ({"keep_by": "amount"}, "'orders': keep_by names the column for keep 'greatest' or 'least'"),
        ({"keep": "least", "keep_by": "amuont"}, r"'orders' has no column 'amuont'. Did you mean 'amount'\?"),
        ({"keep": "least", "keep_by": "order_id"}, "keep_by 'order_id' is the same in all rows of a key"),
        (
            {"columns": (Column("order_id", Integer(), nullable=True), *orders.columns[1:])},
            "Source 'orders': key column 'order_id' cannot be nullable",
        ),
        (
            {"columns": (*orders.columns[:3], Column("ordered_at", Timestamp(), nullable=True))},
            "Source 'orders': event_time 'ordered_at' cannot be nullable",
        ),
        (
            {"columns": (*orders.columns, Column("paid", Integer(), known_at="orderd_at"))},
            r"'orders', column 'paid' has no column 'orderd_at'\. Did you mean 'ordered_at'\?",
        ),
        (
            {"columns": (*orders.columns, Column("paid", Integer(), known_at="amount"))},
            "Source 'orders': 'paid' is known at 'amount', which is no time",
        ),
    ],
)
def test_a_wrong_source_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(orders, **changes)


def test_columns_by_name():
    assert list(orders.types) == ["order_id", "customer_id", "amount", "ordered_at"]
    assert orders.column("amount").unit == "EUR"
    assert customers.cadence is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"path": "a/b.xlsx"},
            r"Packaged 'a/b.xlsx': only .parquet, .csv, .csv.bz2, .csv.zip can be read. Name a file",
        ),
        ({"path": "a/b.zip"}, r"Packaged 'a/b.zip': only .parquet, .csv, .csv.bz2, .csv.zip can be read"),
        ({"adds": (("At", "1"),)}, "Added column 'At': a name is lower_snake_case"),
        ({"adds": (("at", "1"), ("at", "2"))}, "Packaged 'a/b.csv' declares added column 'at' 2 times"),
        (
            {"joins": (("a/c.csv", ("id",)),)},
            r"'a/c.csv' is joined by .*. Name a Parquet file and its key",
        ),
        ({"joins": (("a/c.parquet", ()),)}, r"'a/c.parquet' is joined by \(\). Name a Parquet file and its key"),
        ({"adds": (("at", " "),)}, "Packaged 'a/b.csv': added column 'at' has no expression. Write one, or drop it"),
    ],
)
def test_wrong_example_data_cannot_be_declared(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(Packaged(distribution="shop", path="a/b.csv"), **changes)
