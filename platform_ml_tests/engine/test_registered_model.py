"""Registered models to predict with: their files are what was registered, or nothing of them is read."""

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.engine import card_artifact as cards
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.registered_model import load_registered
from platform_ml.engine.registration import materialize_registration
from platform_ml.engine.tuned_model import model_digest, save, train
from platform_ml.families import Linear
from platform_ml.preparations import Clip, Scale
from platform_ml.spec.errors import PlatformError, Refused, RowsError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.model_card import REQUIRED
from platform_ml.spec.registration import Approved
from platform_ml.spec.stage import Stage
from platform_ml.testing.declarations import lapse, lapse_evaluation, lapse_model, numbers, shop
from platform_ml.testing.tracking import RUN, moved
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_preparation import RECENCY, SPENT, rows
from platform_ml_tests.engine.test_registration import ADA, CODE, TABLES

MODEL = replace(
    lapse_model,
    family=Linear(penalty=0.01),
    tuner=TPE(trials=1),
    preparations=(Clip(of=(SPENT,)), Scale(of=(SPENT, RECENCY), by="range")),
)
EVALUATION = replace(lapse_evaluation, model=MODEL)
LAPSE = replace(lapse, card=replace(lapse.card, evaluation=EVALUATION))
SHOP = replace(shop, outputs=(LAPSE,))
CUTOFF = "2024-06-10"


def published(work, kind, noun, digest, record, *files):
    def fill(folder):
        for file in files:
            shutil.copy(file, folder)

    return work.platform.artifacts.publish(work.place(kind, noun, CUTOFF), digest, record, fill)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def work(home):
    store = f"sqlite:///{home / 'mlflow.db'}", home / "artifacts"
    connect(store[0])
    platform = Platform(
        landing=home,
        tables=None,
        compute=None,
        artifacts=Folders(home / "folders"),
        tracker=MLflowTracker(*store),
        registry=MLflowRegistry(*store),
    )
    return Work(project="shop", platform=platform, say=lambda text: None)


@pytest.fixture(scope="module")
def trained(work, home):
    """A fitted model, registered as version 1, which is the champion."""
    splits = {"train": rows(1), "validation": rows(2)}
    made = train(MODEL, splits, progress=lambda _: None)
    (aside := home / "aside").mkdir()
    file = save(made, aside)
    digest = model_digest(
        file, made.params, dataset="d" * 64, declared=fingerprint(MODEL), prepared=aside / "preparation.json"
    )
    result = replace(numbers(), cutoff=CUTOFF, model_digest=digest, policy_digest=fingerprint(EVALUATION))
    (aside / evaluations.FILE).write_text(json.dumps(result.to_json()))
    (aside / "card.html").write_text("words")
    (aside / "card.json").write_text(json.dumps({"card": dict.fromkeys(REQUIRED, "Words.")}))
    pq.write_table(splits["train"].features, aside / "train.parquet")
    record = {"content": "e" * 64, "split": {}, "tables": TABLES}
    published(work, "datasets", MODEL.dataset, "d" * 64, record, aside / "train.parquet")
    published(work, evaluations.KIND, EVALUATION, result.digest, {}, aside / evaluations.FILE)
    record = {"model": digest, "evaluation": result.digest}
    published(work, cards.KIND, LAPSE.card, "c" * 64, record, aside / "card.html", aside / "card.json")
    run_id = work.platform.tracker.record(replace(RUN, children=[])).run_id
    record = {"model_file": file.name, "mlflow_run": run_id, "dataset": "d" * 64, "made_by": CODE}
    record |= {"made_at": "2024-06-11T00:00:00+00:00"}
    files = (file, aside / "search.json", aside / "preparation.json")
    model = published(work, "models", MODEL, digest, record, *files)
    materialize_registration(LAPSE, CUTOFF, Approved.by(LAPSE, result), model, work=work, code=CODE, actor=ADA)
    return made


@pytest.fixture
def registry(work, trained):
    return work.platform.registry


@pytest.fixture
def stored(registry):
    """Where the version's files lie; they are put back afterwards."""
    source = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri).get_model_version("lapse", "1").source
    folder = Path(source.removeprefix("file://"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    yield folder
    shutil.rmtree(folder)
    for path, content in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["lapse", "lapse@champion", "shop/lapse@1", "lapse@1"])
def test_a_model_is_loaded_by_what_it_is_or_by_its_number(registry, trained, name):
    model = load_registered(name, [SHOP], registry)
    unseen = rows(3).features
    assert model.predict(unseen).tolist() == trained.predictor.predict(unseen).tolist()
    assert repr(model) == "<shop/lapse@1, champion, 2 features>"


def test_rows_have_the_features_in_any_order_and_of_their_kind(registry, trained):
    model = load_registered("lapse", [SHOP], registry)
    unseen = rows(3).features
    expected = trained.predictor.predict(unseen).tolist()
    shuffled = unseen.select(unseen.column_names[::-1]).append_column("more", pa.nulls(unseen.num_rows))
    assert model.predict(shuffled).tolist() == expected
    assert model.predict(unseen.to_pandas()).tolist() == expected
    with pytest.raises(RowsError, match=f"takes column '{RECENCY}', which the rows do not have. Did you mean 'days"):
        model.predict(unseen.rename_columns({RECENCY: "days_since_28d"}))
    with pytest.raises(RowsError, match=f"takes column '{RECENCY}' as int64; the rows have it as string"):
        model.predict(unseen.set_column(1, RECENCY, unseen[RECENCY].cast(pa.string())))
    with pytest.raises(RowsError, match="a value does not fit"):
        model.predict(pa.table({SPENT: unseen[SPENT][:1], RECENCY: [1.5]}))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("laps@1", "Nothing is registered as 'laps'. Did you mean 'lapse'"),
        ("lapse@challenger", "lapse has no challenger. There is lapse@1 .champion.. See: platform-ml models"),
        ("lapse@champoin", "there is no such version. Did you mean 'champion'"),
        ("lapse@7", "Model Version .name=lapse, version=7. not found"),
    ],
)
def test_what_is_not_there_is_named(registry, name, says):
    with pytest.raises(PlatformError, match=says):
        load_registered(name, [SHOP], registry)


