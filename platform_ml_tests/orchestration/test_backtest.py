"""The models of three weeks side by side: missing, made, current, stale, of another declaration."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from platform_ml.engine import backtest as engine
from platform_ml.engine.backtest import cutoffs_of, walk
from platform_ml.engine.backtest_page import html, markdown
from platform_ml.engine.catalog import catalog
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.engine.walk import State, standing
from platform_ml.orchestration import backtest_command
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.spec.window import Daily, Monthly, Weekly
from platform_ml.splitters import ByHash
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_skew import SMALL
from platform_ml_tests.orchestration.shop import (
    FIRST,
    Checkout,
    key,
    lapse,
    lapse_card,
    lapse_dataset,
    lapse_evaluation,
    lapse_model,
    lapse_view,
    lapsed,
    shop,
    swapped,
)

model = replace(lapse_model, family=SMALL, tuner=TPE(trials=1))
evaluation = replace(lapse_evaluation, model=model, slices=("student",))
card = replace(lapse_card, evaluation=evaluation)
registration = replace(lapse, card=card)
backtest = Backtest(
    name="lapse_backtest",
    description="The models of three weeks.",
    of=registration,
    cutoffs=5,
    slices=("student",),
    may_worsen=0.3,
    remarks="Nothing happens in *February*.",
)
project = replace(shop, outputs=(registration, backtest))
FIRST_CUTOFF, SECOND, LAST = cutoffs = lapsed.cadence.keys()[-3:]
"""Before them there is nothing to train on."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory, _built):
    """Every table, and the dataset of the last cutoff."""
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("walk"), dirs_exist_ok=True))
    yield checkout
    checkout.instance.dispose()


@pytest.fixture(scope="module")
def walked(tables):
    """The models of two cutoffs, made by the command, and in which runs; there are too few rows for a third."""
    runs = []

    def materialize(assets, *, partition="", check=True):
        assert not check
        nouns = [noun for noun in project.nouns if f"shop/{noun.name}" in assets]
        run = tables.materialize(nouns, project=project, partition=partition or None)
        runs.append((partition, [noun.name for noun in nouns]))
        return int(not run.success)

    def run():
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tables.folder)
            patch.setenv("DAGSTER_HOME", str(tables.folder))
            return backtest_command.backtest(project, "lapse_backtest", run=True, materialize=materialize)

    assert run() == 1
    return tables, runs, run


MONTHS = Monthly(first=date(2024, 3, 1), last=date(2024, 3, 1))


def test_the_code_location_has_jobs_for_both_grains():
    """The label and view are weekly, what is made of them is monthly: one job cannot have both."""
    monthly = swapped(registration, lapse_dataset, replace(lapse_dataset, splitter=ByHash(), windows_may_overlap=None,
                                                           random_split_because="A test.", cutoffs=MONTHS))  # fmt: skip
    both = replace(shop, outputs=(monthly, replace(backtest, of=monthly)), demo_cutoff=None)
    defs = definitions([both], PlatformResource())
    jobs = {job.name: job for job in defs.resolve_all_job_defs()}
    assert type(jobs["shop_lapse_view"].partitions_def).__name__ == "WeeklyPartitionsDefinition"
    assert list(jobs["shop_lapse"].partitions_def.get_partition_keys()) == MONTHS.keys()
    made = defs.resolve_asset_graph().get(key(backtest))
    assert made.partitions_def is None
    assert made.parent_keys == {key(evaluation)}


def test_before_there_are_tables_every_cutoff_is_missing_and_says_why(landed):
    found = walk(backtest, work=landed.work)
    assert [point.cutoff for point in found.points] == cutoffs
    assert found.count(State.MISSING) == 3
    assert found.points[0].standing.why == ("4 of 4 partitions of lapse_view are missing, the first is 2024-01-15.")
    assert found.points[0].standing.todo == (), "its tables come first"
    assert found.finding.passed
    assert "0 cutoffs have comparable numbers: too few to see a trend" in found.finding.reason
    assert f"| {LAST} | **missing** |" in markdown(found)
    assert "lapse_view are missing" in html(found)


