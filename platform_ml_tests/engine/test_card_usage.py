import hashlib
import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.engine.card_usage import usage
from platform_ml.engine.portable import export
from platform_ml.engine.tuned_model import save, train
from platform_ml.families import Linear
from platform_ml.preparations import Clip, Scale
from platform_ml.testing.declarations import lapse_model
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_preparation import RECENCY, SPENT, rows

MODEL = replace(
    lapse_model,
    family=Linear(penalty=0.01),
    tuner=TPE(trials=1),
    preparations=(Clip(of=(SPENT,)), Scale(of=(SPENT, RECENCY), by="range")),
)


def test_the_program_prepares_rows_as_the_model_did(tmp_path):
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
    other = program.replace(digests["preparation.json"], "0" * 64)
    refused = subprocess.run([sys.executable, "-c", other], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "not the preparations that this card describes" in refused.stderr


def test_without_preparations_nothing_is_prepared():
    program = usage(
        replace(MODEL, preparations=()), {"files": {"model.json": "a" * 64}, "registered_as": ""}, registered=False
    )
    compile(program, "card", "exec")
    assert "fitted" not in program
