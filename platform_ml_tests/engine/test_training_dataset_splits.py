import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine.leak_audit import CHECKS as LEAK_CHECKS
from platform_ml.engine.training_dataset import materialize_training_dataset, row_sql
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.spec.training_dataset import SPLITS
from platform_ml.spec.window import moment
from platform_ml.splitters import ByEntity, ByHash, Stratified
from platform_ml_tests.engine.shop import CUTOFF, lapse_dataset, lapse_view, lapsed, rows_of


def build(work, dataset=lapse_dataset):
    return materialize_training_dataset(dataset, CUTOFF, work=work, made_by={})


def failed(done):
    return {finding.check.name: finding.reason for finding in done.findings if not finding.passed}


WHY = "The model scores customers that it knows, on days that it knows."


@pytest.mark.parametrize("splitter", [ByHash(seed=1), ByEntity(train=0.5, validation=0.25, test=0.25), Stratified()])
def test_a_split_at_random_is_published_with_its_reason(shop, splitter):
    dataset = replace(lapse_dataset, splitter=splitter, random_split_because=WHY)
    done = build(shop, dataset)
    assert failed(done) == {}
    found = {finding.check.name: finding.reason for finding in done.findings}
    assert found["no_leak"] == f"Splits are not by time: {WHY}"
    rule = done.artifact.record["split"]
    assert (rule["rule"], rule["random_split_because"], rule["by_time"]) == (splitter.says(0), WHY, False)
    assert rule["separates_entities"] == splitter.separates_entities
    parts = [pq.read_table(done.artifact.folder / f"{split}.parquet") for split in SPLITS]
    assert sum(part.num_rows for part in parts) == len(
        rows_of(shop, lapse_view, dataset.view_keys(lapsed.cadence.last))
    )


def test_the_audit_is_in_the_manifest(shop):
    done = build(shop)
    record = json.loads((done.artifact.folder / "record.json").read_text())
    audited = {finding.check.name: finding for finding in done.findings if finding.check in LEAK_CHECKS}
    assert list(audited) == [check.name for check in LEAK_CHECKS]
    assert record["audit"].keys() == audited.keys()
    for name, finding in audited.items():
        assert record["audit"][name] == {
            "passed": finding.passed,
            "blocking": finding.check.blocking,
            "reason": finding.reason,
            "numbers": finding.numbers,
        }


def test_what_the_audit_blocks_is_not_published(shop):
    done = build(shop, replace(lapse_dataset, audit=LeakAudit(too_good=0.7)))
    assert done.artifact is None
    assert failed(done).keys() == {"too_good"}
    assert "give the label away (AUC, limit 0.7)" in failed(done)["too_good"]


def test_folds_by_the_splitters_own_rule(shop):
    keys = lapsed.cadence.keys()
    rows = pa.Table.from_pylist(rows_of(shop, lapse_view, keys))
    cutoff = lapsed.cadence.last
    sides = ", ".join(lapse_dataset.fold_sql(row_sql(lapse_view, cutoff), cutoff, 2))
    found = shop.platform.compute.query(f"SELECT event_time, {sides} FROM rows", {"rows": rows}).table()
    at, *folds = (column.to_pylist() for column in found.columns)
    for fold in folds:
        learned, judged = (
            [time for time, role in zip(at, fold, strict=True) if role == side] for side in ("train", "validation")
        )
        assert max(learned) + timedelta(days=lapse_dataset.gap_days) <= min(judged)
        assert max(judged) + timedelta(days=lapse_dataset.gap_days) <= moment(cutoff)
