import json
import shutil
from dataclasses import replace
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from platform_ml.adapters.folders import Folders
from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.engine import card_artifact as cards
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.promotion import promote
from platform_ml.engine.registration import materialize_registration, register
from platform_ml.engine.schema import arrow_type
from platform_ml.engine.tuned_model import SEARCH, model_digest
from platform_ml.gates import AtLeast, AtMost
from platform_ml.spec.errors import MissingInputError, Refused
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.registration import Approved
from platform_ml.spec.stage import Actor, Stage
from platform_ml.testing.declarations import lapse, lapse_model, numbers
from platform_ml.testing.tracking import RUN

CODE = {"git_commit": "abc", "lock_hash": "def"}
ADA = Actor(who="ada", run="Dagster run 7")
ROWS = pa.table(
    {
        name: pa.array([None, 1, 2, 3, 4, 5], arrow_type(lapse_model.dataset.view.types[name]))
        for name in lapse_model.dataset.view.feature_names
    }
)


class Published:
    """The files of a model that was trained, evaluated and approved."""

    def __init__(self, folder, *, model=b"trees", cutoff="2024-06-10", registration=lapse):
        folder.mkdir()
        self.folder, self.registration = folder, registration
        params = {"learning_rate": 0.1, "max_depth": 3}
        files = {"model.ubj": model, SEARCH: json.dumps({"model": "model.ubj", "params": params}).encode()}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        declared = fingerprint(lapse_model)
        self.digest = model_digest(folder / "model.ubj", params, dataset="d" * 64, declared=declared)
        self.evaluate(cutoff=cutoff)

    def evaluate(self, **changes):
        self.result = replace(numbers(), model_digest=self.digest, **changes)
        (self.folder / evaluations.FILE).write_text(json.dumps(self.result.to_json()))
        self.approved = Approved.by(self.registration, self.result)

    @property
    def files(self):
        return {path.name: path for path in self.folder.iterdir()}

    def register(self, registry, run_id, **changes):
        told = {"tags": CODE, "registry": registry, "run_id": run_id, "actor": ADA}
        arguments = {"files": self.files} | told | changes
        approved = arguments.pop("approved", self.approved)
        return register(arguments.pop("registration", self.registration), approved, **arguments)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(f"sqlite:///{file}")
    return file


