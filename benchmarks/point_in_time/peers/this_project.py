"""This project's join: one row a spine row, in the order of the spine, refusing ties that nothing decides."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from cases import CREATED, ENTITY, TIME

from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Field
from platform_ml.formats import Parquet
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.history import History, PerRow, ValidTime
from platform_ml.spec.schema import Column, Double, Integer, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

if TYPE_CHECKING:
    import pyarrow as pa
    from cases import Case


def safe(case: Case) -> pa.Table:
    """Valid time; ties are looked for in this very run."""
    return join(pq.read_table(case.spine), _sides(case, History()), knowledge=ValidTime(), threads=case.threads)


def bitemporal(case: Case) -> pa.Table:
    """What was known at each row's moment."""
    sides = _sides(case, History(created=CREATED))
    return join(pq.read_table(case.spine), sides, knowledge=PerRow(), threads=case.threads)


def rows(answer: pa.Table) -> pa.Table:
    """The answer is Arrow already."""
    return answer


def _sides(case: Case, history: History) -> list[Side]:
    return [_side(case, number, history) for number in range(len(case.groups))]


def _side(case: Case, number: int, history: History) -> Side:
    values = case.values(number)
    source = Source(
        name=f"source{number}",
        description="Generated.",
        format=Parquet(),
        columns=(
            Column(ENTITY, Integer()),
            Column(TIME, Timestamp()),
            Column(CREATED, Timestamp()),
            *(Column(name, Double()) for name in values),
        ),
        key=(ENTITY, TIME),
        event_time=TIME,
        cadence=Daily(first=date(2024, 1, 1), last=date(2024, 12, 30)),
    )
    group = FeatureGroup(
        name=f"g{number}",
        description="Generated.",
        source=source,
        entity=ENTITY,
        features=tuple(Field(of=name) for name in values),
        cadence=source.cadence,
        history=history,
    )
    columns = [ENTITY, TIME, *history.columns, *values]
    return Side(selection=group.select(*values), rows=pq.read_table(case.groups[number], columns=columns))
