"""Each fault of a model, planted where it would happen: stopped in its own run, and again by a later one."""

import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import tuned_model
from platform_ml.engine.content import file_sha256
from platform_ml.engine.leak_audit import leak_findings
from platform_ml.gates import Latency
from platform_ml.spec.errors import MissingInputError, Refused, StoreError
from platform_ml.spec.registration import Approved
from platform_ml.spec.waiver import Waiver
from platform_ml_tests.engine.test_registration import forged
from platform_ml_tests.faults.planted import CUTOFF, FAMILY, GATES, Broken, Slow, World, edit, registration_of, rows

SOUND = registration_of()
EVALUATION = SOUND.card.evaluation
MODEL = EVALUATION.model


@dataclass(frozen=True)
class Fault:
    """What is planted, and the words of the gate that stops it."""

    gate: str
    words: str
    rows: dict = field(default_factory=dict)
    registration: object = SOUND


GREEDY = replace(
    FAMILY, max_depth=12, min_child_weight=0.01, learning_rate=0.5, reg_lambda=0.0001, reg_alpha=0.0001, max_rounds=60,
    early_stopping_rounds=60,
)  # fmt: skip
FAULTS = {
    "a biased slice": Fault("slice_gap_roc_auc", r"country = CH", {"biased": True}),
    "a leak": Fault(
        # What knows the answer passes every gate on how good it is.
        "no_leak",
        r"too_good.*'amount_sum_28d'",
        {"leaks": True},
        registration_of(gates=(*GATES[:2], *GATES[3:])),
    ),
    "a miscalibrated model": Fault(
        "calibrated", r"calibration error is 0\.[2-9]", registration=registration_of(positive_weight=25.0)
    ),
    "an overfitted model": Fault(
        "roc_auc_not_overfitted",
        r"The lead in roc_auc of the training rows over the test rows is 0\.[2-9]",
        {"noise": 4.0},
        registration_of(GREEDY, (GATES[4],)),
    ),
    "a slower model": Fault(
        "latency_p50",
        r"Predicting one row takes .* ms \(p50\), must be at most 1 ms",
        registration=registration_of(
            Slow(**{name: getattr(FAMILY, name) for name in vars(FAMILY)}), (Latency(1.0, percentile="p50"),)
        ),
    ),
    "a gate that raises": Fault(
        "broken",
        r"The gate raised ZeroDivisionError: float division by zero\. Mend the gate",
        registration=registration_of(gates=(*GATES, Broken())),
    ),
}


@pytest.fixture
def world(tmp_path):
    return World.make(tmp_path)


@pytest.fixture(scope="module")
def _sound(tmp_path_factory):
    world = World.make(tmp_path_factory.mktemp("sound"))
    world.publish(rows())
    assert world.run(SOUND) == {}
    return world.folder


@pytest.fixture
def sound(_sound, tmp_path):
    """A model that may be registered, with its numbers and its card."""
    return World.make(shutil.copytree(_sound, tmp_path / "sound"))


def test_without_a_fault_a_model_is_registered(sound):
    assert sound.register(SOUND).version == "1"
    assert sound.registered[0]["model_digest"] == tuned_model.load(MODEL, CUTOFF, work=sound.work).digest


@pytest.mark.parametrize("what", FAULTS)
def test_a_gate_stops_the_run_and_every_later_one(world, what):
    fault = FAULTS[what]
    world.publish(rows(**fault.rows))
    stopped = world.run(fault.registration)
    assert list(stopped) == [fault.gate]
    card = world.newest("cards", fault.registration.card) / "README.md"
    assert "Not approved: 1 of" in card.read_text(encoding="utf-8")
    with pytest.raises(
        Refused, match=rf"Not registered: 'lapse' did not pass its gates\. {fault.gate}: .*{fault.words}"
    ):
        world.register(fault.registration)
    assert world.registered == []


def test_no_waiver_is_for_a_gate_that_raises(sound):
    waiver = Waiver(gate="broken", author="eve", reason="Never mind.", expires=date(2999, 1, 1))
    waived = replace(registration_of(gates=(*GATES, Broken())), waivers=(waiver,))
    assert list(sound.card(waived)) == ["broken"]
    with pytest.raises(Refused, match="broken: The gate raised ZeroDivisionError"):
        sound.register(waived)


def test_a_leak_that_blocks_its_dataset_leaves_nothing_to_train_on(world):
    """What the audit of the rows finds is in the manifest of a dataset only where somebody let it pass."""
    found = leak_findings(MODEL.dataset, rows(leaks=True), CUTOFF, compute=world.work.platform.compute)
    assert [finding.check.name for finding in found if finding.stops] == ["too_good"]
    with pytest.raises(MissingInputError, match="shop/lapse_dataset has no partition"):
        world.train(SOUND)


def test_a_stale_evaluation_of_an_older_model(sound):
    """The model is trained again; the numbers and the card of the one before are still the newest."""
    again = registration_of(replace(FAMILY, max_rounds=10))
    older, newer = tuned_model.load(MODEL, CUTOFF, work=sound.work), sound.train(again)
    with pytest.raises(
        Refused, match=f"the evaluation is of model '{older.digest[:12]}', the card of '{newer.digest[:12]}'"
    ):
        sound.card(SOUND)
    with pytest.raises(Refused, match=f"approved model {older.digest[:12]}, but these files are"):
        sound.register(SOUND)
    with pytest.raises(Refused, match="was evaluated by another declaration"):
        sound.register(again)
    assert sound.registered == []


