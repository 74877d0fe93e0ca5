import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine.content import content_hash, file_sha256
from platform_ml.engine.dataset_checks import checks
from platform_ml.engine.ports import Content
from platform_ml.engine.split_statistics import statistics_of
from platform_ml.engine.training_dataset import is_current, load, materialize_training_dataset, split_rows
from platform_ml.spec.errors import MissingInputError, StoreError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.splitter import RowSQL
from platform_ml.spec.training_dataset import SPLITS
from platform_ml.spec.window import PartitionError, moment
from platform_ml.splitters import ByTime
from platform_ml_tests.engine.shop import (
    CUTOFF,
    deliver,
    lapse_dataset,
    lapse_view,
    lapsed,
    make,
    make_all,
    orders,
    rows_of,
    stamp,
    work_in,
)

MADE_BY = {"git_commit": "c0ffee", "dagster_run": "run"}
SPLIT_OF = {
    "train": ["2024-01-31", "2024-02-07", "2024-02-14", "2024-02-21", "2024-02-28"],
    "validation": ["2024-03-20", "2024-03-27"],
    "test": ["2024-04-10"],
}


@dataclass(frozen=True, kw_only=True)
class Liar:
    """A splitter that promises a gap and cuts as it likes."""

    sentence: str
    gap_days: int | None = 14
    by_time: ClassVar[bool] = True
    separates_entities: ClassVar[bool] = False

    def span_days(self, gap_days):
        return 2 * gap_days

    def sql(self, row, *, gap_days):
        return self.sentence.format(entity=row.entity, time=row.event_time, cutoff=row.cutoff)

    def says(self, gap_days):
        return "Trust me."


BLANK = RowSQL(entity="{entity}", key=(), event_time="{time}", label="", cutoff="{cutoff}")


def build(work, dataset=lapse_dataset, cutoff=CUTOFF):
    return materialize_training_dataset(dataset, cutoff, work=work, made_by=MADE_BY)


def failed(done):
    return {finding.check.name: finding.reason for finding in done.findings if not finding.passed}


def folders(work):
    home = work.platform.artifacts.root / work.place("datasets", lapse_dataset, CUTOFF)
    return sorted(path.name for path in home.iterdir() if path.is_dir())


def test_every_split_has_the_rows_of_its_moments(shop):
    done = build(shop)
    assert failed(done) == {}
    assert [finding.check for finding in done.findings] == list(checks(lapse_dataset))
    for split, keys in SPLIT_OF.items():
        rows = pq.read_table(done.artifact.folder / f"{split}.parquet")
        assert rows.to_pylist() == rows_of(shop, lapse_view, keys)
        assert rows.column_names == list(lapse_view.types)


def test_outcomes_of_a_split_are_known_before_the_next_one_begins(shop):
    parts = {split: pq.read_table(build(shop).artifact.folder / f"{split}.parquet") for split in SPLITS}
    known = {split: max(rows["known_time"].to_pylist()) for split, rows in parts.items()}
    first = {split: min(rows["event_time"].to_pylist()) for split, rows in parts.items()}
    assert known["train"] <= first["validation"]
    assert known["validation"] <= first["test"] == moment(date.fromisoformat(CUTOFF))


def test_a_second_run_finds_the_same_folder(shop):
    first = build(shop).artifact
    before = {file.name: file.stat().st_mtime_ns for file in first.folder.iterdir()}
    second = build(shop).artifact
    assert (second.folder, second.digest) == (first.folder, first.digest)
    assert {file.name: file.stat().st_mtime_ns for file in second.folder.iterdir()} == before
    assert load(lapse_dataset, CUTOFF, work=shop).digest == first.digest


def test_another_machine_gets_the_same_digest(shop, bought, tmp_path):
    other = work_in(tmp_path / "other", threads=1)
    make_all(other, bought[::-1])
    assert build(shop).artifact.digest == build(other).artifact.digest


def test_new_rows_and_other_words_change_nothing_that_is_there(shop):
    before = build(shop).artifact
    make(shop, lapse_view, [CUTOFF], token=9)
    assert build(shop, replace(lapse_dataset, description="In other words.")).artifact.digest == before.digest
    assert folders(shop) == [before.folder.name]


