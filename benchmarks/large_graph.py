"""How long Dagster's pages take to open with 200 assets of 3,000 partitions, beside the same of a small project.

    .venv/bin/python benchmarks/large_graph.py

Both are made of declarations, and a webserver each serves them from a home of its own. That every partition was
materialized is written straight into the event log, as copies of one event: through runs it would take a day. What is
measured is from the address to what a person waits for, in Debian's Chromium; the best of some rounds counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import dagster as dg

from platform_ml.features import Count, Total
from platform_ml.formats import Parquet
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.project import Project
from platform_ml.spec.schema import Column, Integer, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
SIZE = "LARGE_GRAPH"
"""The variable that says how large the graph of this module is: sources, groups of each, days."""
SIZES = {"small": (2, 3, 30), "large": (20, 8, 3000)}
FIRST, PORT, LOCATION, PATIENCE = date(2016, 1, 1), 3960, "many", 120
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


def project(sources: int, groups: int, days: int) -> Project:
    """So many sources, each with its landing files and so many groups of daily features."""
    cadence = Daily(first=FIRST, last=FIRST + timedelta(days=days - 1))
    found = []
    for number in range(sources):
        source = Source(
            name=f"events_{number:02}",
            description="What happened.",
            format=Parquet(),
            columns=(Column("customer", Integer()), Column("amount", Integer()), Column("at", Timestamp())),
            key=("customer", "at"),
            event_time="at",
            cadence=cadence,
        )
        found += [
            FeatureGroup(
                name=f"sums_{number:02}_{group:02}",
                description="How much of it.",
                source=source,
                entity="customer",
                cadence=cadence,
                features=(Count(days=7 + group), Total(days=28 + group, of="amount")),
            )
            for group in range(groups)
        ]
    return Project(name="many", description="Many assets.", owner="team:bench", outputs=tuple(found))


def record(home: Path, made: Project) -> int:
    """Write that every partition was materialized; returns how many events."""
    keys = made.outputs[0].cadence.keys()  # type: ignore[union-attr] - groups, all of one cadence
    nouns = [noun.name for noun in made.nouns]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for name in nouns:
            event = dg.AssetMaterialization([made.name, name], partition=keys[0], metadata={"dagster/row_count": 1000})
            instance.report_runless_asset_event(event)
    [log] = home.glob("data/dagster/history/runs/index.db")
    with sqlite3.connect(log) as connection:
        connection.execute("CREATE TEMP TABLE days (day TEXT)")
        connection.executemany("INSERT INTO days VALUES (?)", [(key,) for key in keys[1:]])
        done = connection.execute(
            "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition) "
            "SELECT run_id, replace(event, ?, '\"partition\": \"' || day || '\"'), dagster_event_type, timestamp, "
            "step_key, asset_key, day FROM event_logs, days WHERE dagster_event_type = 'ASSET_MATERIALIZATION'",
            (f'"partition": "{keys[0]}"',),
        )
        return done.rowcount + len(nouns)


@contextmanager
def served(home: Path, size: str) -> Iterator[str]:
    """The address of a webserver that has loaded the project of this size."""
    environment = os.environ | {"DAGSTER_HOME": str(home), SIZE: size, "PYTHONPATH": str(ROOT)}
    workspace = home / "workspace.yaml"
    location = {"relative_path": __file__, "location_name": LOCATION}
    workspace.write_text(json.dumps({"load_from": [{"python_file": location}]}))  # JSON is YAML
    command = [Path(sys.executable).parent / "dagster-webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(PORT)]
    with (home / "webserver.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        end = monotonic() + PATIENCE
        while monotonic() < end:
            try:
                with urlopen(f"http://127.0.0.1:{PORT}/server_info"):
                    break
            except URLError:
                sleep(0.2)
        yield f"http://127.0.0.1:{PORT}"
    finally:
        process.terminate()
        process.wait()


def opened(page: Page, address: str, shown: str) -> float:
    """Seconds from the address to what a person waits for."""
    page.goto("about:blank")
    started = perf_counter()
    page.goto(address)
    page.get_by_text(shown).first.wait_for()
    return perf_counter() - started


def measure(size: str, rounds: int) -> dict[str, float]:
    """Page → the best seconds of these rounds; the first one, which fills caches, apart."""
    from playwright.sync_api import sync_playwright

    made = project(*SIZES[size])
    asset = made.outputs[-1].name
    pages = {
        "graph of groups": ("/asset-groups", "many_features"),
        "graph of all feature groups": (f"/locations/{LOCATION}/asset-groups/many_features", "sums_"),
        "page of an asset": (f"/assets/many/{asset}", "Latest materialization"),
        "its partitions": (f"/assets/many/{asset}?view=partitions", "Partitions Selected"),
    }
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        shutil.copy(ROOT / "dagster.yaml", home)
        started = perf_counter()
        found["events"] = record(home, made)
        found["seconds to write them"] = perf_counter() - started
        started = perf_counter()
        defs = definitions([made], PlatformResource())
        found["assets"] = sum(
            len(list(one.keys)) if isinstance(one, dg.AssetsDefinition) else 1 for one in defs.assets or ()
        )
        found["definitions are made"] = perf_counter() - started
        started = perf_counter()
        with served(home, size) as address, sync_playwright() as driver:
            found["webserver is up"] = perf_counter() - started
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
            page = browser.new_page(viewport={"width": 1500, "height": 950})
            page.set_default_timeout(PATIENCE * 1000)
            for name, (path, shown) in pages.items():
                times = [opened(page, address + path, shown) for _ in range(rounds + 1)]
                found[f"{name}, first"], found[name] = times[0], min(times[1:])
                print(f"{size}: {name}: {times}", file=sys.stderr, flush=True)
            browser.close()
    return found


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found = {size: measure(size, rounds) for size in SIZES}
    print(f"| {'':<36} | {'small':>9} | {'large':>9} | times |\n| --- | --: | --: | --: |")
    for name, small in found["small"].items():
        large = found["large"][name]
        print(f"| {name:<36} | {small:>9,.2f} | {large:>9,.2f} | {large / small:>5.1f} |")
    print(json.dumps({"load": os.getloadavg(), "cores": os.cpu_count()}))


if size := os.environ.get(SIZE):
    defs = definitions([project(*SIZES[size])], PlatformResource())
elif __name__ == "__main__":
    main()