@pytest.fixture
def store(empty, tmp_path):
    for file in empty.parent.glob("mlflow.db*"):
        shutil.copy(file, tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts"


@pytest.fixture
def registry(store):
    return MLflowRegistry(*store)


@pytest.fixture
def run_id(store):
    return MLflowTracker(*store).record(replace(RUN, children=[])).run_id


@pytest.fixture
def published(tmp_path):
    return Published(tmp_path / "published")


def versions(registry):
    return MlflowClient(registry.tracking_uri, registry.tracking_uri).search_model_versions("name = 'lapse'")


def test_what_was_approved_is_registered_with_everything_that_is_known(registry, run_id, published):
    registered = published.register(registry, run_id)
    assert (registered.name, registered.version, registered.promoted) == ("lapse", "1", True)
    (version,) = versions(registry)
    expected = {
        "model_digest": published.digest,
        "dataset_digest": "d" * 64,
        "evaluation_digest": published.result.digest,
        "policy_digest": fingerprint(lapse),
        "fingerprint": fingerprint(lapse),
        "cutoff": "2024-06-10",
        "git_commit": "abc",
        "lock_hash": "def",
    }
    assert expected.items() <= version.tags.items()
    assert registered.tags.items() <= version.tags.items()
    for verdict in published.approved.verdicts:
        assert version.tags[f"gate.{verdict.gate}"] == f"passed: {verdict.reason}"
    assert version.run_id == run_id
    assert registry.promoted("lapse", "champion") == registered.tags


def test_registering_again_changes_nothing(registry, run_id, published):
    first, second = (published.register(registry, run_id) for _ in range(2))
    assert first == second
    assert len(versions(registry)) == 1


def test_other_numbers_or_gates_of_the_same_model_are_another_version(registry, run_id, published):
    published.register(registry, run_id)
    published.evaluate(size_bytes=2_000)
    assert published.register(registry, run_id).version == "2"
    published.registration = replace(lapse, gates=(AtLeast(metric="roc_auc", limit=0.1),))
    published.evaluate()
    assert published.register(registry, run_id).version == "3"


def test_a_card_that_was_written_again_leaves_the_version_as_it_was(registry, run_id, published):
    manual = replace(lapse, alias="candidate")
    published.registration = manual
    published.evaluate()
    first = published.register(registry, run_id)
    (published.folder / "more").write_text("another day")
    published.approved = Approved.by(manual, published.result)
    again = published.register(registry, run_id)
    assert (again.version, again.tags["manifest_sha256"] == first.tags["manifest_sha256"]) == ("1", False)
    made = promote(manual, 1, Stage.CHAMPION, registry=registry, actor=ADA, why="Better.")
    assert made.manifest == first.tags["manifest_sha256"]


def test_what_was_registered_before_there_were_checksums_is_registered_again(registry, run_id, published):
    tags = published.register(registry, run_id).tags
    old = {name: text for name, text in tags.items() if not name.startswith("manifest")}
    registry.register("old", run_id, published.files, old)
    published.registration = replace(lapse, name="old")
    published.evaluate()
    old |= {"policy_digest": published.approved.policy_digest}
    assert registry.register("old", run_id, published.files, old, once=list(old)) == "2"
    registered = published.register(registry, run_id)
    assert (registered.version, registered.promoted) == ("3", True)


def test_an_older_cutoff_does_not_take_the_alias(registry, run_id, published, tmp_path):
    older = Published(tmp_path / "older", model=b"old trees", cutoff="2024-06-03")
    newer = Published(tmp_path / "newer", model=b"new trees", cutoff="2024-06-17")
    registered = [one.register(registry, run_id) for one in (published, older, newer, published)]
    assert [(one.version, one.promoted) for one in registered] == [("1", True), ("2", False), ("3", True), ("1", False)]
    assert registry.promoted("lapse", "champion")["cutoff"] == "2024-06-17"


def forged(approved, **changes):
    made = object.__new__(type(approved))
    for name, value in {**vars(approved), **changes}.items():
        object.__setattr__(made, name, value)
    return made


class Pretender:
    """Has the fields of an approval."""

    def __init__(self, approved):
        vars(self).update(vars(approved))


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": "x" * 64},
        {"dataset_digest": "x" * 64},
        {"evaluation_digest": "x" * 64},
        {"policy_digest": "x" * 64},
        {"registration": "other"},
        {"verdicts": ()},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_forged_approval_is_refused(registry, run_id, published, change):
    with pytest.raises(Refused, match=f"approval is not what its gates say.*{next(iter(change)).replace('more', '')}"):
        published.register(registry, run_id, approved=forged(published.approved, **change))
    assert versions(registry) == []


def test_an_empty_approval_is_refused(registry, run_id, published):
    with pytest.raises(Refused, match="not what its gates say"):
        published.register(registry, run_id, approved=object.__new__(Approved))


def test_what_only_looks_like_an_approval_is_refused(registry, run_id, published):
    with pytest.raises(Refused, match="needs an Approved, not a Pretender"):
        published.register(registry, run_id, approved=Pretender(published.approved))


def test_a_forged_approval_of_a_poor_model_meets_the_gates_again(registry, run_id, published):
    poor = replace(numbers(roc_auc=Estimate(value=0.6, low=0.5, high=0.65)), model_digest=published.digest)
    (published.folder / evaluations.FILE).write_text(json.dumps(poor.to_json()))
    approved = forged(published.approved, evaluation_digest=poor.digest)
    with pytest.raises(Refused, match="roc_auc_at_least"):
        published.register(registry, run_id, approved=approved)


def test_another_model_than_the_approved_one_is_refused(registry, run_id, published):
    (published.folder / "model.ubj").write_bytes(b"other trees")
    with pytest.raises(Refused, match=f"approved model {published.digest[:12]}, but these files are"):
        published.register(registry, run_id)
    assert versions(registry) == []


def test_other_parameters_than_the_approved_ones_are_refused(registry, run_id, published):
    file = published.folder / SEARCH
    file.write_text(file.read_text().replace("0.1", "0.2"))
    with pytest.raises(Refused, match="approved model"):
        published.register(registry, run_id)


def test_other_numbers_than_the_approved_ones_are_refused(registry, run_id, published):
    old = published.approved
    published.evaluate(size_bytes=2_000)
    with pytest.raises(Refused, match="evaluation_digest is"):
        published.register(registry, run_id, approved=old)


def test_the_approval_of_other_gates_is_refused(registry, run_id, published):
    stricter = replace(lapse, gates=(*lapse.gates, AtMost(metric="log_loss", limit=0.9)))
    with pytest.raises(Refused, match="policy_digest is"):
        published.register(registry, run_id, registration=stricter)


@pytest.mark.parametrize("name", ["model.ubj", SEARCH, evaluations.FILE])
def test_a_missing_file_is_named(registry, run_id, published, name):
    files = {key: file for key, file in published.files.items() if key != name}
    with pytest.raises(Refused, match=f"comes without '{name}'"):
        published.register(registry, run_id, files=files)


@pytest.fixture
def work(store, registry, tmp_path):
    platform = Platform(
        landing=tmp_path,
        tables=None,
        compute=None,
        artifacts=Folders(tmp_path / "folders"),
        tracker=MLflowTracker(*store),
        registry=registry,
    )
    return Work(project="shop", platform=platform, say=lambda text: None)


TABLES = [
    {"asset": "shop/order_history", "version": 3, "content": "o" * 64},
    {"asset": "shop/orders", "version": 2, "content": "p" * 64},
]


def publish(work, published, run_id, *, card_of=None, missing=MappingProxyType({})):
    """What the assets before the registration leave behind; `missing`: words that the card lacks."""

    def files(*names):
        return lambda folder: [shutil.copy(published.folder / name, folder) for name in names]

    def card(folder):
        (folder / "card.md").write_text("words")
        words = dict.fromkeys(("title", "intended_use", "out_of_scope", "data", "limits", "ethics"), "Words.")
        (folder / "card.json").write_text(json.dumps({"card": words | missing}))

    def rows(folder):
        pq.write_table(ROWS, folder / "train.parquet")

    def place(kind, noun):
        return work.place(kind, noun, published.result.cutoff)

    publish = work.platform.artifacts.publish
    evaluation = lapse.card.evaluation
    publish(place(evaluations.KIND, evaluation), published.result.digest, {}, files(evaluations.FILE))
    record = {"model": card_of or published.digest, "evaluation": published.result.digest}
    publish(place(cards.KIND, lapse.card), "c" * 64, record, card)
    record = {"content": "e" * 64, "split": {}, "tables": TABLES}
    dataset = publish(place("datasets", lapse_model.dataset), "d" * 64, record, rows)
    record = {"model_file": "model.ubj", "mlflow_run": run_id, "dataset": dataset.digest}
    record |= {"made_at": "2024-06-11T00:00:00+00:00", "made_by": CODE}
    return publish(place("models", lapse_model), published.digest, record, files("model.ubj", SEARCH))


def test_a_card_that_lacks_words_is_not_registered(work, published, run_id):
    trained = publish(work, published, run_id, missing={"limits": " \t"})
    with pytest.raises(Refused, match="'lapse_card' says nothing about limits"):
        materialize_registration(
            lapse, published.result.cutoff, published.approved, trained, work=work, code=CODE, actor=ADA
        )
    assert versions(work.platform.registry) == []


def test_a_published_model_is_registered_with_its_card(work, published, run_id):
    trained = publish(work, published, run_id)
    arguments = (lapse, published.result.cutoff, published.approved, trained)
    told = {"work": work, "code": CODE, "actor": ADA}
    registered = materialize_registration(*arguments, **told)
    assert registered == materialize_registration(*arguments, **told)
    (version,) = versions(work.platform.registry)
    assert version.tags["project"] == "shop"
    source = version.source.removeprefix("file://")
    assert (work.platform.landing / source / "card" / "card.md").read_text() == "words"


def test_a_card_of_another_model_is_refused(work, published, run_id):
    trained = publish(work, published, run_id, card_of="x" * 64)
    with pytest.raises(Refused, match="card 'lapse_card' is of another model"):
        materialize_registration(
            lapse, published.result.cutoff, published.approved, trained, work=work, code=CODE, actor=ADA
        )


def test_without_an_evaluation_there_is_nothing_to_register(work, published, run_id):
    trained = publish(work, published, run_id)
    with pytest.raises(MissingInputError, match="lapse_evaluation"):
        materialize_registration(lapse, "2024-06-03", published.approved, trained, work=work, code=CODE, actor=ADA)