def test_another_meaning_is_another_dataset(shop):
    before = build(shop).artifact
    later = build(shop, replace(lapse_dataset, history_days=100)).artifact
    assert later.digest != before.digest
    assert folders(shop) == sorted([before.folder.name, later.folder.name])
    assert load(lapse_dataset, CUTOFF, work=shop).digest == later.digest
    assert build(shop).artifact.folder == before.folder
    assert load(lapse_dataset, CUTOFF, work=shop).digest == before.digest


def test_it_knows_whether_it_is_current(shop):
    assert not is_current(lapse_dataset, CUTOFF, work=shop)
    build(shop)
    assert is_current(lapse_dataset, CUTOFF, work=shop)
    assert not is_current(replace(lapse_dataset, history_days=100), CUTOFF, work=shop)
    horizon = [date(2024, 2, 7) + timedelta(days=n) for n in range(14)]
    deliver(shop, [], horizon)
    make(shop, orders, [str(day) for day in horizon], token=9)
    make(shop, lapsed, ["2024-02-07"], token=9)
    make(shop, lapse_view, ["2024-02-07"], token=9)
    assert not is_current(lapse_dataset, CUTOFF, work=shop)


def test_the_manifest_says_how_to_make_it_again(shop):
    artifact = build(shop).artifact
    record, snapshot = json.loads((artifact.folder / "record.json").read_text()), shop.read(lapse_view, [])
    assert record["fingerprint"] == fingerprint(lapse_dataset)
    assert (record["cutoff"], record["dataset"], record["made_by"]) == (CUTOFF, "lapse_dataset", MADE_BY)
    view = record["view"]
    assert (view["table"], view["version"], view["fingerprint"]) == (
        "shop/lapse_view",
        snapshot.version,
        fingerprint(lapse_view),
    )
    assert sorted(view["partitions"]) == lapsed.cadence.keys()
    for key, part in view["partitions"].items():
        state = snapshot.partitions[key]
        assert (part["rows"], part["content"]) == (state.rows, state.content)
        for path, sha256 in part["files"].items():
            assert file_sha256(snapshot.folder / path) == sha256
    assert record["join"]["knowledge"] == {"is": "PerRow"}
    assert record["join"]["not_point_in_time"] == ["customer_profile"]
    assert record["join"]["groups"]["customer_profile"] is None
    assert record["join"]["groups"]["order_history"]["bound"] == "<="
    assert record["join"]["roles"][0] == {
        "group": "order_history",
        "prefix": "",
        "keys": {"customer_id": "customer_id"},
        "as_of": "event_time",
    }
    assert record["features"] == lapse_view.feature_names
    assert record["helpers"] == ["country", "student", "surveyed"]
    for split, keys in SPLIT_OF.items():
        part = record["split"]["splits"][split]
        assert (part["first"], part["last"]) == (keys[0], keys[-1])
        rows = rows_of(shop, lapse_view, keys)
        assert part["rows"] == len(rows)
        assert part["mean_label"] == sum(row["lapsed"] for row in rows) / len(rows)
        assert part["outcomes_known"] == str(date.fromisoformat(keys[-1]) + timedelta(days=14))
    names = [*(f"{split}.parquet" for split in SPLITS), "statistics.json"]
    assert record["files"] == {name: file_sha256(artifact.folder / name) for name in names}


def test_the_statistics_are_those_of_the_rows(shop):
    artifact = build(shop).artifact
    rows = [row for split in SPLITS for row in pq.read_table(artifact.folder / f"{split}.parquet").to_pylist()]
    known = [row["amount_sum_28d"] for row in rows if row["amount_sum_28d"] is not None]
    measured = statistics_of(artifact)
    found = measured["all"].columns["amount_sum_28d"]
    assert (found.nulls, found.minimum, found.maximum) == (len(rows) - len(known), min(known), max(known))
    assert found.mean == pytest.approx(sum(known) / len(known))
    assert measured["all"].columns["country"].nulls == sum(row["country"] is None for row in rows)
    assert measured["all"].columns["split"].top == {
        split: measured[split].rows for split in measured["all"].columns["split"].top
    }
    for split in SPLITS:
        part = pq.read_table(artifact.folder / f"{split}.parquet")
        assert (measured[split].rows, measured[split].columns.keys()) == (part.num_rows, lapse_view.types.keys())


