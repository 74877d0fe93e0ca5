"""The rows of feature groups on their way into a join: read once, in pieces that fit into memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from platform_ml.engine.feature_group import columns_sql, types
from platform_ml.engine.match import Keys
from platform_ml.engine.point_in_time import (
    KNOWN_FROM,
    KNOWN_TO,
    Joined,
    Side,
    answers,
    merged,
    stored_name,
    with_columns,
)
from platform_ml.engine.ports import CREATED, PARTITION, Files
from platform_ml.engine.spine import Spine
from platform_ml.spec.errors import StoreError
from platform_ml.spec.feature_group import EVENT_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.knowledge import Life, Lives
    from platform_ml.engine.ports import Compute
    from platform_ml.spec.feature_group import FeatureGroup, Selection
    from platform_ml.spec.history import Knowledge

CELLS = 1 << 28
"""Values of one group that are held at once: 2 GB. A larger group is read in pieces, by a hash of its keys."""
GROUPS = 2
"""Groups that are read and joined at the same time: while one waits for the disk, the other computes."""


def joined_rows(
    spine: pa.Table,
    selections: Sequence[Selection],
    lives: Mapping[str, Lives],
    *,
    knowledge: Knowledge,
    compute: Compute,
) -> pa.Table:
    """The spine with the columns of every selection; each group is read once, two of them at the same time."""
    asked = Spine(spine)
    groups = {selection.group.name: selection.group for selection in selections}
    for selection in selections:
        asked.questions(selection)  # before groups run side by side

    def columns_of(group: FeatureGroup) -> dict[str, pa.Array]:
        chosen = [selection for selection in selections if selection.group == group]
        parts: list[Joined] | None = None
        for rows in _pieces(group, chosen, lives[group.name], compute):
            found = answers(asked, [Side(selection=one, rows=rows) for one in chosen], knowledge)
            parts = [merged(pair) for pair in zip(parts, found, strict=True)] if parts else found
        return {name: column for part in parts or () for name, column in part.columns.items()}

    with ThreadPoolExecutor(GROUPS) as pool:
        columns = {name: column for found in pool.map(columns_of, groups.values()) for name, column in found.items()}
    return with_columns(spine, {name: columns[name] for selection in selections for name in selection.columns})


def _pieces(group: FeatureGroup, chosen: Sequence[Selection], of: Lives, compute: Compute) -> Iterator[pa.Table]:
    stored = [name for s in chosen for f in s.columns.values() for name in (stored_name(group, f), *f.columns())]
    rules = group.rules
    wanted = dict.fromkeys([*group.keys, *([EVENT_TIME] if rules else []), *(rules.columns if rules else ()), *stored])
    there = types(group)
    names = [name for name in wanted if name in there]
    shown = columns_sql([*names, *((PARTITION, CREATED) if of.committed else ())])
    raw = Files(paths=of.paths, schema=of.snapshot.schema)
    pieces = -(-of.rows * len(names) // CELLS) or 1
    for piece in range(pieces):
        some = f" WHERE hash({columns_sql(group.keys)}) % {pieces} = {piece}" if pieces > 1 and group.keys else ""
        # Without a join, so that rows come in the order of files and of rows in them: the last of equals may win.
        rows = compute.query(f"SELECT {shown} FROM raw{some}", {"raw": raw}).table()
        yield _with_lives(rows, of.lives) if of.committed else rows
        if not some:
            return


def _with_lives(rows: pa.Table, alive: Sequence[Life]) -> pa.Table:
    """Say of each row from when to when it was the truth, instead of which commit wrote it."""
    import numpy as np
    import pyarrow as pa

    time = pa.timestamp("us", tz="UTC")
    keys = Keys.of(
        [
            pa.chunked_array([[x.key for x in alive]], pa.string()),
            pa.chunked_array([[x.state.created for x in alive]], time),
        ],
        len(alive),
        nulls=False,
    )
    found = keys.find([rows[PARTITION], rows[CREATED]], rows.num_rows)
    if (found < 0).any():
        raise StoreError("A file holds rows that its commit did not write. Restore the table from a backup.")
    place = np.empty(keys.count, np.int64)
    place[keys.codes] = np.arange(len(alive))
    which = pa.array(place[found])
    for name, moments in ((KNOWN_FROM, [x.start for x in alive]), (KNOWN_TO, [x.end for x in alive])):
        rows = rows.append_column(name, pa.array(moments, time).take(which))
    return rows.drop_columns([PARTITION, CREATED])
