import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine.card_usage import online_usage, usage
from platform_ml.engine.portable import export
from platform_ml.engine.tuned_model import save, train
from platform_ml.families import Linear
from platform_ml.preparations import Clip, Scale
from platform_ml.testing.declarations import lapse_model, lapse_view
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_model_card import PLAIN, PROVENANCE, rendered
from platform_ml_tests.engine.test_preparation import RECENCY, SPENT, rows

MODEL = replace(
    lapse_model,
    family=Linear(penalty=0.01),
    tuner=TPE(trials=1),
    preparations=(Clip(of=(SPENT,)), Scale(of=(SPENT, RECENCY), by="range")),
)


def online(program, row, folder, monkeypatch, capsys):
    """What the online program prints for one row, and its function."""
    (folder / "row.json").write_text(json.dumps(row))
    monkeypatch.chdir(folder)
    names = {}
    exec(compile(program, "card", "exec"), names)  # noqa: S102 - our own program
    return json.loads(capsys.readouterr().out), names["predict"]


def test_the_program_prepares_rows_as_the_model_did(tmp_path, monkeypatch, capsys):
    splits = {"train": rows(1), "validation": rows(2)}
    trained = train(MODEL, splits, progress=lambda _: None)
    save(trained, tmp_path)
    export(trained.predictor, splits["validation"].features, tmp_path)
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in tmp_path.iterdir()}
    assert len(digests) == 6
    program = usage(MODEL, {"files": digests, "registered_as": ""}, registered=False)
    unseen = rows(3).features
    pq.write_table(unseen.append_column("more", pa.nulls(400)), tmp_path / "rows.parquet")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    found = pq.read_table(tmp_path / "predictions.parquet")["prediction"].to_pylist()
    assert found == trained.predictor.predict(unseen).tolist()
    one = unseen.slice(11, 1).to_pylist()[0]
    service = online_usage(MODEL, {"files": digests, "registered_as": ""}, registered=False)
    printed, predict = online(service, one, tmp_path, monkeypatch, capsys)
    assert printed == predict(one) == found[11]
    with pytest.raises(KeyError, match="The row has no"):
        predict({})
    other = program.replace(digests["preparation.json"], "0" * 64)
    refused = subprocess.run([sys.executable, "-c", other], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "not the preparations that this card describes" in refused.stderr


def test_without_preparations_nothing_is_prepared():
    program = usage(
        replace(MODEL, preparations=()), {"files": {"model.json": "a" * 64}, "registered_as": ""}, registered=False
    )
    compile(program, "card", "exec")
    assert "fitted" not in program


def test_the_program_on_the_card_runs_and_checks_the_file(tmp_path, monkeypatch, capsys):
    import numpy as np
    import pandas as pd
    import xgboost

    names = lapse_view.feature_names
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, len(names))), columns=names)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, label=rows[names[0]]), num_boost_round=3)
    booster.save_model(tmp_path / "model.ubj")
    rows.to_parquet(tmp_path / "rows.parquet")
    digest = hashlib.sha256((tmp_path / "model.ubj").read_bytes()).hexdigest()
    model = replace(PROVENANCE.model, files={"model.ubj": digest})
    card = rendered(result=PLAIN, provenance=replace(PROVENANCE, model=model)).json
    program = card["usage"]
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    scored = pd.read_parquet(tmp_path / "predictions.parquet")
    assert np.array_equal(scored["prediction"], booster.predict(xgboost.DMatrix(rows)))
    refused = subprocess.run(
        [sys.executable, "-c", program.replace(digest, "0" * 64)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "not the model that this card describes" in refused.stderr
    one = json.loads(rows.iloc[[7]].to_json(orient="records"))[0]
    printed, predict = online(card["usage_online"], one, tmp_path, monkeypatch, capsys)
    assert printed == predict(one) == pytest.approx(booster.predict(xgboost.DMatrix(rows))[7])
    nothing = pd.DataFrame(np.nan, index=[0], columns=names)
    assert predict(dict.fromkeys(one)) == pytest.approx(booster.predict(xgboost.DMatrix(nothing))[0])
    with pytest.raises(KeyError, match=rf"The row has no \['{names[0]}'\]"):
        predict({names[1]: 1.0})


def test_a_model_in_another_format_is_loaded_by_its_family():
    model = replace(PROVENANCE.model, files={"model.json": "f6" * 32}, registered_as="")
    program = rendered(result=PLAIN, provenance=replace(PROVENANCE, model=model)).json["usage"]
    compile(program, "card", "exec")
    assert "XGBoost().load(file, FEATURES)" in program