@pytest.mark.parametrize("name", ["train.parquet", "test.parquet", "record.json"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_tampered_file_is_refused(shop, name, how):
    file = build(shop).artifact.folder / name
    if how == "gone":
        file.unlink()
    else:
        whole = bytearray(file.read_bytes())
        whole[len(whole) // 2] ^= 1
        file.write_bytes(whole if name != "record.json" else whole[:100])
    with pytest.raises(StoreError, match=rf"{name} (was changed|is missing|cannot be read)"):
        load(lapse_dataset, CUTOFF, work=shop)


def test_rows_that_changed_on_disk_are_refused(shop):
    file = shop.read(lapse_view, []).paths(["2024-02-07"])[0]
    rows = pq.ParquetFile(file).read()
    label = rows.column_names.index("lapsed")
    pq.write_table(rows.set_column(label, "lapsed", pa.array([True] * rows.num_rows)), file)
    with pytest.raises(StoreError, match=r"lapse_view: .* of partition '2024-02-07' does not hold what was written"):
        build(shop)


def test_a_dataset_that_was_never_built(work):
    with pytest.raises(MissingInputError, match=r"shop/lapse_dataset has no partition.*--partition 2024-04-10"):
        load(lapse_dataset, CUTOFF, work=work)


def test_a_missing_partition_of_the_view_is_named(shop):
    fresh = replace(lapse_view, name="lapse_partly")
    make(shop, fresh, lapsed.cadence.keys()[:-1])
    with pytest.raises(MissingInputError, match=r"shop/lapse_partly has no partition.*2024-04-10"):
        build(shop, replace(lapse_dataset, view=fresh))


@pytest.mark.parametrize(
    ("cutoff", "near"), [("2024-04-04", "Did you mean '2024-04-03'"), ("2024-05-01", "outside of")]
)
def test_a_cutoff_that_is_no_moment(shop, cutoff, near):
    with pytest.raises(PartitionError, match=rf"'{cutoff}' is .*{near}"):
        build(shop, cutoff=cutoff)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        (
            "CASE {time} WHEN {cutoff} THEN 'test' WHEN {cutoff} - INTERVAL 7 DAY THEN 'validation' ELSE 'train' END",
            "train outcomes are known on 2024-04-10, validation begins on 2024-04-03; validation outcomes are known",
        ),
        (
            "CASE WHEN {time} = {cutoff} THEN 'test' WHEN {time} > '2024-02-28' THEN 'validation' ELSE 'train' END",
            "train outcomes are known on 2024-03-13, validation begins on 2024-03-06; validation outcomes are known",
        ),
        (
            "(['train', 'validation', 'test'])[1 + {entity} % 3]",
            "train outcomes are known on 2024-04-24, validation begins",
        ),
        (
            "CASE {time} WHEN {cutoff} THEN 'train' WHEN {cutoff} - INTERVAL 14 DAY THEN 'validation' ELSE 'test' END",
            "train outcomes are known on 2024-04-24, validation begins on 2024-03-27",
        ),
    ],
    ids=["no gap", "a short gap", "at random", "backwards"],
)
def test_a_splitter_that_lies_is_found_out(shop, sentence, reason):
    done = build(shop, replace(lapse_dataset, splitter=Liar(sentence=sentence)))
    assert done.artifact is None
    assert failed(done).keys() == {"no_leak", "gap"}
    assert failed(done)["no_leak"].startswith(reason)
    assert shop.platform.artifacts.newest(shop.place("datasets", lapse_dataset, CUTOFF)) is None


def test_a_splitter_with_a_split_of_its_own_is_found_out(shop):
    honest = ByTime(validation_days=14).sql(BLANK, gap_days=14)
    sentence = honest.replace("'train' END", "'train' ELSE 'holdout' END")
    done = build(shop, replace(lapse_dataset, splitter=Liar(sentence=sentence)))
    assert done.artifact is None
    assert "holdout" in failed(done)["splits"]
    assert failed(done)["splits"].endswith("There are only train, validation, test: mend the splitter.")


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        ("CASE WHEN {time} = {cutoff} THEN 'test' ELSE 'train' END", "validation none"),
        ("CAST(NULL AS VARCHAR)", "Rows: train none, validation none, test none"),
    ],
)
def test_an_empty_split_is_kept_back(shop, sentence, counts):
    done = build(shop, replace(lapse_dataset, splitter=Liar(sentence=sentence)))
    assert done.artifact is None
    assert counts in failed(done)["splits"]