def test_a_model_trained_on_another_dataset(sound):
    """The dataset is made again after the model."""
    old, new = "d" * 12, "e" * 12
    sound.publish(rows(seed=5), "e")
    with pytest.raises(MissingInputError, match=rf"trained on another version of its dataset \({old}, now {new}\)"):
        sound.evaluate(SOUND)
    with pytest.raises(Refused, match=f"the evaluation is of dataset '{old}', the card of '{new}'"):
        sound.card(SOUND)


def test_numbers_that_say_another_dataset_than_the_model_was_trained_on(sound):
    """Good numbers of other rows, put in the place of its own."""
    result = evaluations.load(EVALUATION, CUTOFF, work=sound.work)
    planted = replace(result, dataset_digest="e" * 64)
    publish(sound, planted)
    with pytest.raises(Refused, match="the evaluation is of dataset 'eeeeeeeeeeee', the card of 'dddddddddddd'"):
        sound.card(SOUND)
    card = sound.newest("cards", SOUND.card)
    sound.work.platform.artifacts.publish(
        sound.work.place("cards", SOUND.card, CUTOFF),
        "f" * 64,
        {"model": planted.model_digest, "evaluation": planted.digest},
        lambda folder: shutil.copy(card / "card.json", folder),
    )
    with pytest.raises(Refused, match=f"approved model {planted.model_digest[:12]}, but these files are"):
        sound.register(SOUND)
    assert sound.registered == []


def publish(world, result):
    """Numbers in the place of the evaluation's own."""
    text = json.dumps(result.to_json())
    world.work.platform.artifacts.publish(
        world.work.place(evaluations.KIND, EVALUATION, CUTOFF),
        result.digest,
        {},
        lambda folder: (folder / evaluations.FILE).write_text(text),
    )


@pytest.mark.parametrize("change", [{"evaluation_digest": "x" * 64}, {"model_digest": "x" * 64}, {"verdicts": ()}])
def test_a_forged_approval(sound, change):
    approved = Approved.by(SOUND, evaluations.load(EVALUATION, CUTOFF, work=sound.work))
    with pytest.raises(Refused):
        sound.register(SOUND, forged(approved, **change))
    with pytest.raises(Refused, match=r"was approved by no gate\. Use Approved\.by"):
        Approved(**vars(approved))
    assert sound.registered == []


def test_an_approval_of_looser_gates(sound):
    loose = registration_of(gates=GATES[:1])
    approved = Approved.by(loose, evaluations.load(EVALUATION, CUTOFF, work=sound.work))
    with pytest.raises(Refused, match=r"the approval is not what its gates say of evaluation\.json: policy_digest is"):
        sound.register(SOUND, approved)


TAMPERED = {
    "the model": (tuned_model.KIND, MODEL, "model.ubj"),
    "its parameters": (tuned_model.KIND, MODEL, tuned_model.SEARCH),
    "its numbers": (evaluations.KIND, EVALUATION, evaluations.FILE),
    "its card": ("cards", SOUND.card, "README.md"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_artifact(sound, what):
    kind, noun, name = TAMPERED[what]
    file = sound.newest(kind, noun) / name
    file.write_bytes(file.read_bytes().replace(b"0", b"1"))
    with pytest.raises(StoreError, match=rf"{name} was changed: its sha256 is not"):
        sound.register(SOUND)
    if kind != "cards":
        with pytest.raises(StoreError, match=rf"{name} was changed"):
            sound.card(SOUND)
    assert sound.registered == []


CHANGES = {
    "model.ubj": (b"", b" ", "but these files are"),
    tuned_model.SEARCH: (b'"learning_rate": 0.2', b'"learning_rate": 0.3', "but these files are"),
    evaluations.FILE: (b'"rows": 900', b'"rows": 901', "evaluation.json was changed: its numbers are"),
}


@pytest.mark.parametrize("what", list(TAMPERED)[:3])
def test_an_artifact_that_was_tampered_with_together_with_its_checksum(sound, what):
    """Its digest, by which everything else knows it, is another one then."""
    kind, noun, name = TAMPERED[what]
    old, new, words = CHANGES[name]
    folder = sound.newest(kind, noun)
    text = (folder / name).read_bytes()
    assert old in text
    (folder / name).write_bytes(text.replace(old, new) if old else text + new)
    sha256 = file_sha256(folder / name)
    edit(folder / "record.json", lambda record: record | {"files": record["files"] | {name: sha256}})
    with pytest.raises((Refused, StoreError), match=words):
        sound.register(SOUND)
    assert sound.registered == []


def test_numbers_that_were_tampered_with_do_not_get_a_card_that_fits_them(sound):
    """With such a card, a later run of the registration would find all of one piece."""
    folder = sound.newest(evaluations.KIND, EVALUATION)
    file = folder / evaluations.FILE
    file.write_bytes(file.read_bytes().replace(b'"rows": 900', b'"rows": 901'))
    edit(folder / "record.json", lambda record: record | {"files": {evaluations.FILE: file_sha256(file)}})
    with pytest.raises(StoreError, match=r"evaluation\.json was changed: its numbers are"):
        sound.card(SOUND)


def test_test_rows_that_were_tampered_with_before_the_model_was_measured(world):
    world.publish(rows())
    world.train(SOUND)
    file = world.newest("datasets", MODEL.dataset) / "test.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b" ")
    with pytest.raises(StoreError, match=r"test\.parquet was changed"):
        world.evaluate(SOUND)