def test_models_are_made_cutoff_by_cutoff_one_that_fails_stops_no_other_and_what_is_current_is_kept(walked):
    _, runs, run = walked
    learned = [model.name, evaluation.name]
    todo = [(FIRST_CUTOFF, [lapse_dataset.name, *learned]), (SECOND, [lapse_dataset.name, *learned]), (LAST, learned)]
    assert runs[:4] == [*todo, ("", [backtest.name])], "the dataset of the last cutoff was there"
    assert run() == 1
    assert runs[4:] == [(FIRST_CUTOFF, learned), ("", [backtest.name])]


def test_each_model_is_judged_on_what_it_never_saw(walked):
    tables, *_ = walked
    first, *others = walk(backtest, work=tables.work).points
    assert (first.standing.state, first.standing.result) == (State.MISSING, None)
    assert first.standing.why == "not made yet: lapse_model, lapse_evaluation."
    tested = [point.standing.result.splits for point in others]
    assert [(one["test"].first, one["test"].last) for one in tested] == [(cutoff, cutoff) for cutoff in cutoffs[1:]]
    assert all(one["train"].last < one["validation"].first < one["test"].first for one in tested)


def test_the_asset_has_a_picture_and_a_check(walked):
    tables, *_ = walked
    record = tables.instance.fetch_materializations(key(backtest), limit=1).records[0]
    said = {name: value.value for name, value in record.asset_materialization.metadata.items()}
    assert (said["cutoffs"], said["missing"], said["stale"]) == (3, 1, 0)
    assert "](data:image/svg+xml;base64," in said["backtest"]
    assert len(said["backtest"].encode()) < 100_000
    assert f"| {LAST} |" in said["backtest"]
    assert r"Nothing happens in \*February\*." in said["backtest"]
    assert "worsening" not in said
    (seen,) = tables.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key(backtest), "not_worse_over_time"), limit=1
    )
    assert seen.event.asset_check_evaluation.passed
    assert "2 cutoffs have comparable numbers: too few" in seen.event.asset_check_evaluation.description


def test_the_folder_has_numbers_a_plot_and_a_page(walked):
    tables, *_ = walked
    artifact = tables.work.platform.artifacts.newest(tables.work.place(engine.KIND, backtest, "all"))
    plain = json.loads((artifact.folder / engine.DATA).read_text())
    assert [one["cutoff"] for one in plain["cutoffs"]] == cutoffs
    last = plain["cutoffs"][-1]
    assert last["state"] == "current"
    assert last["metrics"]["roc_auc"]["low"] <= last["metrics"]["roc_auc"]["value"]
    assert set(last["baselines"]) == {"majority"}
    assert {one["column"] for one in last["slices"]} == {"student"}
    assert [gate["gate"] for gate in last["gates"]] == [gate.name for gate in registration.gates]
    assert (artifact.folder / engine.PLOT).read_text().startswith("<svg ")
    page = (artifact.folder / engine.PAGE).read_text()
    assert "student = " in page
    assert "Lead over majority" in page
    assert "](plot.svg)" in (artifact.folder / engine.TEXT).read_text()
    again, same = engine.materialize_backtest(backtest, work=tables.work)
    assert same.folder == artifact.folder, "the same numbers are not written again"
    assert again.to_json() == plain


def test_of_an_evaluation_alone_no_gate_is_judged(walked):
    tables, *_ = walked
    bare = walk(replace(backtest, of=evaluation, cutoffs=(date(2024, 2, 10), date(2024, 2, 20))), work=tables.work)
    assert [point.cutoff for point in bare.points] == [SECOND, LAST]
    assert all(point.verdicts == () for point in bare.points)
    assert "| Gates |" not in markdown(bare)