def test_a_split_of_one_outcome_is_kept_back(shop, bought):
    lapsers = {row["customer_id"] for row in rows_of(shop, lapse_view, [CUTOFF]) if row["lapsed"]}
    sentence = ByTime(validation_days=14).sql(BLANK, gap_days=14)
    who = ", ".join(map(str, lapsers))
    only = f"CASE WHEN {{time}} < {{cutoff}} OR {{entity}} IN ({who}) THEN {sentence} END"
    done = build(shop, replace(lapse_dataset, splitter=Liar(sentence=only)))
    assert done.artifact is None
    assert failed(done)["splits"].endswith(f"test {len(lapsers)}. A split is empty or has one outcome only: widen it.")


def test_rows_of_another_type_are_kept_back(shop):
    """Written past the audit, as another program might."""
    key = CUTOFF
    snapshot = shop.read(lapse_view, [key])
    view = replace(lapse_view, name="lapse_foreign")
    contents = {}
    for each in snapshot.partitions:
        rows = pa.concat_tables(pq.ParquetFile(path).read() for path in snapshot.paths([each]))
        rows = rows.select(list(view.types))
        at = rows.column_names.index("amount_sum_28d")
        contents[each] = Content(
            rows=rows.set_column(at, "amount_sum_28d", rows["amount_sum_28d"].cast("string")), inputs=""
        )
    shop.platform.tables.commit(shop.table(view), contents, stamp())
    done = build(shop, replace(lapse_dataset, view=view))
    assert done.artifact is None
    assert failed(done).keys() == {"schema"}
    assert "amount_sum_28d" in failed(done)["schema"]


def test_rows_without_an_outcome_are_kept_back(shop):
    view = replace(lapse_view, name="lapse_blank")
    snapshot = shop.read(lapse_view, [])
    contents = {}
    for key in snapshot.partitions:
        rows = pa.concat_tables(pq.ParquetFile(path).read() for path in snapshot.paths([key])).select(list(view.types))
        at = rows.column_names.index("lapsed")
        blank = pa.array([None, *rows["lapsed"].to_pylist()[1:]], pa.bool_())
        contents[key] = Content(rows=rows.set_column(at, "lapsed", blank), inputs="")
    shop.platform.tables.commit(shop.table(view), contents, stamp())
    done = build(shop, replace(lapse_dataset, view=view))
    assert done.artifact is None
    assert failed(done)["not_null"] == "8 nulls in lapsed."


def test_splits_in_the_shapes_that_models_take(shop):
    artifact = build(shop).artifact
    for split, keys in SPLIT_OF.items():
        expected = rows_of(shop, lapse_view, keys)
        found = split_rows(lapse_dataset, artifact, split)
        assert found.features.column_names == lapse_view.feature_names
        assert found.helpers.column_names == lapse_view.helper_names
        assert found.label.tolist() == [float(row["lapsed"]) for row in expected]
        names = {}
        codes = [
            names.setdefault(code, row["customer_id"])
            for code, row in zip(found.entity.tolist(), expected, strict=True)
        ]
        assert codes == [row["customer_id"] for row in expected]
        assert len(set(names.values())) == len(names)
        assert content_hash(found.features) == content_hash(
            pa.Table.from_pylist(expected).select(lapse_view.feature_names).cast(found.features.schema)
        )
