"""The retail project end to end through Dagster, on an eighth of the households of the real data."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from platform_ml import Project
from platform_ml.engine import card_artifact, evaluation, landing, training_dataset, tuned_model
from platform_ml.engine.content import file_sha256
from platform_ml.engine.delivery import landing_file
from platform_ml.engine.training_dataset import split_rows
from platform_ml.families import CatBoost, LightGBM, Linear, RandomForest, XGBoost
from platform_ml.gates import AtLeast, BeatsBaseline
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects.retail import retail
from platform_ml.projects.retail.churn import churn, churn_card, churn_evaluation, churn_model
from platform_ml.projects.retail.features import product_performance
from platform_ml.projects.retail.sources import demographics, products, transactions
from platform_ml.spec.source import Source
from platform_ml.tuners import TPE

ROOT = Path(__file__).resolve().parents[2]
CUTOFF = "2017-12-02"
DAILY = ["transactions", "customer_behaviour", "product_performance"]
WEEKLY = ["churned", "churn_view"]
MODEL = ["churn_dataset", "churn_model", "churn_evaluation", "churn_card", "churn"]


def cut(*gates) -> Project:
    """The project as declared, but for a short search and the gates."""
    model = replace(churn_model, tuner=TPE(trials=3))
    card = replace(churn_card, evaluation=replace(churn_evaluation, model=model, resamples=200))
    return replace(retail, outputs=(replace(churn, card=card, gates=gates), product_performance))


PASSING = cut(AtLeast(metric="roc_auc", limit=0.75), BeatsBaseline(baseline="majority", metric="roc_auc", by=0.1))
FAILING = cut(AtLeast(metric="roc_auc", limit=0.9999), BeatsBaseline(baseline="majority", metric="roc_auc", by=0.1))


class Shop:
    """A data folder and a Dagster instance."""

    def __init__(self, folder: Path) -> None:
        self.platform = PlatformResource(data=str(folder / "data"))
        shutil.copy(ROOT / "dagster.yaml", folder)
        self.instance = dg.DagsterInstance.local_temp(str(folder))
        self.work = self.platform.work("retail", lambda _: None)

    def run(self, project, names, *, partition=None, span=None):
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return dg.materialize(
            list(project_assets(project)),
            selection=[dg.AssetKey(["retail", name]) for name in names],
            partition_key=partition,
            tags=dict(zip(ends, span, strict=True)) if span else None,
            resources={"platform": self.platform},
            instance=self.instance,
            raise_on_error=False,
        )

    def failure(self, result):
        return "\n".join(
            event.step_failure_data.user_failure_data.description or str(event.step_failure_data.error)
            if event.step_failure_data.user_failure_data
            else str(event.step_failure_data.error)
            for event in result.get_step_failure_events()
        )


def land_an_eighth(work) -> None:
    for source in (products, demographics):
        landing.deliver(source, work=work)
    whole = pq.read_table(landing._packaged(transactions.example))
    some = whole.filter(pc.equal(pc.bit_wise_and(whole["household_id"], 7), 3))
    days = pc.strftime(some["transaction_timestamp"], "%Y-%m-%d").combine_chunks()
    for key in transactions.cadence.keys():
        file = landing_file(transactions, key, work)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(some.filter(pc.equal(days, pa.scalar(key))), file)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    made = Shop(tmp_path_factory.mktemp("retail"))
    land_an_eighth(made.work)
    assert made.run(PASSING, ["products", "demographics", "customer_profile"]).success
    assert made.run(PASSING, DAILY, span=("2017-01-01", "2017-12-31")).success
    assert made.run(PASSING, WEEKLY, span=("2017-04-01", CUTOFF)).success
    return made


@pytest.fixture(scope="module")
def registered(shop):
    result = shop.run(PASSING, MODEL, partition=CUTOFF)
    assert result.success, shop.failure(result)
    return result


class TestRegistered:
    def test_every_table_has_every_partition(self, shop, registered):
        tables = shop.platform.platform().tables
        for name, count in {"transactions": 365, "customer_behaviour": 365, "churned": 36, "churn_view": 36}.items():
            assert len(tables.snapshot(f"retail/{name}").partitions) == count

    def test_a_day_without_business_still_has_its_windows(self, shop, registered):
        tables = shop.platform.platform().tables
        assert tables.snapshot("retail/transactions").partitions["2017-12-25"].rows == 0
        groups = tables.snapshot("retail/customer_behaviour").partitions
        assert groups["2017-12-25"].rows == groups["2017-12-24"].rows

    def test_every_check_of_every_partition_is_recorded(self, shop, registered):
        storage = shop.instance.event_log_storage
        key = dg.AssetCheckKey(dg.AssetKey(["retail", "transactions"]), "unique_key")
        history = storage.get_asset_check_execution_history(key, limit=1000)
        assert {record.status.value for record in history} == {"SUCCEEDED"}
        assert {record.partition for record in history} >= set(transactions.cadence.keys())

    def test_the_model_ranks_households_better_than_chance(self, shop, registered):
        result = evaluation.load(PASSING.outputs[0].card.evaluation, CUTOFF, work=shop.work)
        assert result.test("roc_auc").value > 0.75
        assert result.baselines["majority"].metrics["roc_auc"].value == 0.5

    def test_no_helper_reaches_the_model(self, shop, registered):
        result = evaluation.load(PASSING.outputs[0].card.evaluation, CUTOFF, work=shop.work)
        assert {"age", "income", "demographics_known"}.isdisjoint(item.feature for item in result.importance)
        assert {one.column for one in result.slices} == {"age", "income", "demographics_known"}

    def test_the_version_carries_alias_digests_and_card_but_no_pickle(self, shop, registered):
        registry = shop.platform.platform().registry
        tags = registry.promoted("churn", "champion")
        assert tags["cutoff"] == CUTOFF
        assert tags["gate.roc_auc_at_least"].startswith("passed")
        folder = Path(shop.platform.data, "mlflow", "artifacts")
        names = {file.name for file in folder.rglob("*") if file.is_file()}
        assert {"model.ubj", "card.html", "evaluation.json"} <= names
        assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]

    def test_the_card_speaks_of_tables_commit_and_lock(self, shop, registered):
        card = card_artifact.load(PASSING.outputs[0].card, CUTOFF, work=shop.work)
        html = (card.folder / "card.html").read_text(encoding="utf-8")
        for words in ("Approved: all 2 gates passed", "retail/transactions", "retail/customer_behaviour", "0.75"):
            assert words in html

    def test_running_again_changes_nothing(self, shop, registered):
        platform = shop.platform.platform()
        before = platform.tables.snapshot("retail/churn_view").version
        model = PASSING.outputs[0].card.evaluation.model
        first = platform.artifacts.newest(shop.work.place("models", model, CUTOFF)).digest
        assert shop.run(PASSING, WEEKLY, span=("2017-11-04", CUTOFF)).success
        assert shop.run(PASSING, MODEL, partition=CUTOFF).success
        assert platform.tables.snapshot("retail/churn_view").version == before
        assert platform.artifacts.newest(shop.work.place("models", model, CUTOFF)).digest == first
        assert platform.registry.find("churn", {"model_digest": first, "cutoff": CUTOFF}) == "1"


@pytest.fixture(scope="module")
def failed(shop, registered):
    return shop.run(FAILING, MODEL, partition=CUTOFF)


class TestRefused:
    def test_a_failed_gate_stops_registration_in_the_same_run(self, shop, failed):
        assert not failed.success
        done = {event.asset_key.path[-1] for event in failed.get_asset_materialization_events()}
        assert done == {"churn_dataset", "churn_model", "churn_evaluation", "churn_card"}
        verdicts = {check.check_name: check.passed for check in failed.get_asset_check_evaluations()}
        assert verdicts["roc_auc_at_least"] is False
        assert verdicts["beats_majority_on_roc_auc"] is True

    def test_and_in_a_later_separate_run(self, shop, failed):
        later = shop.run(FAILING, ["churn"], partition=CUTOFF)
        assert not later.success
        assert "Not registered: 'churn' did not pass its gates. roc_auc_at_least: roc_auc is" in shop.failure(later)

    def test_nothing_was_registered(self, shop, failed):
        registry = shop.platform.platform().registry
        assert registry.promoted("churn", "champion")["gate.roc_auc_at_least"].startswith("passed")

    def test_there_is_a_card_that_says_why(self, shop, failed):
        card = card_artifact.load(FAILING.outputs[0].card, CUTOFF, work=shop.work)
        text = (card.folder / "README.md").read_text(encoding="utf-8")
        assert "Not approved" in text
        assert "must be at least 0.9999" in text


def test_a_cutoff_without_its_features_says_what_to_run(shop):
    result = shop.run(PASSING, ["churn_model"], partition="2017-11-25")
    assert not result.success
    assert "dagster asset materialize" in shop.failure(result)
    assert "--select retail/churn_dataset --partition 2017-11-25" in shop.failure(result)


def test_the_declared_demo_cutoff_is_a_partition():
    assert retail.demo_cutoff == date(2017, 12, 2)
    assert str(retail.demo_cutoff) in churn_model.dataset.view.label.cadence.keys()
    assert [source.name for source in retail.all(Source)] == ["products", "transactions", "demographics"]


QUICK = {
    "xgboost": XGBoost(max_depth=4, learning_rate=0.1, max_rounds=150),
    "lightgbm": LightGBM(num_leaves=15, learning_rate=0.1, max_rounds=150),
    "catboost": CatBoost(depth=4, learning_rate=0.1, max_rounds=150),
    "random_forest": RandomForest(trees=60, max_depth=8, min_samples_leaf=10, max_features=0.5),
    "linear": Linear(penalty=0.01),
}
FILES = {
    "xgboost": "model.ubj",
    "lightgbm": "model.txt",
    "catboost": "model.cbm",
    "random_forest": "model.arrow",
    "linear": "model.json",
}


@pytest.mark.parametrize("name", QUICK)
def test_every_family_goes_all_the_way(shop, registered, name):
    """To a version whose files predict as the model did; all of them rank about as well as XGBoost."""
    model = replace(PASSING.outputs[0].card.evaluation.model, family=QUICK[name], tuner=TPE(trials=2))
    evaluated = replace(churn_evaluation, model=model, resamples=200)
    card = replace(churn_card, evaluation=evaluated)
    project = replace(retail, outputs=(replace(churn, card=card, gates=PASSING.outputs[0].gates),))
    ran = shop.run(project, MODEL[1:], partition=CUTOFF)
    assert ran.success, shop.failure(ran)

    trained = tuned_model.load(model, CUTOFF, work=shop.work)
    result = evaluation.load(evaluated, CUTOFF, work=shop.work)
    assert trained.record["model_file"] == FILES[name]
    assert trained.record["onnx"]["file"] == "model.onnx", trained.record["onnx"]["reason"]
    first = evaluation.load(PASSING.outputs[0].card.evaluation, CUTOFF, work=shop.work)
    assert result.test("roc_auc").value > first.baselines["majority"].metrics["roc_auc"].value + 0.25
    assert result.importance[0].mean_abs_shap > 0

    tags = shop.platform.platform().registry.promoted("churn", "champion")
    assert tags["model_digest"] == trained.digest
    text = (card_artifact.load(card, CUTOFF, work=shop.work).folder / "README.md").read_text(encoding="utf-8")
    assert "Predicts the same for" in text
    versions = list(Path(shop.platform.data, "mlflow", "artifacts").rglob(FILES[name]))
    rows = split_rows(model.dataset, training_dataset.load(model.dataset, CUTOFF, work=shop.work), "test").features
    expected = tuned_model.fitted(model, trained)[0].predict(rows)
    digests = {file_sha256(file): file for file in versions}
    again = model.family.load(digests[file_sha256(trained.folder / FILES[name])], model.dataset.view.feature_names)
    assert again.predict(rows).tolist() == expected.tolist()
    print(f"{name}: {result.test('roc_auc')}")  # noqa: T201 - the table of families is made of it