def test_models_of_another_declaration_are_shown_as_such_and_not_compared(walked):
    tables, *_ = walked
    other = replace(evaluation, model=replace(model, seed=8))
    found = walk(replace(backtest, of=other), work=tables.work)
    assert found.count(State.OTHER) == 2
    assert "lapse_evaluation was made by another declaration (" in found.points[1].standing.why
    assert found.trend.cutoffs == 0
    assert [step.name for step in found.points[1].standing.todo] == [model.name, evaluation.name]
    assert f"{SECOND}, other declaration: lapse\\_evaluation was made by another declaration" in markdown(found)


def test_a_model_whose_rows_changed_since_is_stale_and_still_compared(walked):
    work = walked[0].work
    strict = replace(lapse_dataset, audit=LeakAudit(too_good=0.99))  # another declaration of the same name
    materialize_training_dataset(strict, LAST, work=work, made_by={})
    found = walk(backtest, work=work)
    materialize_training_dataset(lapse_dataset, LAST, work=work, made_by={})
    assert [point.standing.state for point in found.points] == [State.MISSING, State.CURRENT, State.STALE]
    assert found.points[-1].standing.why.startswith("lapse_dataset would not be the same today")
    assert [step.name for step in found.points[-1].standing.todo] == [lapse_dataset.name, model.name, evaluation.name]
    assert found.trend.cutoffs == 2
    assert walk(backtest, work=work).points[-1].standing.state is State.CURRENT


def test_the_command_prints_a_table(walked, monkeypatch, capsys):
    tables, *_ = walked
    monkeypatch.chdir(tables.folder)
    assert backtest_command.backtest(project, None, cutoffs=3) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "shop/lapse_backtest, lapse_model on what came after each cutoff"
    assert printed[1].split("  ")[0] == "cutoff"
    assert [line.split()[0] for line in printed[2:5]] == cutoffs
    assert printed[2].endswith("  missing: not made yet: lapse_model, lapse_evaluation.")
    assert all("  current, " in line for line in printed[3:5])
    assert printed[-1].startswith("2 cutoffs have comparable numbers")
    with pytest.raises(PlatformError, match=r"shop has no backtest 'lapse_backtst'. Did you mean 'lapse_backtest'"):
        backtest_command.backtest(project, "lapse_backtst")
    with pytest.raises(PlatformError, match=r"shop declares no backtest. Add Backtest\(of=...\) to its outputs"):
        backtest_command.backtest(shop, None)


def test_the_catalog_lists_it(walked):
    tables, *_ = walked
    item = catalog([project], lambda _: tables.work, day=FIRST).item("lapse_backtest")
    assert (item.kind, item.status, item.upstream) == ("backtest", "current", ("lapse",))
    assert item.facts == {"Of": "lapse", "Cutoffs": "the last 5", "May worsen by": "0.3 and chance"}
    assert item.made.versions[0].made == "2 cutoffs"


def test_it_looks_at_the_latest_cutoffs_that_can_have_a_model():
    assert cutoffs_of(backtest) == cutoffs
    assert cutoffs_of(replace(backtest, cutoffs=3)) == cutoffs
    span = (date(2024, 1, 1), date(2024, 2, 12))
    assert cutoffs_of(replace(backtest, cutoffs=span)) == lapsed.cadence.keys()[:5], "all that were asked for"


def test_a_cutoff_whose_outcomes_are_not_known_yet_waits(built):
    today = datetime.now(UTC).date()
    orders = replace(lapsed.source, cadence=Daily(first=FIRST))
    open_end = Weekly(first=today - timedelta(days=70))
    label = replace(lapsed, source=orders, cadence=open_end)
    late = swapped(backtest, lapsed, label)
    late = swapped(late, lapse_view.features[0], replace(lapse_view.features[0], source=orders, cadence=orders.cadence))
    found = cutoffs_of(replace(late, cutoffs=(today - timedelta(days=70), today)))
    assert found[-1] == str(today)
    assert cutoffs_of(late)[-1] == str(today - timedelta(days=7))
    assert standing(late.evaluation, str(today), work=built.work).why == (
        "the outcomes of its last rows are not known yet."
    )
    assert standing(late.evaluation, found[0], work=built.work).why == "there is nothing to train on so early."
