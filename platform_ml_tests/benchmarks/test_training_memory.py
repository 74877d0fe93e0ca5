import json
import subprocess
import sys

from platform_ml_tests.architecture.files import ROOT

RUN = ROOT / "benchmarks" / "training_memory.py"


def test_both_sides_are_measured_and_predict_the_same(tmp_path):
    options = ["--rows", "2000", "--features", "5", "--boost", "5", "--rounds", "1", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, RUN, *options, "--out", tmp_path], check=True, capture_output=True, text=True
    )

    said = json.loads((tmp_path / "training_memory.json").read_text())
    ours, theirs = (said["values"][side][0] for side in ("this project", "pandas + XGBClassifier"))
    assert ours["answer"] == theirs["answer"]
    assert min(ours["seconds"], ours["peak_mb"], theirs["seconds"], theirs["peak_mb"]) > 0
    assert "peak_mb    ratio" in done.stdout
