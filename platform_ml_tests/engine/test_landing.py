from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine import landing
from platform_ml.engine.landing import deliver
from platform_ml.engine.source import landing_file
from platform_ml.spec.errors import SourceError
from platform_ml.spec.source import Packaged
from platform_ml.spec.window import Daily, Weekly
from platform_ml_tests.engine.shop import ORDER, Order, customers, keys_of, make, naive, orders, rows_of, table

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 21)
PACKAGED = Packaged(distribution="pyarrow", path="shop/orders.parquet")
few = replace(orders, cadence=Daily(first=FIRST, last=LAST), example=PACKAGED)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that holds the orders of three weeks and a bit, in no order, one at a time that nobody knows."""
    bought = [
        Order(
            n,
            n % 5,
            Decimal(n),
            naive(2023, 12, 30) + timedelta(hours=(n * 37) % 600 // 24 * 24 if n % 2 else n * 7 % 600),
        )
        for n in range(90)
        if n % 30
    ]
    bought = [order for order in bought if order.day != date(2024, 1, 5)]
    rows = pa.concat_tables([table(bought), pa.table({name: [None] for name in ORDER.names}, schema=ORDER)])
    pq.write_table(rows, tmp_path / "orders.parquet")

    class Distribution:
        def locate_file(self, path):
            assert path == PACKAGED.path
            return tmp_path / "orders.parquet"

    monkeypatch.setattr(landing, "distribution", lambda _: Distribution())
    return bought


def file_of(work, key, source=few):
    return pq.read_table(landing_file(source, str(key), work))


def test_a_file_a_day_and_every_row_in_its_own(work, package):
    assert deliver(few, work=work) == 21
    for key in keys_of(few):
        expected = sorted((o.ordered_at, o.order_id) for o in package if str(o.day) == key)
        found = file_of(work, key)
        assert found.column_names == ORDER.names
        assert sorted(zip(found["ordered_at"].to_pylist(), found["order_id"].to_pylist(), strict=True)) == expected
    assert file_of(work, "2024-01-05").num_rows == 0
    assert not landing_file(few, "2023-12-31", work).exists()
    make(work, few)
    assert len(rows_of(work, few)) == sum(FIRST <= order.day <= LAST for order in package)


def test_a_file_a_week(work, package):
    weekly = replace(few, cadence=Weekly(first=FIRST, last=FIRST + timedelta(days=14)))
    assert deliver(weekly, work=work) == 3
    for key in keys_of(weekly):
        days = [date.fromisoformat(key) + timedelta(days=n) for n in range(7)]
        expected = sorted(order.order_id for order in package if order.day in days)
        assert sorted(file_of(work, key)["order_id"].to_pylist()) == expected
        assert expected


def test_rows_of_one_moment_stay_in_order(work, package):
    deliver(few, work=work)
    where = {order.order_id: n for n, order in enumerate(package)}
    for key in keys_of(few):
        rows = file_of(work, key)
        found = [
            (at, where[n]) for at, n in zip(rows["ordered_at"].to_pylist(), rows["order_id"].to_pylist(), strict=True)
        ]
        assert found == sorted(found)


def test_what_is_there_is_left_alone(work, package):
    deliver(few, work=work)
    kept, gone = landing_file(few, "2024-01-02", work), landing_file(few, "2024-01-03", work)
    kept.write_bytes(b"a supplier's own")
    whole = gone.read_bytes()
    gone.unlink()
    assert deliver(few, work=work) == 1
    assert kept.read_bytes() == b"a supplier's own"
    assert gone.read_bytes() == whole
    assert deliver(few, work=work) == 0
    assert [path.name for path in kept.parent.iterdir() if path.suffix != ".parquet"] == []


def test_a_source_without_cadence_is_one_file(work, package):
    source = replace(customers, columns=orders.columns, example=PACKAGED)
    assert deliver(source, work=work) == 1
    rows = pq.read_table(landing_file(source, "all", work))
    assert rows.num_rows == len(package) + 1
    assert rows["order_id"].to_pylist()[:-1] == [order.order_id for order in package]
    assert deliver(source, work=work) == 0


def test_a_source_without_example_data(work):
    with pytest.raises(SourceError, match=r"shop/orders has no example data. Its files come from outside"):
        deliver(orders, work=work)


def test_a_package_that_is_not_installed(work):
    source = replace(few, example=Packaged(distribution="no-such-package", path="x.parquet"))
    with pytest.raises(SourceError, match=r"Example data is missing. Run: pip install no-such-package"):
        deliver(source, work=work)
