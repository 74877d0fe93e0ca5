from dataclasses import replace
from datetime import date

import pytest

from platform_ml.engine.dataset_diff import Moved, diff
from platform_ml.engine.reference import resolve
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.features import Count
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.engine.shop import (
    CUTOFF,
    Order,
    customer_profile,
    customers,
    deliver,
    deliver_customers,
    lapse_dataset,
    lapse_view,
    lapsed,
    make,
    naive,
    order_history,
    order_weeks,
    orders,
    project_of,
    rows_of,
    work_in,
)

DAY = date(2024, 2, 20)
LATER = "2024-02-21"


def build(work, dataset=lapse_dataset, cutoff=CUTOFF, **made_by):
    artifact = materialize_training_dataset(dataset, cutoff, work=work, made_by={"git_commit": "a" * 40} | made_by)
    return resolve(f"lapse_dataset@{artifact.artifact.digest[:12]}", [project_of(dataset)], work.platform.artifacts)


def by_split(found):
    return {one.split: (one.before, one.after, one.added, one.removed, one.changed) for one in found.splits}


def counts(work, *keys):
    return len(rows_of(work, lapse_view, keys))


def test_a_version_does_not_differ_from_itself(shop):
    one = build(shop)
    found = diff(one, one, work=shop)
    assert found.same_content
    assert (found.moved, found.columns_added, found.columns_removed, found.columns_retyped) == ([], {}, {}, {})
    assert (found.changed_values, found.causes) == ({}, [])
    assert all(
        split.before == split.after > 0 and split.added == split.removed == split.changed == 0 for split in found.splits
    )
    assert {shift.psi for shift in found.shifts} == {0, None}
    assert [shift.column for shift in found.shifts] == list(one.artifact.record["columns"])


def test_an_order_that_was_delivered_late(shop, bought):
    before = build(shop)
    who = next(row["customer_id"] for row in rows_of(shop, lapse_view, [LATER]))
    late = Order(1, who, 1_000, naive(2024, 2, 20, 12))
    deliver(shop, [*bought, late], [DAY])
    make(shop, orders, [str(DAY)], 5)
    make(shop, order_history, [str(DAY)], 5)
    make(shop, lapse_view, [LATER], 5)
    found = diff(before, build(shop, git_commit="b" * 40), work=shop)
    assert not found.same_content
    assert {name: split[4] for name, split in by_split(found).items()} == {"train": 1, "validation": 0, "test": 0}
    assert all(split.added == split.removed == 0 for split in found.splits)
    assert found.changed_values["amount_sum_28d"] == 1
    assert set(found.changed_values) <= {"amount_sum_28d", "days_since_last_28d", "bought_lately"}
    shift = next(one for one in found.shifts if one.column == "amount_sum_28d")
    rows = sum(split.after for split in found.splits)
    known = rows - shift.before.nulls
    gained = shift.after.numbers["mean"] * (rows - shift.after.nulls) - shift.before.numbers["mean"] * known
    assert gained == pytest.approx(1_000)
    assert found.causes == [
        "table shop/orders, version 2 → 2, 3: partitions: 1 with other rows (2024-02-20)",
        "table shop/order_history, version 2 → 2, 3: partitions: 1 with other rows (2024-02-20)",
        "table shop/lapse_view, version 1 → 2: partitions: 1 with other rows (2024-02-21)",
        "code: aaaaaaaaaaaa → bbbbbbbbbbbb",
    ]


def test_another_split_moves_rows(shop):
    before = build(shop)
    after = build(shop, replace(lapse_dataset, splitter=replace(lapse_dataset.splitter, validation_days=35)))
    found = diff(before, after, work=shop)
    lost = counts(shop, "2024-02-14", "2024-02-21", "2024-02-28")
    new = counts(shop, "2024-02-28", "2024-03-06", "2024-03-13")
    moved = counts(shop, "2024-02-28")
    assert found.moved == [Moved(was="train", now="validation", rows=moved)]
    assert by_split(found)["train"][2:] == (0, lost - moved, 0)
    assert by_split(found)["validation"][2:] == (new - moved, 0, 0)
    assert by_split(found)["test"][2:] == (0, 0, 0)
    assert found.causes[0] == ("declaration: TrainingDataset lapse_dataset: splitter: ByTime.validation_days: 14 → 35")
    assert found.causes[1].startswith("split rule: Test on the day of the cutoff, validate on the 14 days that end")
    assert len(found.causes) == 2


