"""The last events of a customer, from files to the card of a network that reads them."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.aggregations import EventSequence
from platform_ml.engine.card_artifact import materialize_model_card
from platform_ml.engine.distribution import shifts
from platform_ml.engine.evaluation import materialize_evaluation
from platform_ml.engine.export import export, formats, open_export
from platform_ml.engine.tracked import Recorded
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.engine.tuned_model import fitted, materialize_tuned_model
from platform_ml.families import Majority, Recurrent, XGBoost
from platform_ml.families.epochs import DEVICE
from platform_ml.features import Field, Windowed
from platform_ml.metrics import LogLoss, RocAuc
from platform_ml.spec.errors import RowsError
from platform_ml.spec.feature_group import Derived, FeatureGroup
from platform_ml.spec.history import History
from platform_ml.spec.schema import Doubles
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing import declarations
from platform_ml.tuners import TPE
from platform_ml_tests.engine.shop import (
    CUTOFF,
    SHOP,
    lapse_dataset,
    lapse_view,
    make,
    order_history,
    orders,
    project_of,
    rows_of,
    work_in,
)

last_orders = FeatureGroup(
    name="last_orders",
    description="A customer's last orders, one by one.",
    source=orders,
    entity="customer_id",
    cadence=orders.cadence,
    features=Windowed.each(*EventSequence.over("amount", last=6), window=timedelta(days=28)),
    history=History(ties="last"),
)
twice = replace(
    last_orders,
    name="twice",
    features=(Field(of="pair"),),
    history=History(ties="last", bound="<"),
    derived=(Derived(name="pair", sql="[amount, NULL]", type=Doubles()),),
)
view = replace(lapse_view, features=(order_history, last_orders, twice.select("pair")))
dataset = replace(lapse_dataset, view=view)
DAYS_AGO, AMOUNT = (feature.name for feature in last_orders.features)
model = replace(
    declarations.lapse_model,
    dataset=dataset,
    family=Recurrent(width=8, dropout=0.0, learning_rate=0.02, weight_decay=0.01, batch_rows=64, max_epochs=5),
    tuner=TPE(trials=1),
    metric=RocAuc(),
    baselines=(Baseline(name="majority", family=Majority()),),
)


MADE_BY = dict.fromkeys(("git_commit", "lock_hash", "platform_version", "python_version", "dagster_run"), "invented")
MADE_BY["git_dirty"] = "false"


@dataclass
class Remembering:
    """A tracker in memory."""

    runs: list = field(default_factory=list)

    def record(self, run):
        self.runs.append(run)
        return Recorded(run_id=f"run {len(self.runs)}")


@pytest.fixture(scope="module")
def told(tmp_path_factory, built):
    """The shop with lists, up to the dataset, and what was trained, evaluated and written of it."""
    folder = tmp_path_factory.mktemp("lists") / "shop"
    shutil.copytree(built.platform.landing.parent, folder)
    work = work_in(folder)
    work = replace(work, platform=replace(work.platform, tracker=Remembering()))
    for noun in (last_orders, twice, view):
        assert [done.stopped for done in make(work, noun) if done.stopped] == []
    return work, materialize_training_dataset(dataset, CUTOFF, work=work, made_by={}).artifact


def test_every_row_has_the_orders_that_were_known(told, bought):
    """Compared with the definition: those of the 28 days before the moment, the last six, oldest first."""
    work, _ = told
    found = rows_of(work, view)
    assert len(found) > 100
    for row in found:
        moment = row["event_time"]
        mine = [order for order in bought if order.customer_id == row["customer_id"]]
        times = [order.ordered_at.replace(tzinfo=UTC) for order in mine]
        inside = sorted(
            (at, order.order_id) for at, order in zip(times, mine, strict=True) if moment - timedelta(28) <= at < moment
        )
        amounts = {order.order_id: float(order.amount) for order in mine}
        assert (row[AMOUNT] or []) == [amounts[which] for _, which in inside][-6:]
        assert (row[DAYS_AGO] or []) == pytest.approx([(moment - at) / timedelta(days=1) for at, _ in inside][-6:])
        assert row["pair"] is None or row["pair"][1] is None


def test_its_statistics_are_of_lengths(told):
    work, _ = told
    snapshot = work.read(view, [])
    keys = sorted(snapshot.partitions)
    for statistics in work.platform.tables.statistics(snapshot, keys).values():
        column = statistics.columns[AMOUNT]
        assert 1 <= column.minimum <= column.mean <= column.maximum <= 6
        assert column.quantiles[0] >= 1


def test_the_same_rows_are_the_same_dataset(told):
    work, artifact = told
    again = materialize_training_dataset(dataset, CUTOFF, work=work, made_by={}).artifact
    assert again.digest == artifact.digest
    train, test = (pq.read_table(artifact.folder / f"{split}.parquet") for split in ("train", "test"))
    kinds = {AMOUNT: view.types[AMOUNT].sql, "pair": "DOUBLE[]"}
    amount, pair = shifts({"before": train, "after": test}, kinds, work.platform.compute)
    assert (amount.kind, amount.psi is not None, amount.before.numbers["max"]) == ("number", True, 6)
    assert (pair.before.numbers["min"], pair.after.numbers["max"]) == (2, 2)


@pytest.mark.parametrize("name", formats())
def test_an_export_holds_lists_or_says_that_it_does_not(told, tmp_path, name):
    _, artifact = told
    form = formats()[name]
    if name not in {"parquet", "arrow", "arrow-stream", "jsonl"}:
        with pytest.raises(RowsError, match=r"holds no lists\. Use parquet"):
            export(artifact, form, tmp_path / "out", name="shop/lapse_dataset")
        assert not list(tmp_path.iterdir())
        return
    export(artifact, form, tmp_path / "out", name="shop/lapse_dataset")
    stored = open_export(tmp_path / "out").rows("train")
    found = pa.Table.from_batches(stored.batches(), schema=stored.schema)
    assert found.to_pylist() == pq.read_table(artifact.folder / "train.parquet").to_pylist()


def test_a_family_of_numbers_says_which_families_read_lists(told):
    work, artifact = told
    with pytest.raises(RowsError, match=f"'{DAYS_AGO}' is list.*Recurrent"):
        materialize_tuned_model(replace(model, family=XGBoost()), CUTOFF, artifact, work=work, made_by={})


def test_a_network_reads_them_up_to_its_card(told, monkeypatch):
    monkeypatch.setenv(DEVICE, "cpu")
    work, artifact = told
    trained = materialize_tuned_model(model, CUTOFF, artifact, work=work, made_by=MADE_BY)
    assert trained.record["model_file"] == "model.safetensors"
    assert trained.record["onnx"]["file"] == "model.onnx", trained.record["onnx"]
    (run,) = work.platform.tracker.runs
    assert run.metrics["training_peak_memory_mb"] > 50
    assert 1 <= run.metrics["training_best_epoch"] <= run.metrics["training_epochs"] <= 5
    predictor, _ = fitted(model, trained)
    assert [some.names for some in predictor.inputs_of.lists] == [(DAYS_AGO, AMOUNT), ("pair",)]
    registration = project_of(dataset).outputs[0]
    evaluation = replace(registration.card.evaluation, model=model, metrics=(RocAuc(), LogLoss()))
    registration = replace(registration, card=replace(registration.card, evaluation=evaluation))
    result, _ = materialize_evaluation(evaluation, CUTOFF, artifact, trained, work=work)
    assert result.test("roc_auc").value > 0.6
    assert {one.feature for one in result.importance} == set(view.feature_names)
    assert sum(one.mean_abs_shap for one in result.importance) > 0
    card = materialize_model_card(
        registration,
        CUTOFF,
        result=result,
        verdicts=registration.judge(result),
        dataset=artifact,
        model=trained,
        work=work,
    )
    assert all(AMOUNT in text for name, text in card.rendered.files.items() if name.endswith(("md", "html", "json")))
    assert (card.artifact.folder / "card.html").is_file()
    assert SHOP.name == work.project
