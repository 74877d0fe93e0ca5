"""One join in a process of its own: seconds, peak memory, and a digest of the rows that came out.

    python measure.py CASE PEER.VARIANT LIMIT_MB ANSWER

Only the call itself is timed, from the files to rows in memory. Importing is not, and the digest is made afterwards.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import platform
import resource
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
from cases import ROW, TIME, Case

if TYPE_CHECKING:
    from collections.abc import Callable

TOO_BIG = 75
"""The exit status of a process that went over its memory limit."""
PACKAGES = ("duckdb", "feast", "numpy", "pandas", "polars", "pyarrow")


def peak_mb() -> float:
    """The most memory that this process held, and the largest one of its children, in MB (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    status = Path("/proc/self/status")
    if status.exists():
        # Linux counts into ru_maxrss what the process was before exec; VmHWM begins anew.
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        own = int(line.split()[1]) * 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    return (own + children) / 1e6


def guard(limit_mb: float) -> None:
    """End the process when it holds more than the limit, before the machine runs out."""
    while peak_mb() < limit_mb:
        sleep(0.1)
    os._exit(TOO_BIG)


def digest(answer: pa.Table, case: Case) -> tuple[str, bool]:
    """A hash of the rows by row id, free of order, chunks and the ways to write a missing number; and the order."""
    ids = answer[ROW].to_numpy()
    in_order = bool((np.diff(ids) > 0).all())
    answer = answer.select(case.columns)
    if not in_order:
        answer = answer.take(pa.array(np.argsort(ids, kind="stable")))
    found = hashlib.sha256(str(answer.num_rows).encode())
    for name in case.columns:
        column = answer[name]
        if name == TIME:
            column = column.cast(pa.timestamp("us", "UTC")).cast("int64")
        elif pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), None, column.cast("float64"))
        else:
            column = column.cast("int64")
        found.update(pc.is_null(column).to_numpy().tobytes())
        found.update(pc.fill_null(column, 0).to_numpy().tobytes())
    return found.hexdigest()[:16], in_order


def measured(name: str, case: Case, limit_mb: float) -> dict[str, Any]:
    """Prepare, join, and say what it took."""
    module, variant = name.split(".")
    peer = importlib.import_module(f"peers.{module}")
    call: Callable[..., Any] = getattr(peer, variant)
    started = perf_counter()
    prepared = (peer.prepare(case),) if "prepare" in dir(peer) else ()
    prepare = perf_counter() - started
    threading.Thread(target=guard, args=(limit_mb,), daemon=True).start()
    before, started, busy = peak_mb(), perf_counter(), process_time()
    answer = call(case, *prepared)
    found = {
        "seconds": perf_counter() - started,
        "cpu_seconds": process_time() - busy,
        "peak_mb": peak_mb(),
        "imported_mb": before,
        "prepare_seconds": prepare,
        "python": platform.python_version(),
        "versions": dict(_versions()),
    }
    if "rows" in dir(peer):
        found["rows_digest"], found["in_order"] = digest(peer.rows(answer), case)
    return found


def _versions() -> Any:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def main() -> None:
    """Write the answer, or the reason why there is none."""
    case_file, name, limit, answer = sys.argv[1:]
    try:
        found = measured(name, Case.load(Path(case_file)), float(limit))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason in the table
        words = (str(error).strip() or "no message").splitlines()[0][:200]
        found = {"reason": f"{type(error).__name__}: {words}"}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
