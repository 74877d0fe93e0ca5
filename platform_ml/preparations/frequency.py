"""Categories as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.preparations.columns import check_of, found
from platform_ml.spec.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.spec.preparation import State

MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Frequency:
    """A text becomes the share of training rows that have it: 0 for one that none of them has; null stays null."""

    name: ClassVar[str] = "frequency"
    helpers: ClassVar[tuple[str, ...]] = ()

    of: tuple[str, ...]

    def __post_init__(self) -> None:
        check_of("Frequency", self.of)

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"{', '.join(self.of)}: texts replaced by how frequent they are in the training rows."

    def fit(self, train: pa.Table) -> State:
        """Feature → text → share."""
        shares = {}
        for name in self.of:
            counted = _texts(train, name).drop_null().value_counts().to_pylist()
            shares[name] = {one["values"]: one["counts"] / train.num_rows for one in counted}
            if len(counted) > MOST:
                raise RowsError(
                    f"Frequency: feature {name!r} has {len(counted):,} different texts. Derive a coarser one."
                )
        return shares

    def apply(self, rows: pa.Table, state: Mapping[str, Any]) -> pa.Table:
        """Look each text up."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for name in self.of:
            known = pa.array(state[name], pa.string())
            shares = pa.array([*state[name].values(), 0.0], pa.float64())
            texts = _texts(rows, name)
            place = pc.fill_null(pc.index_in(texts, value_set=known), len(known))
            share = pc.if_else(pc.is_null(texts), pa.scalar(None, pa.float64()), shares.take(place.combine_chunks()))
            rows = rows.set_column(rows.column_names.index(name), name, share)
        return rows


def _texts(rows: pa.Table, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    values = found(rows, name)
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise RowsError(f"Frequency is for texts, and feature {name!r} is {kind}.")
    return values.cast("string")
