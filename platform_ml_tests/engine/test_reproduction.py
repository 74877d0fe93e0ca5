import shutil
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest
from pyarrow import parquet

from platform_ml.adapters import delta_files
from platform_ml.adapters.delta import DeltaTables
from platform_ml.engine.maintenance import maintain
from platform_ml.engine.ports import Content, Files
from platform_ml.engine.reference import resolve
from platform_ml.engine.reproduction import reproduce
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.features import Total
from platform_ml.spec.fingerprint import SEMANTICS
from platform_ml_tests.engine.shop import (
    CUTOFF,
    SHOP,
    customer_profile,
    customers,
    deliver,
    deliver_customers,
    invented,
    keys_of,
    lapse_dataset,
    lapse_view,
    lapsed,
    make,
    make_all,
    order_history,
    order_weeks,
    orders,
    project_of,
    rows_of,
    stamp,
    work_in,
)

NOW = {"git_commit": "c" * 40, "lock_hash": "1" * 64, "python_version": "3.11.7"}
DAY = "2024-02-21"


def build(work, dataset=lapse_dataset):
    return materialize_training_dataset(dataset, CUTOFF, work=work, made_by=NOW).artifact


def again(work, *, deep=True, version="latest", project=SHOP, now=NOW, changes=None):
    reference = resolve(f"lapse_dataset@{version}", [project], work.platform.artifacts, verify=False)
    if changes:
        artifact = replace(reference.artifact, record=reference.artifact.record | changes)
        reference = replace(reference, artifact=artifact)
    scratch = work.platform.landing.parent / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    stores = (lambda name: DeltaTables(scratch / name)) if deep else None
    return reproduce(reference, work=work, now=now, scratch=stores)


def said(reproduction):
    return [[str(difference) for difference in level.differences] for level in reproduction.levels]


def files(work):
    root = work.platform.landing.parent
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and "scratch" not in path.parts}


def file_of(work, noun, key):
    snapshot = work.read(noun, [key])
    return snapshot.folder / snapshot.partitions[key].files[0].path


