"""Whatever is wrong with a delivery or a disk: the run says where and what to do, and earlier data is as it was."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.errors import DagsterUnknownPartitionError

from platform_ml.engine.feed import landing_file
from platform_ml.spec.sql import literal
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    bought_on,
    customers,
    failures,
    key,
    lapse_view,
    lapsed,
    order_history,
    orders,
    rows,
)

DAY = "2024-02-01"


def tables(checkout):
    """Path → bytes of everything below data/tables but rejected rows, and statistics that a commit may have to name."""
    root = checkout.folder / "data" / "tables"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {"orders_rejected", "_statistics"} & {*path.parts}
    }


def said(checkout, result):
    """What the event log, which is what the web page shows, says of the run's failed steps."""
    assert not result.success
    assert checkout.instance.get_run_by_id(result.run_id).status == dg.DagsterRunStatus.FAILURE
    steps = checkout.instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    stored = "\n".join(str(step.dagster_event.step_failure_data.error_display_string) for step in steps)
    text = failures(result)
    assert all(line in stored for line in text.splitlines())
    return text


def rejected(checkout, day):
    """The rows that were set aside."""
    snapshot = checkout.work.platform.tables.snapshot("shop/orders_rejected")
    paths = ", ".join(literal(path) for path in snapshot.paths([day]))
    found = checkout.work.platform.compute.query(f"FROM read_parquet([{paths}]) ORDER BY row_number", {})
    return found.table().to_pylist()


def is_missing(checkout, file):
    file.unlink()


def is_truncated(checkout, file):
    file.write_bytes(file.read_bytes()[:-100])


def is_empty(checkout, file):
    file.write_bytes(b"")


def is_text(checkout, file):
    file.write_text("order_id,customer_id,amount,ordered_at\n1,1,1.00,2024-02-01\n")


def has_a_broken_page(checkout, file):
    """Magic and footer are there; the first page of data is not."""
    data = bytearray(file.read_bytes())
    data[4:40] = b"\xff" * 36
    file.write_bytes(data)


def has_another_type(checkout, file):
    found = pq.read_table(file)
    pq.write_table(found.set_column(2, "amount", found["amount"].cast(pa.string())), file)


def has_another_name(checkout, file):
    found = pq.read_table(file)
    pq.write_table(found.rename_columns(["order_id", "customer_id", "amounts", "ordered_at"]), file)


@pytest.mark.parametrize(
    ("spoil", "what", "cure"),
    [
        (is_missing, "was not delivered", "Ask the supplier for it, put it there"),
        (is_truncated, "its end is missing", "Have it delivered again"),
        (is_empty, "it has 0 bytes", "Have it delivered again"),
        (is_text, "it does not begin like a Parquet file", "Have it delivered again"),
        (has_a_broken_page, "cannot be read", ""),
        (has_another_type, "column 'amount' is VARCHAR, declared is DECIMAL(9,2)", "Have it delivered as declared"),
        (has_another_name, "column 'amount' is missing. Did you mean 'amounts'?", "Nothing was loaded"),
    ],
)
def test_an_unreadable_file_is_named_and_changes_nothing(built, spoil, what, cure):
    before, file = tables(built), landing_file(orders, DAY, built.work)
    spoil(built, file)
    result = built.materialize([orders, order_history], span=("2024-01-31", "2024-02-02"))
    text = said(built, result)
    assert str(file) in text
    assert what in text
    assert cure in text
    assert [event.step_key for event in result.all_events if event.is_step_start] == ["shop__orders"]
    assert tables(built) == before

    built.deliver(DAY, bought_on(DAY)[1:])
    assert built.materialize([orders], partition=DAY).success
    assert built.work.read(orders, [DAY]).partitions[DAY].rows == len(bought_on(DAY)) - 1


def test_a_missing_reference_file_is_named(landed):
    landing_file(customers, "all", landed.work).unlink()
    text = said(landed, landed.materialize([customers]))
    assert "customers.parquet was not delivered" in text


def test_repeated_rows_are_set_aside_and_counted(built):
    before, once = tables(built), bought_on(DAY)
    built.deliver(DAY, [*once, *once[:3]])
    text = said(built, built.materialize([orders, order_history], partition=DAY))
    assert f"rejected, partition {DAY}: 3 of {len(once) + 3} rows rejected" in text
    assert "repeats the key (order_id) of an earlier row (3x)" in text
    assert f"{DAY}.parquet mended" in text
    assert tables(built) == before

    found = rejected(built, DAY)
    assert [row["row_number"] for row in found] == [len(once), len(once) + 1, len(once) + 2]
    assert {row["reasons"] for row in found} == {"repeats the key (order_id) of an earlier row"}
    assert [json.loads(row["record"])["order_id"] for row in found] == [order.order_id for order in once[:3]]
    assert {row["file"] for row in found} == {f"{DAY}.parquet"}
    assert numbers(built, DAY) == {
        "rejected": "3",
        "reasons": '{"repeats the key (order_id) of an earlier row": 3}',
        "duplicates": "3",
        "exact_duplicates": "3",
    }


def numbers(checkout, day):
    """What the check `rejected` has measured last."""
    records = checkout.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key(orders), "rejected"), limit=1
    )
    evaluation = records[0].event.dagster_event.asset_check_evaluation_data
    assert evaluation.partition == day
    return {name: str(value.value) for name, value in evaluation.metadata.items()}