FAULTS = {
    "tampered": (lambda folder: flip(folder / "model.json"), r"model.json was changed: its sha256 is \w{12}…"),
    "truncated": (lambda folder: cut(folder / "model.json"), r"model.json has \d+ bytes, registered were [\d,]+"),
    "missing": (lambda folder: (folder / "preparation.json").unlink(), "preparation.json is missing"),
    "added": (lambda folder: (folder / "card" / "more").write_text(""), "card/more was added"),
    "example": (lambda folder: flip(folder / "input_example.json"), "input_example.json was changed"),
    "manifest": (lambda folder: flip(folder / "manifest.json"), "manifest.json was changed"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is missing"),
}


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file):
    file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_are_not_as_registered_are_refused_before_one_is_read(registry, stored, fault):
    plant, says = FAULTS[fault]
    plant(stored)
    with pytest.raises(Refused, match=rf"lapse@1 is refused: {says}.*Nothing of it was read\. Restore"):
        load_registered("lapse@champion", [SHOP], registry)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_a_pickle_in_the_place_of_a_model_is_never_opened(registry, stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (stored / "model.json").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(Refused, match=r"model\.json has"):
        load_registered("lapse", [SHOP], registry)
    assert not Path("exploded").exists()


def test_a_forger_who_also_writes_checksums_and_tag_meets_the_history(registry, stored):
    flip(stored / "model.json")
    client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
    said = client.get_model_version("lapse", "1").tags["manifest_sha256"]
    client.set_model_version_tag("lapse", "1", "manifest_sha256", "f" * 64)
    try:
        with pytest.raises(
            Refused, match=rf"tag manifest_sha256 is 'f{{12}}', but '{said[:12]}' was moved to champion"
        ):
            load_registered("lapse", [SHOP], registry)
    finally:
        client.set_model_version_tag("lapse", "1", "manifest_sha256", said)


def test_the_model_of_another_declaration_is_refused(registry):
    model = replace(MODEL, seed=7)
    evaluation = replace(EVALUATION, model=model)
    other = replace(SHOP, outputs=(replace(LAPSE, card=replace(LAPSE.card, evaluation=evaluation)),))
    with pytest.raises(Refused, match=r"made by another declaration of 'lapse_model'.*Check out commit abc"):
        load_registered("lapse", [other], registry)


@pytest.fixture
def in_mlflow(registry):
    """What MLflow's own functions speak of, whatever they spoke of before."""
    for choose in (mlflow.set_tracking_uri, mlflow.set_registry_uri):
        choose(registry.tracking_uri)
    yield
    for choose in (mlflow.set_tracking_uri, mlflow.set_registry_uri):
        choose(None)


@pytest.mark.usefixtures("in_mlflow")
def test_mlflow_knows_signature_and_example_and_can_run_nothing(stored):
    info = mlflow.models.get_model_info(str(stored))
    assert info.signature.inputs.to_dict() == [
        {"type": "double", "name": SPENT, "required": False},
        {"type": "long", "name": RECENCY, "required": False},
    ]
    assert info.signature.outputs.input_names() == ["prediction"]
    assert mlflow.models.get_model_info("models:/lapse/1").signature == info.signature
    assert mlflow.models.get_model_info("models:/lapse@champion").signature == info.signature
    example = mlflow.models.Model.load(str(stored)).load_input_example(str(stored))
    first = rows(1).features.drop_null().slice(0, 5)
    assert list(example.columns) == first.column_names
    assert example[RECENCY].tolist() == first[RECENCY].to_pylist()
    assert info.flavors == {}


def test_a_version_says_all_of_what_it_is_made_of(registry):
    said = load_registered("lapse", [SHOP], registry).manifest
    tags = registry.promoted("lapse", "champion")
    assert set(said["files"]) == {
        *("MLmodel", "input_example.json", "model.json", "search.json", "preparation.json", "evaluation.json"),
        *("card/card.html", "card/card.json"),
    }
    assert said["formats"] == {"json": "model.json"}
    assert said["dataset"] == {
        "name": "shop/lapse_dataset",
        "digest": "d" * 64,
        "content": "e" * 64,
        "feature_groups": {"shop/order_history": [{"version": 3, "content": "o" * 64}]},
        "tables": {"shop/orders": [{"version": 2, "content": "p" * 64}]},
    }
    assert (said["made_by"], said["registered_by"], said["card"]) == (CODE, CODE, ["card/card.html", "card/card.json"])
    assert (tags["formats"], tags["dataset"]) == ("json", "shop/lapse_dataset@" + "d" * 12)


def test_an_archived_version_is_loaded_by_its_number_only(registry):
    # The last test: what was entered stays.
    entry = moved(1, before=Stage.CHAMPION, after=Stage.ARCHIVED, manifest="")
    assert registry.enter("lapse", entry, after=1) is None
    with pytest.raises(PlatformError, match=r"lapse has no champion\. See: platform-ml models"):
        load_registered("lapse@champion", [SHOP], registry)
    assert load_registered("lapse@1", [SHOP], registry).stage == "archived"
