"""The rows of feature groups on their way into a join: read once, in pieces that fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.feature_group import columns_sql, types
from platform_ml.engine.point_in_time import KNOWN_FROM, KNOWN_TO, Joined, Side, answers, merged, stored_name
from platform_ml.engine.ports import CREATED, PARTITION, Files
from platform_ml.engine.spine import Spine
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.history import Committed, ValidTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot
    from platform_ml.spec.feature_group import FeatureGroup, Selection
    from platform_ml.spec.feature_view import FeatureView

CELLS = 1 << 28
"""Values of one group that are held at once: 2 GB. A larger group is read in pieces, by a hash of its keys."""


def read_sides(
    view: FeatureView, spine: pa.Table, tables: Mapping[str, Snapshot], keys: Mapping[str, Sequence[str]], *, work: Work
) -> pa.Table:
    """The spine with the columns of every selection, from these partitions of these pinned tables."""
    columns: dict[str, pa.Array] = {}
    asked = Spine(spine)
    for group in view.groups:
        chosen = [selection for selection in view.selections if selection.group == group]
        parts: list[list[Joined]] = [[] for _ in chosen]
        for rows in _pieces(group, view, chosen, tables[group.name], keys[group.name], work):
            sides = [Side(selection=selection, rows=rows) for selection in chosen]
            found = answers(asked, sides, view.knowledge)
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
    work: Work,
) -> Iterator[pa.Table]:
    stored = [name for s in chosen for f in s.columns.values() for name in (stored_name(group, f), *f.columns())]
    rules = group.rules
    wanted = dict.fromkeys([*group.keys, *([EVENT_TIME] if rules else []), *(rules.columns if rules else ()), *stored])
    names = [name for name in wanted if name in types(group)]
    lives = rules is not None and isinstance(rules.known, Committed) and not isinstance(view.knowledge, ValidTime)
    rows, relations = _relation(group, snapshot, keys, work, lives=lives)
    shown = columns_sql([*names, *((KNOWN_FROM, KNOWN_TO) if lives else ())])
    count = sum(state.rows for key in keys for state in snapshot.states(key)[0 if lives else -1 :])
    pieces = -(-count * len(names) // CELLS) or 1
    for piece in range(pieces):
        some = f" WHERE hash({columns_sql(group.keys)}) % {pieces} = {piece}" if pieces > 1 and group.keys else ""
        yield work.platform.compute.query(f"SELECT {shown} FROM {rows}{some}", relations).table()
        if not some:
            return


def _relation(
    group: FeatureGroup, snapshot: Snapshot, keys: Sequence[str], work: Work, *, lives: bool
) -> tuple[str, dict[str, Relation]]:
    if not lives:
        return "raw", {"raw": Files(paths=snapshot.paths(keys), schema=snapshot.schema)}
    import pyarrow as pa

    found: list[tuple[str, object, object, object]] = []
    paths = []
    for key in keys:
        # A compaction writes the same rows again: they keep the time at which they became known.
        states = list({state.created: state for state in snapshot.states(key)}.values())
        ends = [state.created for state in states[1:]]
        for number, (state, end) in enumerate(zip(states, [*ends, None], strict=True)):
            trusted = number == 0 and _trusted(group, key)
            found.append((key, state.created, None if trusted else state.created, end))
            paths += [str(snapshot.folder / file.path) for file in state.files]
    time = pa.timestamp("us", tz="UTC")
    kinds = {"_key": pa.string(), "_at": time, KNOWN_FROM: time, KNOWN_TO: time}
    columns = list(zip(*found, strict=True)) or [()] * len(kinds)
    table = pa.table(
        {name: pa.array(values, kind) for (name, kind), values in zip(kinds.items(), columns, strict=True)}
    )
    joined = f"(FROM raw JOIN lives ON raw.{PARTITION} = lives._key AND raw.{CREATED} = lives._at)"
    return joined, {"raw": Files(paths=paths, schema=snapshot.schema), "lives": table}


def _trusted(group: FeatureGroup, key: str) -> bool:
    """Whether the first rows of a partition were loaded as history, which was known in its day."""
    known = group.rules.known if group.rules else None
    return isinstance(known, Committed) and group.cadence is not None and group.cadence.day(key) < known.since