def test_a_few_bad_rows_are_set_aside_and_the_rest_is_used(built):
    once = [replace(bought_on(DAY)[0], order_id=number) for number in range(200)]
    built.deliver(DAY, [*once, replace(once[0], order_id=999, amount=Decimal("-1.00"))])
    assert built.materialize([orders, order_history], partition=DAY).success
    assert built.work.read(orders, [DAY]).partitions[DAY].rows == 200
    assert [json.loads(row["record"])["order_id"] for row in rejected(built, DAY)] == [999]
    assert numbers(built, DAY) == {"rejected": "1", "reasons": '{"amount is below 0": 1}'}

    built.deliver(DAY, once)
    assert built.materialize([orders], partition=DAY).success
    assert built.work.platform.tables.snapshot("shop/orders_rejected").partitions[DAY].rows == 0


@pytest.mark.parametrize("wrong", ["2023-12-31", "2024-03-04", "2024-2-1", "x' OR _partition != '"])
def test_a_partition_that_is_not_there_is_refused(built, wrong):
    before = tables(built)
    with pytest.raises(DagsterUnknownPartitionError, match=re.escape(wrong)):
        built.materialize([orders], partition=wrong)
    assert tables(built) == before


@pytest.mark.parametrize(
    ("span", "what"),
    [
        (("2023-12-31", "2024-01-02"), "2023-12-31 is before"),
        (("2024-03-02", "2024-03-04"), "2024-03-04 is after"),
        (("2024-01-04", "2024-01-02"), "The range 2024-01-04...2024-01-02 ends before it begins. Exchange its ends."),
    ],
)
def test_a_range_that_is_not_there_is_refused(built, span, what):
    before = tables(built)
    assert what in said(built, built.materialize([orders], span=span))
    assert tables(built) == before


def test_an_input_that_was_never_made_is_named_with_the_command_that_makes_it(landed):
    assert landed.materialize([orders], span=("2024-01-01", "2024-01-06")).success
    text = said(landed, landed.materialize([order_history], partition="2024-01-08"))
    assert "shop/orders has no partition for 2 of the needed days (2024-01-07 to 2024-01-08)" in text
    assert "dagster asset materialize" in text
    assert "--partition-range 2024-01-07...2024-01-08" in text


def test_a_table_of_a_newer_version_is_left_alone(built):
    log = built.folder / "data" / "tables" / "shop" / "orders" / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace('"platform.format":"1"', '"platform.format":"2"'))
    before = tables(built)
    built.deliver(DAY, bought_on(DAY)[1:])
    for nouns, partition in (([orders], DAY), ([order_history], DAY), ([lapsed, lapse_view], CUTOFF)):
        text = said(built, built.materialize(nouns, partition=partition))
        assert "shop/orders: written by a newer version of platform_ml (format 2; this one knows 1). Upgrade." in text
    assert tables(built) == before


@contextmanager
def small_disk(folder):
    """The folder on a file system of its own, with 1 MB to spare; yields what makes room."""
    aside, size = folder.with_name("aside"), "size={}m".format
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file())
    shutil.copytree(folder, aside)
    command = ["mount", "-t", "tmpfs", "-o", size(used // 2**20 + 2), "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system; the limit of file sizes is tested all the same")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield lambda: subprocess.run(["mount", "-o", f"remount,{size(64)}", str(folder)], check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def small_files(folder):
    """No file of this process may have more than 2 MB; yields what lifts the limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lift():
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 2**20, before[1]))
    try:
        yield lift
    finally:
        lift()


def many(day, count=300_000):
    """Orders that cannot be packed well: some 3 MB."""
    draw = np.random.default_rng(1)
    columns = {
        "order_id": range(count),
        "customer_id": draw.integers(2**62, size=count),
        "amount": pa.array(draw.integers(2**20, size=count)).cast(pa.decimal128(21, 2)),
        "ordered_at": [datetime.fromisoformat(day)] * count,
    }
    return pa.table(columns).cast(rows.ORDER)


@pytest.mark.parametrize("disk", [small_disk, small_files] if os.geteuid() == 0 else [small_files])
def test_a_full_disk_leaves_the_table_as_it_was(built, disk):
    rows.write(built.work, orders, DAY, many(DAY))
    with disk(built.folder / "data" / "tables" / "shop" / "orders") as make_room:
        before = tables(built)
        result = built.materialize([orders, order_history], partition=DAY)
        text = said(built, result)
        assert f"shop/orders: disk full at {built.folder}" in text
        assert "Nothing was changed. Free space and run again." in text
        assert [event.step_key for event in result.all_events if event.is_step_start] == ["shop__orders"]
        assert tables(built) == before

        make_room()
        assert built.materialize([orders], partition=DAY).success
        assert built.work.read(orders, [DAY]).partitions[DAY].rows == 300_000


def test_the_command_line_refuses_a_partition_that_is_not_there(built):
    before = tables(built)
    command = [Path(sys.executable).parent / "dagster", "asset", "materialize"]
    command += [
        "-m",
        "platform_ml_tests.orchestration.shop",
        "--select",
        "key:shop/orders",
        "--partition",
        "2024-03-04",
    ]
    ran = subprocess.run(command, cwd=built.folder, env=built.environment, check=False, capture_output=True, text=True)
    assert ran.returncode
    assert "2024-03-04" in ran.stderr
    assert tables(built) == before
