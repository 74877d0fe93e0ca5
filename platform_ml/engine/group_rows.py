"""The rows of feature groups on their way into a join: read once, in pieces that fit into memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from platform_ml.engine.feature_group import columns_sql, types
from platform_ml.engine.knowledge import by_commit, lives
from platform_ml.engine.match import match
from platform_ml.engine.point_in_time import KNOWN_FROM, KNOWN_TO, Joined, Side, answer, merged, stored_name
from platform_ml.engine.ports import CREATED, PARTITION, Files
from platform_ml.spec.errors import StoreError
from platform_ml.spec.feature_group import EVENT_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.knowledge import Life
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.feature_group import FeatureGroup, Selection
    from platform_ml.spec.feature_view import FeatureView

CELLS = 1 << 28
"""Values of one group that are held at once: 2 GB. A larger group is read in pieces, by a hash of its keys."""


def read_sides(
    view: FeatureView,
    spine: pa.Table,
    tables: Mapping[str, Snapshot],
    keys: Mapping[str, Sequence[str]],
    *,
    until: datetime,
    work: Work,
) -> pa.Table:
    """The spine, up to this moment, with the columns of every selection, from these partitions of pinned tables."""
    columns: dict[str, pa.Array] = {}
    for group in view.groups:
        chosen = [selection for selection in view.selections if selection.group == group]
        parts: list[list[Joined]] = [[] for _ in chosen]
        for rows in _pieces(group, view, chosen, tables[group.name], keys[group.name], until, work):
            sides = [Side(selection=selection, rows=rows) for selection in chosen]
            with ThreadPoolExecutor() as pool:
                found = list(pool.map(lambda side: answer(spine, side, view.knowledge), sides))
            for part, joined in zip(parts, found, strict=True):
                part.append(joined)
                part[:] = [merged(part)]
        for part in parts:
            columns |= part[0].columns
    for name in view.joined:
        spine = spine.append_column(name, columns[name])
    return spine


def _pieces(
    group: FeatureGroup,
    view: FeatureView,
    chosen: Sequence[Selection],
    snapshot: Snapshot,
    keys: Sequence[str],
    until: datetime,
    work: Work,
) -> Iterator[pa.Table]:
    stored = [name for s in chosen for f in s.columns.values() for name in (stored_name(group, f), *f.columns())]
    rules = group.rules
    wanted = dict.fromkeys([*group.keys, *([EVENT_TIME] if rules else []), *(rules.columns if rules else ()), *stored])
    names = [name for name in wanted if name in types(group)]
    committed = by_commit(group, view)
    shown = columns_sql([*names, *((PARTITION, CREATED) if committed else ())])
    alive = [life for key in keys for life in lives(group, view, snapshot, key, until)]
    paths = [str(snapshot.folder / file.path) for life in alive for file in life.state.files]
    raw = Files(paths=paths, schema=snapshot.schema)
    pieces = -(-sum(life.state.rows for life in alive) * len(names) // CELLS) or 1
    for piece in range(pieces):
        some = f" WHERE hash({columns_sql(group.keys)}) % {pieces} = {piece}" if pieces > 1 and group.keys else ""
        # Without a join, so that rows come in the order of files and of rows in them: the last of equals may win.
        rows = work.platform.compute.query(f"SELECT {shown} FROM raw{some}", {"raw": raw}).table()
        yield _with_lives(rows, alive) if committed else rows
        if not some:
            return


def _with_lives(rows: pa.Table, alive: Sequence[Life]) -> pa.Table:
    """Say of each row from when to when it was the truth, instead of which commit wrote it."""
    import numpy as np
    import pyarrow as pa

    time = pa.timestamp("us", tz="UTC")
    keys = pa.chunked_array([[life.key for life in alive]], pa.string())
    commits = pa.chunked_array([[life.state.created for life in alive]], time)
    found = match([keys, commits], [rows[PARTITION], rows[CREATED]], (len(alive), rows.num_rows), nulls=False)
    if (found.rows < 0).any():
        raise StoreError("A file holds rows that its commit did not write. Restore the table from a backup.")
    place = np.empty(found.count, np.int64)
    place[found.spine] = np.arange(len(alive))
    which = pa.array(place[found.rows])
    for name, moments in ((KNOWN_FROM, [x.start for x in alive]), (KNOWN_TO, [x.end for x in alive])):
        rows = rows.append_column(name, pa.array(moments, time).take(which))
    return rows.drop_columns([PARTITION, CREATED])
