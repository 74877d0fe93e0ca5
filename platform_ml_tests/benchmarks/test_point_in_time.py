import json
import subprocess
import sys

from platform_ml_tests.architecture.files import ROOT

RUN = ROOT / "benchmarks" / "point_in_time" / "run.py"


def test_the_harness_measures_judges_and_writes_a_table(tmp_path):
    peers = ["duckdb_asof.plain", "duckdb_asof.ordered", "read_limit.scan", "polars_asof.eager"]
    options = ["--scale", "tiny", "--rounds", "1", "--threads", "1", "--cache", tmp_path / "cache", "--out", tmp_path]
    broken = tmp_path / "python"
    broken.mkdir()
    (broken / "polars.py").write_text("raise ImportError('polars is not for this machine')")
    command = [sys.executable, RUN, "--only", *peers, *options]
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONPATH": str(broken)})

    [case] = json.loads((tmp_path / "point_in_time.json").read_text())["cases"]
    found = {each["name"]: each["values"][0] for each in case["contestants"]}
    assert found["duckdb_asof.plain"]["rows_digest"] == found["duckdb_asof.ordered"]["rows_digest"]
    assert found["duckdb_asof.ordered"]["in_order"] is True
    assert found["read_limit.scan"]["seconds"] > 0
    assert found["polars_asof.eager"] == {"reason": "ImportError: polars is not for this machine"}
    lines = (tmp_path / "point_in_time.md").read_text().splitlines()
    assert [line.split(" | ")[-2:] for line in lines if line.startswith("| DuckDB ASOF, ORDER BY")] == [
        ["yes", "same |"]
    ]
    assert [line.split(" | ")[1:3] for line in lines if line.startswith("| Polars")] == [["-", "-"]]