def test_another_cutoff_adds_and_removes_rows(shop):
    earlier = lapsed.cadence.keys()[-2]
    before, after = build(shop, cutoff=earlier), build(shop)
    found = diff(before, after, work=shop)
    for split in found.splits:
        sides = [ref.artifact.record["split"]["splits"][split.split] for ref in (before, after)]
        assert (split.before, split.after) == tuple(side["rows"] for side in sides)
        assert split.label_mean_after == sides[1]["mean_label"]
        moved_in = sum(one.rows for one in found.moved if one.now == split.split)
        moved_out = sum(one.rows for one in found.moved if one.was == split.split)
        assert split.after == split.before + split.added - split.removed + moved_in - moved_out
    assert found.causes[0] == f"cutoff: {earlier} → {CUTOFF}"
    assert f"table shop/lapsed, version 1 → 1: partitions: 1 more ({CUTOFF})" in found.causes


def test_columns_that_come_and_go(shop):
    before = build(shop)
    history = replace(order_history, features=(*order_history.features[:-1], Count(days=3)))
    view = replace(lapse_view, features=(history, order_weeks))
    make(shop, history, token=5)
    make(shop, view, token=5)
    found = diff(before, build(shop, replace(lapse_dataset, view=view)), work=shop)
    assert (found.columns_added, found.columns_removed) == ({"count_3d": "BIGINT"}, {"bought_lately": "BOOLEAN"})
    assert found.changed_values == {}
    assert "count_3d" not in {shift.column for shift in found.shifts}
    assert any(text.startswith("declaration: FeatureGroup order_history: features: Count(") for text in found.causes)


def test_a_column_of_another_type_is_not_compared_by_value(shop):
    one = build(shop)
    columns = one.artifact.record["columns"] | {"count_7d": "DOUBLE"}
    other = replace(one, artifact=replace(one.artifact, record=one.artifact.record | {"columns": columns}))
    found = diff(one, other, work=shop)
    assert found.columns_retyped == {"count_7d": ("BIGINT", "DOUBLE")}
    assert "count_7d" not in {shift.column for shift in found.shifts}


def test_values_that_became_frequent(shop):
    before = build(shop)
    moved = [{"customer_id": n, "country": "DE", "student": True} for n in range(30)]
    deliver_customers(shop, moved)
    for noun in (customers, customer_profile, lapse_view):
        make(shop, noun, token=7)
    found = diff(before, build(shop), work=shop)
    shift = next(one for one in found.shifts if one.column == "country")
    assert (shift.before.top["DE"], shift.after.top["DE"], shift.after.nulls) == (0, 1, 0)
    assert shift.psi > 1
    assert found.changed_values["country"] == sum(split.after for split in found.splits)


def test_a_manifest_without_declaration_and_commits_that_cannot_be_read(shop):
    before = build(shop)
    record = {name: value for name, value in before.artifact.record.items() if name != "declaration"}
    tables = [used | {"content": "0"} if used["table"] == "shop/orders" else used for used in record["tables"]]
    old = replace(before, artifact=replace(before.artifact, record=record | {"fingerprint": "0", "tables": tables}))
    (shop.platform.tables.root / "shop" / "orders" / "_delta_log" / f"{1:020}.json").unlink()
    found = diff(old, before, work=work_in(shop.platform.landing.parent))
    assert found.causes[0] == "declaration: another fingerprint"
    assert len(found.causes) == 2
    assert found.causes[1].startswith("table shop/orders: other rows; its commits cannot be read (")


def test_datasets_of_other_entities_are_refused(shop):
    one = build(shop)
    other = replace(one, artifact=replace(one.artifact, record=one.artifact.record | {"columns": {"x": "BIGINT"}}))
    with pytest.raises(PlatformError, match="has no column 'customer_id', by which the rows of shop/lapse_dataset@"):
        diff(other, one, work=shop)
