"""A month of files into a table: this project beside plain DuckDB COPY and dlt, on the same files in one run.

    .venv/bin/python benchmarks/ingestion.py [--rows 3100000] [--rounds 3] [--forms csv parquet jsonl] [--order random]
    python -m venv build/dlt && build/dlt/bin/pip install "dlt[filesystem,parquet]==1.31.0" duckdb==2.0.0

`rows` of ten columns (numbers, decimals, times, text with quotes) come in 31 daily files, clean ones and in no order.
DuckDB reads them in the declared types and copies them into one Parquet file. dlt reads them with its file readers (in
Arrow where they can) and loads Parquet files. This project judges every row, sorts by key, checks, measures, hashes and
commits 31 partitions at once; "dirty" is the same with one row in a thousand spoilt, "one file" the same
rows as one partition. Each measurement is a process of its own; contestants take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from platform_ml import Column, Daily, Double, Integer, Source, Text, Timestamp
from platform_ml.formats import CSV, JSONLines, Parquet
from platform_ml.spec.schema import Boolean, Decimal

ROOT = Path(__file__).resolve().parents[1]
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(31)]
FORMS = {"csv": CSV(), "parquet": Parquet(), "jsonl": JSONLines()}
OPTIONS = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet", "jsonl": "FORMAT json"}
SHOPS = ("Aachen", "Bonn", "Essen", "Köln")
DLT = ('"dlt[filesystem,parquet]==1.31.0"', "duckdb==2.0.0")
EVENTS = """
    SELECT i + {first} AS event_id, TIMESTAMP '{day} 00:00:00' + to_microseconds((hash(i) % 86400000000)::BIGINT) AS at,
           (hash(i, 1) % 200000)::BIGINT AS customer_id, {shops}[(hash(i, 2) % {many} + 1)::INT] AS shop,
           ((hash(i, 3) % 1000000) / 100)::DECIMAL(12, 2) * {sign} AS price, (hash(i, 4) % 20 + 1)::BIGINT AS quantity,
           CASE WHEN hash(i, 5) % 20 <> 0 THEN (hash(i, 6) % 1000000007) / 10007.0 END::DOUBLE AS weight,
           ['red', 'green "new"', 'blue, large'][(hash(i, 7) % 3 + 1)::INT] || ' item ' || hash(i, 8) % 5000 AS title,
           CASE WHEN hash(i, 9) % 3 = 0 THEN 'left at the door, ring twice' END AS note, hash(i, 10) % 2 = 0 AS paid
    FROM range({first}, {first} + {rows}) AS events(i) ORDER BY {order}"""


def feed(form: str, *, whole: bool) -> Source:
    """The declaration of the files; as one file they have no cadence."""
    columns = (
        Column("event_id", Integer()),
        Column("at", Timestamp()),
        Column("customer_id", Integer(), minimum=0),
        Column("shop", Text(), allowed=SHOPS),
        Column("price", Decimal(12, 2), minimum=0),
        Column("quantity", Integer(), minimum=1, maximum=1_000),
        Column("weight", Double(), nullable=True),
        Column("title", Text()),
        Column("note", Text(), nullable=True),
        Column("paid", Boolean()),
    )
    timed: dict[str, Any] = {} if whole else {"event_time": "at", "cadence": Daily(first=DAYS[0])}
    description = "Things that were sold."
    return Source(name="feed", description=description, format=FORMS[form], columns=columns, key=("event_id",), **timed)


def make(folder: Path, form: str, rows: int, order: str) -> None:
    """The files of a form: `clean/bench/feed/<day>`, `dirty/bench/feed/<day>` and `whole/bench/feed`."""
    import duckdb

    database = duckdb.connect()
    for place, spoilt in (("clean", False), ("dirty", True)):
        home = folder / place / "bench" / "feed"
        home.mkdir(parents=True)
        for number, day in enumerate(DAYS):
            sql = EVENTS.format(
                first=number * (rows // 31),
                day=day,
                shops=list(SHOPS),
                many=len(SHOPS),
                rows=rows // 31,
                order="hash(i, 11)" if order == "random" else "i",
                sign="CASE WHEN hash(i, 12) % 1000 = 0 THEN -1 ELSE 1 END" if spoilt else 1,
            )
            database.execute(f"COPY ({sql}) TO '{home / str(day)}{FORMS[form].suffix}' ({OPTIONS[form]})")
    whole = folder / "whole" / "bench"
    whole.mkdir(parents=True)
    database.execute("SET TimeZone = 'UTC'")
    copied = f"COPY (FROM {_read(folder, form)}) TO '{whole / 'feed'}{FORMS[form].suffix}' ({OPTIONS[form]})"
    database.execute(copied)


def _read(folder: Path, form: str) -> str:
    paths = [str(path) for path in sorted((folder / "clean" / "bench" / "feed").glob("*"))]
    types = ", ".join(f"'{name}': '{kind.sql}'" for name, kind in feed(form, whole=True).types.items())
    return {
        "csv": f"read_csv({paths}, header = true, auto_detect = false, columns = {{{types}}})",
        "parquet": f"read_parquet({paths})",
        "jsonl": f"read_json({paths}, format = 'newline_delimited', columns = {{{types}}})",
    }[form]


def plain(folder: Path, form: str, out: Path) -> Any:
    """DuckDB alone."""
    import duckdb

    def run() -> int:
        database = duckdb.connect()
        database.execute("SET TimeZone = 'UTC'")
        (count,) = database.execute(f"COPY (FROM {_read(folder, form)}) TO '{out}/all.parquet'").fetchone() or (0,)
        return int(count)

    return run


def ours(folder: Path, form: str, out: Path, place: str) -> Any:
    """From the landing zone to the commit, with all checks and statistics."""
    import pandas as pd  # noqa: F401 - what a worker has loaded
    import pyarrow.compute as pc  # noqa: F401
    import pyarrow.parquet as pq  # noqa: F401
    from deltalake import DeltaTable  # noqa: F401

    from platform_ml.adapters.delta import DeltaTables
    from platform_ml.adapters.duckdb import DuckDB
    from platform_ml.adapters.folders import Folders
    from platform_ml.engine.platform import Platform, Work
    from platform_ml.engine.ports import WHOLE, Stamp
    from platform_ml.engine.source import materialize_source

    whole = place == "whole"
    platform = Platform(
        landing=folder / place,
        tables=DeltaTables(out / "tables"),
        compute=DuckDB(),
        artifacts=Folders(out / "artifacts"),
        tracker=None,  # type: ignore[arg-type]
        registry=None,  # type: ignore[arg-type]
    )
    work = Work(project="bench", platform=platform, say=lambda _: None)
    stamp = Stamp(run_id="1", asset="feed", fingerprint="1", code_version="1", token=1)

    def run() -> int:
        keys = [WHOLE] if whole else list(map(str, DAYS))
        (done,) = materialize_source(feed(form, whole=whole), keys, work=work, stamp=stamp)
        if done.snapshot is None:
            raise SystemExit("; ".join(one.reason for one in done.stopped))
        return sum(state.rows for state in done.snapshot.partitions.values())

    return run


def dlt(folder: Path, form: str, out: Path) -> Any:
    """Its file readers, in Arrow where they can, into Parquet files; runs where only dlt is installed."""
    import dlt as library
    from dlt.sources.filesystem import filesystem, read_csv_duckdb, read_jsonl, read_parquet

    big = 100_000
    reader = {
        "csv": lambda: read_csv_duckdb(chunk_size=big, use_pyarrow=True, header=True),
        "parquet": lambda: read_parquet(chunksize=big, use_pyarrow=True),
        "jsonl": lambda: read_jsonl(chunksize=10_000),
    }[form]()
    files = filesystem(bucket_url=str(folder / "clean" / "bench" / "feed"), file_glob="*")
    to = library.destinations.filesystem(bucket_url=str(out / "loaded"))
    pipeline = library.pipeline("bench", destination=to, dataset_name="bench", pipelines_dir=str(out / "state"))

    def run() -> int:
        pipeline.run((files | reader).with_name("feed"), loader_file_format="parquet")
        return int(pipeline.last_trace.last_normalize_info.row_counts["feed"])

    return run


def child(name: str, form: str, folder: Path) -> None:
    """Run one contestant and print what it took."""
    with tempfile.TemporaryDirectory() as out:
        known = {"plain": plain, "dlt": dlt}
        run = known[name](folder, form, Path(out)) if name in known else ours(folder, form, Path(out), name)
        started = perf_counter()
        rows = run()
        seconds = perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "peak": used.ru_maxrss / 1024}))


def main() -> None:
    """Make the files, let the contestants take turns, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=3_100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--order", choices=("random", "key"), default="random")
    parser.add_argument("--dlt-python", type=Path, default=ROOT / "build" / "dlt" / "bin" / "python")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], options.child[1], Path(options.child[2]))
        return
    names = {"plain": "DuckDB COPY", "dlt": "dlt", "clean": "this project", "dirty": "… dirty", "whole": "… one file"}
    if not options.dlt_python.exists():
        print(f"dlt is not there ({options.dlt_python}). Install it, or name its Python with --dlt-python:")
        print(f"  python -m venv build/dlt && build/dlt/bin/pip install {' '.join(DLT)}")
        names.pop("dlt")
    print(f"{options.rows:,} rows in 31 files, {os.cpu_count()} cores, order {options.order}, rounds {options.rounds}")
    print(f"{'':>8} {'':<14}{'best s':>8}{'median':>8}{'of COPY':>9}{'CPU s':>7}{'peak MB':>9}")
    for form in options.forms:
        with tempfile.TemporaryDirectory() as scratch:
            make(Path(scratch), form, options.rows, options.order)
            show(form, names, measured(form, list(names), options, Path(scratch)))


def measured(form: str, names: list[str], options: Any, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Every value of every round; each round begins with another contestant."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for number in range(options.rounds):
        at = number % len(names)
        for name in names[at:] + names[:at]:
            python = options.dlt_python if name == "dlt" else sys.executable
            command = [str(python), __file__, "--child", name, form, str(folder)]
            env = os.environ | {"PYTHONPATH": str(ROOT)}
            answer = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout
            found[name].append(json.loads(answer.splitlines()[-1]))
    return found


def show(form: str, names: dict[str, str], found: dict[str, list[dict[str, float]]]) -> None:
    """A line each; the ratio is of the best rounds, and more is better."""
    base = min(one["seconds"] for one in found["plain"])
    for name, said in names.items():
        rounds = found[name]
        best = min(one["seconds"] for one in rounds)
        middle = median(one["seconds"] for one in rounds)
        cpu, peak = min(one["cpu"] for one in rounds), max(one["peak"] for one in rounds)
        print(f"{form:>8} {said:<14}{best:>8.2f}{middle:>8.2f}{base / best:>9.2f}{cpu:>7.1f}{peak:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
