"""The point-in-time join of this project beside its peers, on the same files in the same run.

    make bench-pit SCALE="small" ROUNDS=1

Every measurement is a process of its own. Rounds go through all contestants, each round beginning with another one, so
that a slow minute of the machine does not hit the same one each time. Every value is kept; the table shows the best.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cases import LAYOUTS, SCALES, Case
from contestants import CONTESTANTS, REFERENCE, Contestant
from table import write

from data import group_file, spine_file

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
TOO_BIG = 75
"""The exit status of measure.py over its limit."""
DEFAULT = ["1m5m", "1m10m3", "10m10m3"]


def options() -> argparse.Namespace:
    """What the caller chose."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--scale", nargs="+", choices=SCALES, default=DEFAULT)
    ask.add_argument("--layout", nargs="+", choices=LAYOUTS, default=["sorted"])
    ask.add_argument("--only", nargs="+", metavar="NAME", help="contestants (PEER or PEER.VARIANT), all by default")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--threads", type=int, default=os.cpu_count())
    ask.add_argument("--limit-gb", type=float, default=16, help="a process above it is ended, which the table says")
    ask.add_argument("--timeout", type=float, default=900, help="seconds for one process")
    ask.add_argument("--cache", type=Path, default=Path(os.environ.get("BENCH_CACHE", "build/bench")))
    ask.add_argument("--peers-python", default=sys.executable, help="the Python that has Polars and Feast")
    ask.add_argument("--out", type=Path, default=RESULTS)
    return ask.parse_args()


def main() -> None:
    """Measure, and write the JSON and the table after each scale."""
    told = options()
    report = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "told": vars(told)}
    report = json.loads(json.dumps(report, default=str)) | {"cases": []}
    told.out.mkdir(parents=True, exist_ok=True)
    for layout in told.layout:
        for scale in told.scale:
            report["cases"].append(measure(scale, layout, told))
            report["machine"]["load_at_end"] = os.getloadavg()
            write(report, told.out)
    print(told.out / "point_in_time.md")


def machine() -> dict[str, Any]:
    """Where the figures come from, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "cpu": cpu(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_at_start": os.getloadavg(),
    }


def cpu() -> str:
    """The processor's name, where the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def measure(name: str, layout: str, told: argparse.Namespace) -> dict[str, Any]:
    """All rounds of one scale."""
    scale, cache = SCALES[name], told.cache.resolve()
    # In a process of its own: what the generator held would count as the memory of those that come after.
    command = [HERE / "data.py", "--scale", name, "--layout", layout, "--cache", cache]
    subprocess.run([sys.executable, *map(str, command)], check=True)
    groups = tuple(str(group_file(scale, number, layout, cache)) for number in range(scale.groups))
    case = Case(spine=str(spine_file(scale, cache)), groups=groups, layout=layout, scratch="", threads=told.threads)
    chosen = [each for each in CONTESTANTS if not told.only or {each.name, each.peer} & set(told.only)]
    values: dict[str, list[dict[str, Any]]] = {each.name: [] for each in chosen}
    for number in range(told.rounds):
        start = number * len(chosen) // told.rounds
        for each in chosen[start:] + chosen[:start]:
            if any("reason" in value for value in values[each.name]):
                continue
            values[each.name].append(one(each, case, told))
            print(f"{name} {layout} round {number + 1} {each.title}: {short(values[each.name][-1])}", flush=True)
    return {
        "scale": name,
        "layout": layout,
        **asdict(scale),
        "title": scale.title,
        "bytes": sum(Path(file).stat().st_size for file in (case.spine, *groups)),
        "contestants": [asdict(each) | {"name": each.name, "values": values[each.name]} for each in chosen],
        "references": {shows: answer(values.get(who, [])) for shows, who in REFERENCE.items()},
    }


def answer(values: list[dict[str, Any]]) -> str | None:
    """The rows that a contestant gave."""
    return next((value["rows_digest"] for value in values if "rows_digest" in value), None)


def one(each: Contestant, case: Case, told: argparse.Namespace) -> dict[str, Any]:
    """One process."""
    Path(told.cache).mkdir(parents=True, exist_ok=True)
    python = sys.executable if each.ours else told.peers_python
    with tempfile.TemporaryDirectory(dir=told.cache.resolve()) as scratch:
        folder = Path(scratch)
        asked, out = folder / "case.json", folder / "answer.json"
        Case(**asdict(case) | {"scratch": scratch}).save(asked)
        command = [python, str(HERE / "measure.py"), str(asked), each.name, str(told.limit_gb * 1000), str(out)]
        threads = {"POLARS_MAX_THREADS": str(case.threads), "OMP_NUM_THREADS": str(case.threads)}
        # Nobody's usage statistics are sent while we measure.
        env = os.environ | threads | {"FEAST_USAGE": "False"}
        try:
            done = subprocess.run(command, check=False, env=env, timeout=told.timeout, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            return {"reason": f"not done after {told.timeout:.0f} s"}
        if done.returncode == TOO_BIG:
            return {"reason": f"needs more than {told.limit_gb:g} GB"}
        if not out.exists():
            last = (done.stderr.strip() or "no message").splitlines()[-1][:200]
            return {"reason": f"ended with status {done.returncode}: {last}"}
        return json.loads(out.read_text(encoding="utf-8"))


def short(value: dict[str, Any]) -> str:
    """One measurement in a line."""
    return value.get("reason") or f"{value['seconds']:.2f} s, {value['peak_mb']:,.0f} MB"


if __name__ == "__main__":
    main()
