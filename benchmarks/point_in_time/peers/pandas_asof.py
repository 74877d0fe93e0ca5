"""pandas' merge_asof, which wants both sides sorted by time as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
from cases import ENTITY, ROW, TIME

if TYPE_CHECKING:
    from cases import Case


def plain(case: Case) -> pd.DataFrame:
    """One merge a group; rows come in time order."""
    answer = pd.read_parquet(case.spine).sort_values(TIME)
    for number, file in enumerate(case.groups):
        group = pd.read_parquet(file, columns=[ENTITY, TIME, *case.values(number)]).sort_values(TIME)
        answer = pd.merge_asof(answer, group, on=TIME, by=ENTITY)
    return answer


def ordered(case: Case) -> pd.DataFrame:
    """The same, in the order of the spine."""
    return plain(case).sort_values(ROW, ignore_index=True)


def rows(answer: pd.DataFrame) -> pa.Table:
    """The answer as Arrow; pandas writes a missing number as NaN."""
    return pa.Table.from_pandas(answer, preserve_index=False)
