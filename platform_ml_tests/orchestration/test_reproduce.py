"""`platform-ml reproduce` and `models` on the models of a small shop."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from platform_ml import cli
from platform_ml.engine.conditions import here
from platform_ml.engine.standing import NOT_EVALUATED, OTHER_POLICY, PASSED, candidates
from platform_ml.gates import AtLeast
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    lapse,
    lapse_evaluation,
    lapse_model,
    shop,
    swapped,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, _trained):
    """The shop with a registered model."""
    return Checkout(shutil.copytree(_trained, tmp_path_factory.mktemp("reproduced"), dirs_exist_ok=True))


@pytest.fixture
def command(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(trained.folder))
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (shop,))

    def run(*arguments):
        capsys.readouterr()
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


@pytest.fixture
def artifact(trained):
    (found,) = trained.work.platform.artifacts.versions("models/shop/lapse_model")
    return found


@pytest.fixture
def record(artifact):
    """Its record, to be changed; afterwards it is as it was."""
    file = artifact.folder / "record.json"
    text = file.read_text()

    def change(**said):
        file.write_text(json.dumps(json.loads(text) | said))

    yield change
    file.write_text(text)


def test_a_registered_model_is_listed_once(command):
    code, lines, _ = command("models")
    assert code == 0
    assert lines[1].split()[:5] == ["lapse@1", "champion", "ready", "shop", CUTOFF]
    assert len(lines) == 2


def test_a_candidate_says_how_far_it_came(trained, artifact):
    artifacts = trained.work.platform.artifacts
    (passed,) = candidates(shop, artifacts, [])
    assert (passed.status, passed.metric) == (PASSED, "roc_auc")
    assert list(candidates(shop, artifacts, [artifact.digest])) == []
    strict = replace(lapse, gates=(AtLeast(metric="roc_auc", limit=0.999),))
    (refused,) = candidates(replace(shop, outputs=(strict,)), artifacts, [])
    assert refused.status == f"candidate: refused by {strict.gates[0].name}"
    other = swapped(shop, lapse_evaluation, replace(lapse_evaluation, slices=()))
    (judged,) = candidates(other, artifacts, [])
    assert judged.status == OTHER_POLICY
    renamed = swapped(shop, lapse_evaluation, replace(lapse_evaluation, name="another"))
    (fresh,) = candidates(renamed, artifacts, [])
    assert (fresh.status, fresh.score) == (NOT_EVALUATED, "")


def stores(trained):
    """Every file of every store, and when it was last written."""
    return {path: path.stat().st_mtime_ns for path in (trained.folder / "data").rglob("*") if path.is_file()}


def test_a_registered_model_is_made_again_bit_by_bit(command, trained, artifact):
    command("models")  # MLflow's database is open from here on
    before = stores(trained)
    code, lines, err = command("reproduce", "lapse@champion", "--search")
    assert (code, err) == (0, "")
    digest = artifact.digest[:12]
    assert lines[0] == f"shop/lapse_model@{digest}, registered as lapse@1, cutoff {CUTOFF}; its dataset:"
    assert lines[1].startswith("shop/lapse_dataset@")
    at = lines.index("The model:")
    assert lines[at + 1].startswith("same       published files: ")
    assert lines[at + 2] == "same       fitted again with its parameters: 2 files by their sha256"
    assert lines[at + 3] == "same       searched again, every trial: 2 files by their sha256, 2 trials"
    assert lines[-1] == "Identical: every file has the published bytes."
    after = stores(trained)
    assert {path for path in after if after[path] != before.get(path) and "mlflow" not in path.parts} == set()


@pytest.mark.parametrize("name", ["lapse@1", "shop/lapse_model@latest", f"lapse_model@{CUTOFF}", "lapse_model@digest"])
def test_a_model_has_many_names(command, artifact, name):
    code, lines, _ = command("reproduce", name.replace("digest", artifact.digest[:8]))
    assert code == 0
    assert lines[0].startswith(f"shop/lapse_model@{artifact.digest[:12]}")


def test_what_is_not_there_is_said_with_what_there_is(command, artifact):
    code, _, err = command("reproduce", "lapse@champio")
    assert code == 1
    assert "Did you mean 'champion'?" in err
    assert f"{artifact.digest[:12]}  cutoff {CUTOFF}  lapse@1, champion" in err
    assert "There is no training dataset 'laps'" in command("reproduce", "laps@1")[2]
    assert "Write lapse@latest" in command("reproduce", "lapse")[2]


def test_the_record_says_what_is_needed_to_make_it_again(artifact):
    record = artifact.record
    assert record["declaration"]["is"] == "TunedModel"
    assert record["declaration"]["dataset"]["is"] == "TrainingDataset"
    assert record["seeds"].keys() == {"seed", "seed.python", "seed.numpy", "seed.torch"}
    assert {"device", "threads", "processor", "platform", "libraries"} == record["conditions"].keys()
    assert {"xgboost", "numpy", "optuna"} <= record["conditions"]["libraries"].keys()
    assert {"git_commit", "git_dirty", "lock_hash", "python_version"} <= record["made_by"].keys()


def test_other_bytes_within_the_tolerance_need_a_reason(command, artifact, record):
    """The published model differs in its last digits, as one of another machine might."""
    files = dict(artifact.record["files"])
    model = artifact.folder / "model.ubj"
    whole = model.read_bytes()
    other = nudged(whole)
    model.write_bytes(other)
    try:
        files["model.ubj"] = sha256(other)
        record(files=files)
        code, lines, _ = command("reproduce", "lapse_model@latest")
        assert code == 1
        assert any(line.startswith("equal      fitted again") for line in lines)
        assert (
            "Nothing that was recorded explains it: look for randomness without a seed, or for damaged files." in lines
        )
        record(files=files, conditions=here() | {"threads": "OMP_NUM_THREADS=64", "libraries": {"numpy": "1.0"}})
        code, lines, _ = command("reproduce", "lapse_model@latest")
        assert code == 0
        assert any(
            re.fullmatch(r" +model.ubj differ; predictions lie .* of their range apart at most", one) for one in lines
        )
        assert any("threads: OMP_NUM_THREADS=64 → " in line for line in lines)
        assert any("numpy: 1.0 → " in line for line in lines)
        assert lines[-1] == "Equal within 1e-03 of the range of the predictions, for the conditions above."
    finally:
        model.write_bytes(whole)


def sha256(content):
    import hashlib

    return hashlib.sha256(content).hexdigest()


def nudged(content):
    """The same trees, each leaf a little more."""
    import xgboost as xgb

    booster = xgb.Booster(model_file=bytearray(content))
    plain = json.loads(booster.save_raw("json"))
    for tree in plain["learner"]["gradient_booster"]["model"]["trees"]:
        tree["split_conditions"] = [
            value * (1 + 1e-5) if left == -1 else value
            for value, left in zip(tree["split_conditions"], tree["left_children"], strict=True)
        ]
    return bytes(xgb.Booster(model_file=bytearray(json.dumps(plain).encode())).save_raw("ubj"))


def test_another_declaration_is_named(command, monkeypatch):
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (swapped(shop, lapse_model, replace(lapse_model, seed=5)),))
    code, lines, _ = command("reproduce", "lapse_model@latest", "--search")
    assert code == 1
    assert any(line.startswith("DIFFERENT  searched again, every trial") for line in lines)
    assert "  declaration: TunedModel lapse_model: seed: 0 → 5" in lines
    assert lines[-1] == "NOT identical."


def test_a_damaged_file_is_named(command, artifact):
    (name,) = (name for name in artifact.record["files"] if name.startswith("baseline"))
    file = artifact.folder / name
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b" ")
    try:
        code, lines, _ = command("reproduce", "lapse_model@latest")
    finally:
        file.write_bytes(whole)
    assert code == 1
    assert any(line.startswith("DIFFERENT  published files") for line in lines)
    assert any(f"{file} was changed" in line for line in lines)
