"""This project's join: one row a spine row, in spine order, refusing ties that nothing decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from cases import CREATED, ENTITY, SEQUENCE, TIME
from platform_ml.engine.point_in_time import Side, join
from platform_ml.spec.history import History, PerRow, ValidTime

from platform_ml.engine.ports import Files

if TYPE_CHECKING:
    import pyarrow as pa
    from cases import Case


def safe(case: Case) -> pa.Table:
    """Valid time: ties are looked for in this very run, rows come in the order of the spine."""
    return join(pq.read_table(case.spine), _sides(case, History()), knowledge=ValidTime())


def bitemporal(case: Case) -> pa.Table:
    """What was known at each row's moment."""
    history = History(created=CREATED, sequence=SEQUENCE)
    return join(pq.read_table(case.spine), _sides(case, history), knowledge=PerRow())


def rows(answer: pa.Table) -> pa.Table:
    """The answer is Arrow already."""
    return answer


def _sides(case: Case, history: History) -> list[Side]:
    return [
        Side(
            files=Files(paths=[file], schema=pq.read_schema(file)),
            keys={ENTITY: ENTITY},
            event_time=TIME,
            columns={name: name for name in case.values(number)},
            history=history,
        )
        for number, file in enumerate(case.groups)
    ]
