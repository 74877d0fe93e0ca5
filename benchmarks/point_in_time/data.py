"""Seeded Parquet files for the join: made once, kept for the next run.

python benchmarks/point_in_time/data.py --scale small --layout sorted --cache build/bench
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cases import CREATED, ENTITY, LAYOUTS, ROW, SCALES, TIME, Scale, values

if TYPE_CHECKING:
    from numpy.typing import NDArray

MADE = 2
"""Part of every file name: one more when the generator changes."""
YEAR = 365 * 86_400 * 1_000_000
START = 1_704_067_200_000_000
"""2024-01-01 in microseconds."""
DELAY = 6 * 3_600 * 1_000_000
"""How long it takes on average until a row is known, in microseconds."""
ROW_GROUP = 1 << 17
"""Rows, as in the platform's tables."""
CLOCK = pa.timestamp("us", "UTC")


def spine_file(scale: Scale, cache: Path) -> Path:
    """Entities at random moments of the year, in no order but that of their row id."""
    return cache / f"v{MADE}_spine_{scale.spine}_{scale.entities}.parquet"


def group_file(scale: Scale, number: int, layout: str, cache: Path) -> Path:
    """One feature group; no entity has two rows of one moment, so that every correct join gives the same."""
    return cache / f"v{MADE}_group{number}_{scale.rows}_{scale.entities}_{layout}.parquet"


def make(scale: Scale, layout: str, cache: Path) -> None:
    """Write the files that are not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    file = spine_file(scale, cache)
    if not file.exists():
        draw = np.random.default_rng([MADE, scale.spine])
        who = draw.integers(0, scale.entities, scale.spine)
        times = START + draw.integers(0, YEAR, scale.spine)
        columns = {ROW: pa.array(np.arange(scale.spine)), ENTITY: pa.array(who), TIME: _clock(times)}
        _write(pa.table(columns), file)
    for number in range(scale.groups):
        file = group_file(scale, number, layout, cache)
        if not file.exists():
            _write(_group(scale, number, layout), file)


def _group(scale: Scale, number: int, layout: str) -> pa.Table:
    draw = np.random.default_rng([MADE, scale.rows, number])
    who = draw.integers(0, scale.entities, scale.rows)
    times = START + draw.integers(0, YEAR, scale.rows)
    order = np.lexsort((times, who))
    who, times = who[order], times[order]
    del order
    _part(who, times)
    created = times + draw.exponential(DELAY, scale.rows).astype(np.int64)
    columns = {ENTITY: who, TIME: times, CREATED: created}
    columns |= {name: draw.standard_normal(scale.rows) for name in values(number)}
    if layout == "shuffled":
        order = draw.permutation(scale.rows)
        columns = {name: column[order] for name, column in columns.items()}
    arrays = {name: _clock(column) if name in {TIME, CREATED} else pa.array(column) for name, column in columns.items()}
    return pa.table(arrays)


def _part(who: NDArray[np.int64], times: NDArray[np.int64]) -> None:
    """Move the later one of two equal moments of an entity by a microsecond, until none are equal."""
    while True:
        again = np.flatnonzero((who[1:] == who[:-1]) & (times[1:] <= times[:-1])) + 1
        if not len(again):
            return
        times[again] = times[again - 1] + 1


def _clock(microseconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(microseconds).cast(CLOCK)


def _write(rows: pa.Table, file: Path) -> None:
    """Whole or not at all: a run that is killed leaves nothing that looks like a file."""
    part = file.with_suffix(".part")
    pq.write_table(rows, part, compression="zstd", row_group_size=ROW_GROUP)
    part.replace(file)


def main() -> None:
    """Make the files of one scale."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--scale", choices=SCALES, default="small")
    ask.add_argument("--layout", choices=LAYOUTS, default="sorted")
    ask.add_argument("--cache", type=Path, default=Path(os.environ.get("BENCH_CACHE", "build/bench")))
    told = ask.parse_args()
    make(SCALES[told.scale], told.layout, told.cache)


if __name__ == "__main__":
    main()
