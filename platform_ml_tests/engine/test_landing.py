import bz2
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine import landing
from platform_ml.engine.feed import landing_file
from platform_ml.engine.landing import deliver
from platform_ml.spec.errors import PlatformError, SourceError
from platform_ml.spec.schema import Column, Integer, Text, Timestamp
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


@pytest.fixture
def campaigns(tmp_path, monkeypatch):
    """A package of two tables: who gets what, and when that begins."""
    sent = pa.table({"customer_id": [1, 2, 1], "campaign": [7, 7, 8]})
    pq.write_table(sent, tmp_path / "sent.parquet")
    begins = {"campaign": [7, 8, 9], "begins": [naive(2024, 1, 2), naive(2024, 1, 3), naive(2024, 1, 3)]}
    pq.write_table(pa.table(begins), tmp_path / "campaigns.parquet")

    class Distribution:
        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr(landing, "distribution", lambda _: Distribution())
    columns = (Column("customer_id", Integer()), Column("campaign", Integer()), Column("begins", Timestamp()))
    example = Packaged(distribution="any", path="sent.parquet", joins=(("campaigns.parquet", ("campaign",)),))
    return replace(
        few, name="mailings", columns=columns, key=("customer_id", "campaign"), event_time="begins", example=example
    )


def test_what_the_package_has_in_another_table_is_written_into_each_row(work, campaigns):
    deliver(campaigns, work=work)
    for key, expected in {"2024-01-02": [(1, 7), (2, 7)], "2024-01-03": [(1, 8)], "2024-01-04": []}.items():
        found = file_of(work, key, campaigns)
        assert found.column_names == ["customer_id", "campaign", "begins"] or not found.num_rows
        assert list(zip(found["customer_id"].to_pylist(), found["campaign"].to_pylist(), strict=True)) == expected


def test_a_table_without_one_row_a_key_is_not_joined(work, campaigns, tmp_path):
    twice = pa.table({"campaign": [7, 7], "begins": [naive(2024, 1, 2)] * 2})
    pq.write_table(twice, tmp_path / "campaigns.parquet")
    with pytest.raises(SourceError, match=r"campaigns\.parquet has several rows for a .?campaign.?\. Join by its key"):
        deliver(campaigns, work=work)


def test_two_tables_share_their_key_alone(work, campaigns, tmp_path):
    more = pa.table({"campaign": [7], "customer_id": [1], "begins": [naive(2024, 1, 2)]})
    pq.write_table(more, tmp_path / "campaigns.parquet")
    with pytest.raises(SourceError, match=r"is joined by .*campaign.*, but shares campaign, customer_id"):
        deliver(campaigns, work=work)


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


HEADER = "order_id,customer_id,amount,ordered_day,hour,note"
LINES = (
    '3,1,2.50,2024-01-02,9,"said ""no, thanks"""',
    "1,2,0.10,2024-01-01,23,",
    "2,1,NA,2024-01-01,23,NA",
    "4,2,7,2023-12-31,0,before the first day",
)
TOLD = replace(
    few,
    cadence=Daily(first=FIRST, last=date(2024, 1, 3)),
    columns=(
        *(replace(column, nullable=column.name == "amount") for column in orders.columns),
        Column("note", Text(), nullable=True),
    ),
    example=Packaged(
        distribution="pyarrow",
        path="shop/orders.csv",
        nulls=("", "NA"),
        adds=(
            ("seconds", "3600 * CAST(hour AS BIGINT)"),
            ("ordered_at", "CAST(ordered_day AS TIMESTAMPTZ) + to_seconds(seconds)"),
        ),
    ),
)


def packed(tmp_path, monkeypatch, lines=LINES, header=HEADER, names=("orders.csv",)):
    """The same lines as a CSV file, packed, or as files in a zip, where the package should have them."""
    text = "\n".join((header, *lines, ""))
    (tmp_path / "orders.csv").write_text(text, encoding="utf-8")
    (tmp_path / "orders.csv.bz2").write_bytes(bz2.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "orders.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (*names, "README.md"):
            archive.writestr(name, text)

    class Distribution:
        def locate_file(self, path):
            return tmp_path / path.removeprefix("shop/")

    monkeypatch.setattr(landing, "distribution", lambda _: Distribution())


@pytest.mark.parametrize("path", ["shop/orders.csv", "shop/orders.csv.bz2", "shop/orders.csv.zip"])
def test_text_becomes_what_the_source_declares(work, tmp_path, monkeypatch, path):
    packed(tmp_path, monkeypatch)
    source = replace(TOLD, example=replace(TOLD.example, path=path))
    assert deliver(source, work=work) == 3
    first, second = file_of(work, "2024-01-01", source), file_of(work, "2024-01-02", source)
    assert [str(first.schema.field(name).type) for name in ("order_id", "amount", "hour", "ordered_at")] == [
        "int64",
        "decimal128(9, 2)",
        "string",
        "timestamp[us, tz=UTC]",
    ]
    assert first.select(["order_id", "amount", "note"]).to_pylist() == [
        {"order_id": 1, "amount": Decimal("0.10"), "note": None},
        {"order_id": 2, "amount": None, "note": None},
    ]
    assert first["ordered_at"].to_pylist() == [datetime(2024, 1, 1, 23, tzinfo=UTC)] * 2
    assert second["note"].to_pylist() == ['said "no, thanks"']
    assert file_of(work, "2024-01-03", source).num_rows == 0
    make(work, source)
    assert [row["order_id"] for row in rows_of(work, source)] == [1, 2, 3]


def test_a_text_that_is_no_null_is_not_made_one(work, tmp_path, monkeypatch):
    packed(tmp_path, monkeypatch)
    source = replace(TOLD, example=replace(TOLD.example, nulls=("",)))
    with pytest.raises(PlatformError, match="NA"):
        deliver(source, work=work)
    assert not landing_file(source, "2024-01-01", work).exists()


def test_columns_can_be_added_to_a_parquet_file(work, package):
    source = replace(few, example=replace(PACKAGED, adds=(("twice", "2 * amount"),)))
    deliver(source, work=work)
    rows = file_of(work, "2024-01-02", source)
    assert rows.column_names == [*ORDER.names, "twice"]
    assert rows["twice"].to_pylist() == [2 * amount for amount in rows["amount"].to_pylist()]


@pytest.mark.parametrize("path", ["shop/orders.csv", "shop/orders.parquet"])
def test_an_added_column_never_hides_a_delivered_one(work, package, tmp_path, monkeypatch, path):
    packed(tmp_path, monkeypatch)
    source = replace(TOLD, example=replace(TOLD.example, path=path, adds=(("amount", "1"),)))
    with pytest.raises(SourceError, match=f"shop/orders: {path} has a column 'amount' already. Do not add it"):
        deliver(source, work=work)


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv")])
def test_a_zip_holds_one_file(work, tmp_path, monkeypatch, names):
    packed(tmp_path, monkeypatch, names=names)
    source = replace(TOLD, example=replace(TOLD.example, path="shop/orders.csv.zip"))
    with pytest.raises(SourceError, match=f"orders.csv.zip holds {len(names)} CSV files; it must hold one"):
        deliver(source, work=work)
