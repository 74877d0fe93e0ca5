"""Cutoffs that are coarser than the partitions of the label: single events of a year, a model a month."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.plan import plan
from platform_ml.engine.recut import same_rows
from platform_ml.engine.reference import resolve
from platform_ml.engine.retraining import newest_cutoff
from platform_ml.engine.training_dataset import fold_rows, is_current, materialize_training_dataset, row_sql
from platform_ml.orchestration.cut import _cutoff
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.window import Monthly, Weekly, moment
from platform_ml.splitters import ByTime
from platform_ml_tests.engine.shop import lapse_dataset, project_of
from platform_ml_tests.spec.flown import delay_view, delayed

DAY = timedelta(days=1)
flown = TrainingDataset(
    name="flown",
    description="Flights before each month.",
    view=delay_view,
    splitter=ByTime(validation_days=30, embargo_days=2),
    history_days=120,
    windows_may_overlap="It is used that way.",
    cutoffs=Monthly(first=date(2024, 4, 1), last=date(2025, 1, 1)),
)
weekly = replace(flown, cutoffs=Weekly(first=date(2024, 4, 3), last=date(2024, 12, 25)))
MOMENTS = [datetime(2024, 1, 1, tzinfo=UTC) + n * timedelta(hours=8) for n in range(3 * 366 + 30)]


def split_at(dataset, cutoff, folds=0):
    """Moment -> split, or the sides of a number of folds."""
    row = row_sql(dataset.view, dataset.last_day(cutoff))
    sql = dataset.fold_sql(row, cutoff, folds) if folds else [dataset.split_sql(row, cutoff)]
    columns = {"event_time": MOMENTS, "plane": [1] * len(MOMENTS), "flight_id": range(len(MOMENTS))}
    query = f"SELECT event_time, {', '.join(f'{one} AS c{n}' for n, one in enumerate(sql))} FROM rows"
    rows = DuckDB().query(query, {"rows": pa.table(columns)}).table()
    return [dict(zip(MOMENTS, rows.column(f"c{n}").to_pylist(), strict=True)) for n in range(len(sql))]


def of(found, split):
    return [at for at, said in found.items() if said == split]


@pytest.mark.parametrize("dataset", [flown, weekly], ids=["months", "weeks"])
def test_every_row_is_tested_once_and_nothing_is_later_than_the_cutoff(dataset):
    tested = []
    for key in dataset.cadence.keys():
        cutoff = dataset.cadence.day(key)
        (found,) = split_at(dataset, cutoff)
        assert max(at for at, said in found.items() if said) < moment(cutoff)
        assert min(of(found, "test")) - max(of(found, "validation")) >= (dataset.gap_days + 2) * DAY
        assert min(of(found, "validation")) - max(of(found, "train")) >= dataset.gap_days * DAY
        tested += of(found, "test")
    first, last = (moment(end) for end in (dataset.cadence.before(dataset.cadence.first), dataset.cadence.last))
    assert tested == [at for at in MOMENTS if first <= at < last]


@pytest.mark.parametrize("cutoff", [date(2024, 12, 1), date(2025, 1, 1)])
def test_folds_leave_the_rows_of_the_month_alone(cutoff):
    (split,) = split_at(flown, cutoff)
    for fold in split_at(flown, cutoff, folds=2):
        assert set(fold.values()) == {"train", "validation", None}
        assert max(of(fold, "validation")) <= max(of(split, "validation"))


def test_partitions_are_those_that_are_complete_at_the_cutoff():
    assert flown.view_keys(date(2024, 6, 1))[-1] == "2024-05-31"
    assert len(flown.view_keys(date(2024, 12, 1))) == flown.history_days + 1
    assert len(flown.view_keys(date(2024, 4, 1))) == 91


weeks = replace(lapse_dataset, cutoffs=Monthly(first=date(2024, 5, 1), last=date(2024, 5, 1)))


def test_a_dataset_of_a_month_is_made_of_the_weeks_before_it(shop):
    done = materialize_training_dataset(weeks, "2024-05-01", work=shop, made_by={})
    assert all(finding.passed for finding in done.findings if finding.check.blocking), done.findings
    record = done.artifact.record
    assert [*record["view"]["partitions"]][-1] == "2024-04-10"
    splits = {name: (one["first"], one["last"]) for name, one in record["split"]["splits"].items()}
    assert splits["test"] == ("2024-04-03", "2024-04-10")
    assert splits["validation"] == ("2024-03-06", "2024-03-13")
    assert record["split"]["rule"] == weeks.rule(date(2024, 5, 1))
    assert is_current(weeks, "2024-05-01", work=shop)
    folds = fold_rows(weeks, "2024-05-01", done.artifact, 2, work=shop)
    assert max(fold["validation"].event_time.to_pylist()[-1] for fold in folds) < moment(date(2024, 3, 19))
    named = resolve("lapse_dataset@2024-05-01", [project_of(weeks)], shop.platform.artifacts)
    view = shop.read(weeks.view, record["view"]["partitions"])
    assert same_rows(named, view, work=shop) == []


def test_other_cutoffs_are_another_dataset():
    assert len({fingerprint(one) for one in (flown, weekly, replace(flown, cutoffs=None))}) == 3
    assert replace(flown, cutoffs=None).cadence == delayed.cadence


def test_the_newest_cutoff_is_that_of_the_dataset_and_not_of_the_label(shop):
    view, keys = shop.platform.tables.snapshot(shop.table(weeks.view)), weeks.view_keys(date(2024, 5, 1))
    assert (newest_cutoff(weeks, view), keys[-1]) == ("2024-05-01", "2024-04-10")
    without = replace(view, partitions={key: one for key, one in view.partitions.items() if key != keys[-1]})
    assert newest_cutoff(weeks, without) == ""
    project = project_of(weeks)
    (registration,) = project.outputs
    *_, step = plan(project, shop, of=[registration]).steps
    assert (step.keys, step.cadence, step.together) == (("2024-05-01",), weeks.cutoffs, True)
    assert _cutoff(replace(project, demo_cutoff=None), registration) == "2024-05-01"
