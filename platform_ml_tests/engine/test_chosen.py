import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.ablation import fitted_ablations
from platform_ml.engine.card_usage import usage
from platform_ml.engine.chosen import FILE, Narrowed
from platform_ml.engine.feature_selection import choose
from platform_ml.engine.fitting import Fitting
from platform_ml.engine.portable import export, run
from platform_ml.engine.tuned_model import SEARCH, fitted, model_digest, save, train
from platform_ml.families import Linear
from platform_ml.preparations import Clip, Scale
from platform_ml.selections import TreeGain
from platform_ml.spec.ablation import Without
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml_tests.engine.choosing import (
    BEST,
    COUNT,
    COUNTRY,
    MODEL,
    NAMES,
    RECENCY,
    SPENT,
    STUDENT,
    quiet,
    rows,
    with_column,
)

CHOSEN = replace(
    MODEL,
    features=BEST,
    preparations=(Clip(of=(SPENT, COUNT)), Scale(of=(COUNT,))),
    family=Linear(penalty=0.01),
    ablations=(Without(features=(RECENCY,)),),
)
KEPT = (RECENCY, SPENT, COUNTRY)


@pytest.fixture(scope="module")
def splits():
    return {name: rows(seed) for seed, name in enumerate(("train", "validation", "test"), start=1)}


@pytest.fixture(scope="module")
def trained(splits):
    return train(CHOSEN, splits, progress=quiet)


@pytest.fixture(scope="module")
def artifact(trained, tmp_path_factory):
    folders = Folders(tmp_path_factory.mktemp("chosen"))
    return folders.publish("m", "a" * 64, {}, lambda folder: save(trained, folder))


def test_the_family_sees_the_chosen_features_alone(trained, splits):
    assert trained.chosen == choose(BEST, splits["train"])
    assert trained.predictor.predictor.predictor.encoding.features == KEPT
    other = with_column(splits["test"], COUNT, np.full(400, 1e6)).features
    assert trained.predictor.predict(other).tolist() == trained.predictor.predict(splits["test"].features).tolist()


def test_contributions_speak_of_all_features(trained, splits):
    test = splits["test"].features
    found = trained.predictor.contributions(test)
    assert found.shape == (400, 5)
    zero = [NAMES.index(name) for name in (COUNT, STUDENT)]
    assert not found[:, zero].any()
    assert np.abs(found).sum(axis=0)[NAMES.index(SPENT)] > 0
    turned = trained.predictor.contributions(test.select(NAMES[::-1]))
    assert turned[:, ::-1].tolist() == found.tolist()


def test_validation_rows_decide_nothing(splits, trained):
    other = splits | {"validation": replace(splits["validation"], features=rows(9).features)}
    assert Fitting.of(CHOSEN, other).chosen == trained.chosen


def test_a_choice_that_was_published_is_taken_as_it_is(splits, trained):
    other = choose(replace(BEST, keep=1), splits["train"])
    again = train(CHOSEN, splits, features=replace(other, kept=(SPENT, RECENCY)), progress=quiet)
    assert again.predictor.predictor.kept == (SPENT, RECENCY)


def test_another_process_reads_it_with_its_ablation(trained, artifact, splits):
    assert {FILE, "preparation.json", "ablation_no_days_since_last_28d.json"} <= set(artifact.record["files"])
    predictor, baselines = fitted(CHOSEN, artifact)
    test = splits["test"].features
    assert predictor.predict(test).tolist() == trained.predictor.predict(test).tolist()
    assert set(baselines) == {"majority"}
    (name,) = trained.ablations
    (again,) = fitted_ablations(CHOSEN, artifact, SEARCH).values()
    assert again.predict(test).tolist() == trained.ablations[name].predictor.predict(test).tolist()


def test_it_is_part_of_what_a_model_is_called(trained, artifact, tmp_path):
    said = {"dataset": "d", "declared": "f"}
    file = artifact.folder / "model.json"
    plain = model_digest(file, {}, **said)
    first = model_digest(file, {}, **said, selected=artifact.folder / FILE)
    (tmp_path / FILE).write_text((artifact.folder / FILE).read_text() + " ")
    assert len({plain, first, model_digest(file, {}, **said, selected=tmp_path / FILE)}) == 3


def test_the_graph_has_a_column_for_each_chosen_feature(trained, splits, tmp_path):
    test = splits["test"].features
    exported = export(trained.predictor, test, tmp_path)
    assert exported.file, exported.reason
    values = trained.predictor.inputs(test)
    assert values.shape == (400, 3)
    np.testing.assert_allclose(run(trained.predictor.onnx(), values), trained.predictor.predict(test), atol=1e-5)


def test_the_program_of_the_card_sees_what_the_model_sees(trained, artifact, splits, tmp_path):
    save(trained, tmp_path)
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in tmp_path.iterdir()}
    said = {"files": digests, "registered_as": "", "not_used": trained.chosen.dropped}
    unseen = splits["test"].features
    pq.write_table(unseen, tmp_path / "rows.parquet")
    subprocess.run([sys.executable, "-c", usage(CHOSEN, said, registered=False)], cwd=tmp_path, check=True)
    found = pq.read_table(tmp_path / "predictions.parquet")["prediction"].to_pylist()
    assert found == trained.predictor.predict(unseen).tolist()
    plain = usage(replace(CHOSEN, preparations=(), ablations=()), said, registered=False)
    assert "CHOSEN" not in plain
    assert all((name in plain) == (name in KEPT) for name in NAMES)


def test_a_missing_feature_is_named(trained, splits):
    with pytest.raises(RowsError, match=f"no feature '{SPENT}'"):
        trained.predictor.predictor.predict(splits["test"].features.drop_columns([SPENT]))


def test_unseen_categories_and_missing_graphs_are_those_of_the_model(trained, splits):
    odd = with_column(splits["test"], COUNTRY, ["??"] * 400).features
    assert trained.predictor.unseen(odd) == {COUNTRY: 400}
    bare = Narrowed(kept=KEPT, predictor=trained.baselines["majority"])
    assert bare.unseen(odd) == {}
    assert bare.contributions(odd) is None
    assert export(bare, odd, None).reason == "This family has no ONNX graph."


def test_a_fold_chooses_by_its_own_rows(splits, trained):
    model = replace(CHOSEN, features=replace(BEST, method=TreeGain(rounds=5), keep=1))
    whole = Fitting.of(model, splits)
    noise = np.random.default_rng(1).normal(size=400)
    fold = with_column(splits["train"], COUNT, splits["train"].label + 0.01 * noise)
    assert (whole.kept, Fitting.of(model, splits | {"train": fold}).kept) == ((RECENCY,), (COUNT,))


def test_a_model_without_its_file_is_refused(artifact, tmp_path):
    bare = replace(artifact, folder=tmp_path)
    (tmp_path / SEARCH).write_text((artifact.folder / SEARCH).read_text())
    (tmp_path / "baseline_majority.json").write_bytes((artifact.folder / "baseline_majority.json").read_bytes())
    with pytest.raises(StoreError, match="holds no chosen features"):
        fitted(CHOSEN, bare)
