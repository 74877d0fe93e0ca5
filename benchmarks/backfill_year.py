"""The retail year through Dagster's command line in an empty home: sources, feature groups, labels and view.

    .venv/bin/python benchmarks/backfill_year.py

Prints the seconds of each run, and of one day alone, measured in the same home.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DAILY = "retail/transactions,retail/customer_behaviour,retail/product_performance"
RUNS = {
    "reference tables": ["retail/products,retail/demographics,retail/customer_profile"],
    "365 days of source and groups": [DAILY, "--partition-range", "2017-01-01...2017-12-31"],
    "36 weeks of labels and view": ["retail/churned,retail/churn_view", "--partition-range", "2017-04-01...2017-12-02"],
    "one day of source and groups": [DAILY, "--partition", "2017-12-31"],
}


def main() -> None:
    """Run everything once and print a table."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        shutil.copy(ROOT / "dagster.yaml", home)
        env = os.environ | {"DAGSTER_HOME": scratch, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run([BIN / "platform-ml", "land", "--project", "retail"], cwd=home, env=env, check=True)
        total = 0.0
        for name, options in RUNS.items():
            started = perf_counter()
            command = ["dagster", "asset", "materialize", "-m", "platform_ml.definitions", "--select", *options]
            subprocess.run(command, cwd=home, env=env, check=True, capture_output=True)
            seconds = perf_counter() - started
            total += seconds if not name.startswith("one day") else 0
            print(f"{name:<32}{seconds:>8.1f} s")
        print(f"{'the year in all':<32}{total:>8.1f} s")


if __name__ == "__main__":
    main()