def spoil(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def change(work, number):
    """Another delivery of one day, and all that follows from it."""
    day = date(2024, 2, 1) + timedelta(days=number)
    deliver(work, invented(seed=number + 2), [day])
    token = 10 + number
    make(work, orders, [str(day)], token)
    make(work, order_history, [key for key in keys_of(order_history) if key >= str(day)][:3], token)
    make(work, lapse_view, [key for key in keys_of(lapsed) if key > str(day)][:1], token)


def test_identical_after_later_commits_a_backfill_a_compaction_and_a_vacuum(tmp_path, bought, monkeypatch):
    work = work_in(tmp_path)
    with monkeypatch.context() as older:
        older.setattr(delta_files, "ROW_GROUP", 4)
        make_all(work, bought)
    built = build(work)
    tables = work.platform.tables
    pins = [(used["table"], used["version"], used["partitions"]) for used in built.record["tables"]]
    before = [rows(work, *pin) for pin in pins]

    versions = tables.snapshot("shop/orders").version
    for number in range(20):
        change(work, number)
    assert tables.snapshot("shop/orders").version == versions + 20
    make_all(work, invented(seed=99), token=50)
    kept = {one.table: one for one in maintain(SHOP, work=work, upkeep=tables, keep_days=0)}
    assert kept["shop/customer_profile"].compacted.partitions == 1
    assert kept["shop/orders"].compacted.checkpoint
    assert kept["shop/orders"].vacuumed.files > 10
    assert kept["shop/lapse_view"].vacuumed.size > 0

    fresh = work_in(tmp_path)
    assert [rows(fresh, *pin) for pin in pins] == before
    there = files(fresh)
    found = again(fresh)
    assert said(found) == [[], [], []]
    assert (found.identical, found.changed) == (True, [])
    assert [level.checked for level in found.levels] == [
        "4 files by their sha256",
        "11 partitions by their sha256, rows by their content hash",
        "115 source partitions by their sha256, 45 partitions computed again of which 45 have the same content hash",
    ]
    assert files(fresh) == there
    assert build(fresh).digest != built.digest
    assert again(fresh, version=built.digest[:12]).identical


def rows(work, table, version, keys):
    snapshot = work.platform.tables.snapshot(table, version)
    relation = Files(paths=snapshot.paths(keys), schema=snapshot.schema)
    return work.platform.compute.query("SELECT * FROM rows ORDER BY ALL", {"rows": relation}).table()


def test_a_dataset_of_several_upstream_versions(shop):
    for number in range(4):
        change(shop, number)
    make(shop, lapse_view, keys_of(lapsed)[-2:], 40)
    entries = build(shop).record["tables"]
    assert len({used["version"] for used in entries if used["table"] == "shop/order_history"}) > 1
    found = again(shop)
    assert said(found) == [[], [], []]


def test_without_a_place_for_scratch_tables_the_sources_are_not_read(shop):
    build(shop)
    found = again(shop, deep=False)
    assert [level.name for level in found.levels] == ["published files", "from the view, shop/lapse_view version 1"]
    assert found.identical


def test_a_damaged_published_file(shop):
    file = build(shop).folder / "train.parquet"
    spoil(file)
    (only,), from_view, from_sources = said(again(shop))
    assert only.startswith(f"{file} was changed: its sha256 is not ")
    assert (from_view, from_sources) == ([], [])


def test_a_damaged_view_is_made_again_from_the_sources(shop):
    build(shop)
    file = file_of(shop, lapse_view, DAY)
    spoil(file)
    found = again(shop)
    published, (only,), from_sources = said(found)
    assert not found.identical
    assert (published, from_sources) == ([], [])
    assert only.startswith(f"shop/lapse_view, partition {DAY}: shop/lapse_view: {file} of partition '{DAY}' does not")


def test_a_damaged_source_is_named_and_what_cannot_be_made_without_it(shop):
    build(shop)
    file = file_of(shop, orders, DAY)
    file.unlink()
    published, from_view, from_sources = said(again(shop))
    assert (published, from_view) == ([], [])
    assert from_sources[0].startswith(f"shop/orders version 2, partition {DAY}: shop/orders: {file} of partition")
    assert "cannot be read (No such file or directory)" in from_sources[0]
    assert "shop/lapsed version 1, partition 2024-01-31: cannot be computed again without shop/orders version 2" in (
        from_sources
    )


def test_a_version_that_is_gone(shop):
    table = shop.platform.tables.root / "shop" / "lapse_view"
    shutil.rmtree(table)
    for some in (keys_of(lapsed)[:5], keys_of(lapsed)[5:]):
        make(shop, lapse_view, some)
    build(shop)
    shutil.rmtree(table)
    fresh = work_in(shop.platform.landing.parent)
    _, (only,), from_sources = said(again(fresh))
    assert only == "shop/lapse_view: the table is gone; restore it from a backup"
    assert from_sources[-1].startswith("shop/lapse_view version 2: ")
    make(fresh, lapse_view, token=9)
    _, (only,), _ = said(again(fresh))
    assert only == "shop/lapse_view: there is no version 2; the newest is 1. Pin one of those."


def test_a_vacuum_that_did_not_know_the_pin(shop):
    build(shop)
    make_all(shop, invented(seed=5), token=9)
    shop.platform.tables.vacuum("shop/lapse_view", {}, keep=timedelta(0))
    _, from_view, from_sources = said(again(shop))
    assert len(from_view) == 11
    assert "was vacuumed on" in from_view[0]
    assert from_view[0].endswith("no dataset pinned it. Read a newer version.")
    assert from_sources == []


def test_rows_that_another_history_leaves_out(shop):
    build(shop)
    found = again(shop, project=project_of(replace(lapse_dataset, history_days=42)))
    assert found.changed == ["declaration: TrainingDataset lapse_dataset: history_days: 126 → 42"]
    assert not found.identical
    assert said(found)[1][0] == "shop/lapse_view, partition 2024-01-31: was used, and today's declaration leaves it out"
    gone = len(rows_of(shop, lapse_view, ["2024-01-31", "2024-02-07", "2024-02-14", "2024-02-21"]))
    assert said(found)[2][1:] == [f"shop/lapse_dataset, split train: {gone} rows published and now missing"]


def with_total(days):
    features = tuple(replace(f, days=days) if isinstance(f, Total) else f for f in order_history.features)
    return replace(order_history, features=features)


def test_another_split_says_which_rows_moved(shop):
    build(shop)
    other = replace(lapse_dataset, splitter=replace(lapse_dataset.splitter, validation_days=7))
    found = again(shop, project=project_of(other))
    assert found.changed == ["declaration: TrainingDataset lapse_dataset: splitter: ByTime.validation_days: 14 → 7"]
    hashes, *differences = said(found)[1]
    assert hashes.startswith("shop/lapse_dataset: content hash ")
    new, gone = (len(rows_of(shop, lapse_view, [key])) for key in ("2024-03-06", "2024-03-20"))
    assert differences == [
        f"shop/lapse_dataset, split train: {new} rows more than published",
        f"shop/lapse_dataset, split validation: {gone} rows published and now missing",
    ]


def test_another_feature_says_which_column_of_which_partition_differs(shop):
    build(shop)
    history = with_total(14)
    view = replace(lapse_view, features=(history, order_weeks))
    found = again(shop, project=project_of(replace(lapse_dataset, view=view)))
    assert "declaration: FeatureGroup order_history: features: Total.days: 28 → 14" in found.changed
    assert any(
        text.startswith("declaration: shop/order_history was made by fingerprint ffff") for text in found.changed
    )
    of_columns = {text.partition(" column ")[2] for text in said(found)[2] if text.startswith("shop/order_history")}
    assert of_columns == {"amount_sum_28d: is gone", "amount_sum_14d: is new"}


def test_other_code_of_the_same_declaration(shop, monkeypatch):
    """The rows of the pinned tables were computed by a program that erred."""
    late = [key for key in keys_of(order_history) if key == "2024-02-20"]
    snapshot = shop.read(order_history, late)
    state = snapshot.partitions[late[0]]
    rows = parquet.ParquetFile(snapshot.paths(late)[0]).read().drop_columns(["_created", "_seq"])
    amounts = [None if value is None else value + 1 for value in rows["amount_sum_28d"].to_pylist()[:3]]
    column = pa.array([*amounts, *rows["amount_sum_28d"].to_pylist()[3:]], pa.float64())
    at = rows.column_names.index("amount_sum_28d")
    wrong = Content(rows=rows.set_column(at, "amount_sum_28d", column), inputs=state.inputs, read=state.read)
    shop.platform.tables.commit("shop/order_history", {late[0]: wrong}, stamp(5))
    make(shop, lapse_view, [DAY], 5)
    build(shop)
    found = again(shop, now=NOW | {"git_commit": "d" * 40, "lock_hash": "2" * 64, "python_version": "3.12.1"})
    published, from_view, from_sources = said(found)
    assert (published, from_view) == ([], [])
    version = shop.platform.tables.snapshot("shop/order_history").version
    assert from_sources[0] == (
        f"shop/order_history version {version}, partition 2024-02-20, column amount_sum_28d: 3 rows differ"
    )
    assert any(text.startswith("shop/lapse_dataset, split train, column amount_sum_28d: ") for text in from_sources)
    assert found.changed[:3] == [
        "code: cccccccccccc → dddddddddddd",
        "library versions (lock file): 111111111111 → 222222222222",
        "Python: 3.11.7 → 3.12.1",
    ]


def test_changes_without_effect_are_told_and_the_dataset_is_identical(shop):
    build(shop)
    found = again(shop, changes={"semantics": SEMANTICS - 1}, now=NOW | {"git_commit": "d" * 40})
    assert found.identical
    assert found.changed == [
        f"the platform computes other things from the same declaration: SEMANTICS {SEMANTICS - 1} → {SEMANTICS}",
        "code: cccccccccccc → dddddddddddd",
    ]


def test_a_manifest_without_its_declaration_still_has_its_fingerprint(shop):
    build(shop)
    old = {"declaration": None, "fingerprint": "0" * 64}
    reference = resolve("lapse_dataset@latest", [SHOP], shop.platform.artifacts)
    record = {name: value for name, value in (reference.artifact.record | old).items() if name != "declaration"}
    reference = replace(reference, artifact=replace(reference.artifact, record=record))
    found = reproduce(reference, work=shop, now=NOW)
    assert found.changed == ["declaration: TrainingDataset lapse_dataset has another fingerprint"]
    assert found.identical


def test_a_table_that_the_declaration_does_without(shop):
    build(shop)
    view = replace(lapse_view, helpers=())
    found = again(shop, project=project_of(replace(lapse_dataset, view=view)))
    gone = [text for text in said(found)[2] if text.endswith("today's declaration does without it")]
    assert {text.split(" ")[0] for text in gone} == {f"shop/{noun.name}" for noun in (customers, customer_profile)}
    assert "shop/lapse_dataset, column country: is not in both, or of another type" in said(found)[1]


def test_later_customers_do_not_reach_the_pinned_profile(shop):
    build(shop)
    deliver_customers(shop, [{"customer_id": 1, "country": "DE", "student": True}])
    for noun in (customers, customer_profile, lapse_view):
        make(shop, noun, token=7)
    assert again(shop).identical


@pytest.mark.parametrize("name", ["order_history", "orders"])
def test_commits_that_say_something_else_than_the_manifest(shop, name):
    record = build(shop).record
    entries = [used | {"content": "0" * 64} if used["table"] == f"shop/{name}" else used for used in record["tables"]]
    _, from_view, from_sources = said(again(shop, changes={"tables": entries}))
    assert from_view == []
    assert from_sources[0].endswith(
        "the table's commits and the manifest say different things; restore it from a backup"
    )
