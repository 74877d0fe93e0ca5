"""Features as numbers: what is text becomes the place of its level, as the training rows had them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.families.inputs import check_known_somewhere, matrix
from platform_ml.spec.errors import RowsError, StoreError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MOST_LEVELS = 10_000
"""Of more different texts a column is rather a name than a category."""
BATCH = 65_536
"""Rows that are encoded at once where a library takes them piece by piece."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The features in their order, and the levels of those that are categories."""

    features: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    """Category → its levels: a text is encoded as the place of its level, counted from 0."""

    @classmethod
    def of(
        cls, rows: pa.Table, *, most: int = MOST_LEVELS, order_by: NDArray[np.float64] | None = None
    ) -> tuple[Self, NDArray[np.float32]]:
        """What `learned` says, and these rows encoded."""
        encoding = cls.learned(rows, most=most, order_by=order_by)
        values = encoding.matrix(rows)
        check_known_somewhere(values, encoding.features)
        return encoding, values

    @classmethod
    def learned(cls, rows: pa.Table, *, most: int = MOST_LEVELS, order_by: NDArray[np.float64] | None = None) -> Self:
        """What training rows need; they themselves are not encoded.

        Args:
            rows: of the training split, and of no other.
            most: so many levels are kept, the most frequent ones; the others are taken as missing.
            order_by: (n,) levels are sorted by their mean of it instead of by name: for two classes and for squared
                loss the best split of the levels in two is then one cut (Fisher 1958; Breiman et al. 1984, 4.2.2).
        """
        texts = [name for name in rows.column_names if is_text(rows.schema.field(name).type)]
        levels = {name: _levels(rows, name, most, order_by) for name in texts}
        return cls(features=tuple(rows.column_names), levels=levels)

    @property
    def categories(self) -> tuple[int, ...]:
        """The places of the categories among the features."""
        return tuple(place for place, name in enumerate(self.features) if name in self.levels)

    def matrix(self, rows: pa.Table) -> NDArray[np.float32]:
        """(n, features) float32: numbers, and places of levels; NaN where null or never seen in training."""
        import numpy as np

        encoded = {name: self._codes(rows, name) for name in self.levels}
        if not encoded:
            return matrix(rows, self.features)
        values = np.empty((rows.num_rows, len(self.features)), np.float32)
        plain = [name for name in self.features if name not in encoded]
        values[:, [self.features.index(name) for name in plain]] = matrix(rows, plain)
        for name, codes in encoded.items():
            values[:, self.features.index(name)] = codes
        return values

    def batches(self, rows: pa.Table) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Some rows at a time, encoded, with where they are: what `matrix` gives, and never all of it at once."""
        for start in range(0, rows.num_rows, BATCH):
            part = rows.slice(start, BATCH)
            yield slice(start, start + part.num_rows), self.matrix(part)

    def unseen(self, rows: pa.Table) -> dict[str, int]:
        """Category → rows with a text that is no level; only where there are some."""
        import numpy as np

        found = {}
        for name in self.levels:
            known = len(rows) - rows[name].null_count
            found[name] = known - int((~np.isnan(self._codes(rows, name))).sum())
        return {name: count for name, count in found.items() if count}

    def check(self, file: Path, features: Sequence[str]) -> None:
        """Refuse a model of other features than are declared now."""
        if self.features != tuple(features):
            raise StoreError(
                f"{file} was learned from other features ({list(self.features)}) than are declared now "
                f"({list(features)}). Materialize the model again."
            )

    def to_json(self) -> str:
        """One line."""
        return json.dumps({"features": self.features, "levels": self.levels}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, file: Path, text: str) -> Self:
        """Read back what `to_json` gave; the file is named when it cannot be."""
        try:
            plain: dict[str, Any] = json.loads(text)
            return cls(
                features=tuple(plain["features"]),
                levels={name: tuple(levels) for name, levels in plain["levels"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{file} does not say its features ({error!r}). Materialize the model again.") from error

    def _codes(self, rows: pa.Table, name: str) -> NDArray[np.float32]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = _text(rows, name).type
        if not (is_text(kind) or pa.types.is_null(kind)):
            raise RowsError(f"Feature {name!r} is {kind}, but in training it was text. Declare it as it was.")
        places = pc.index_in(_text(rows, name).cast("string"), value_set=pa.array(self.levels[name], "string"))
        codes: NDArray[np.float32] = places.cast("float").to_numpy().astype(np.float32)
        return codes


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A fitted model that knows how its rows are encoded."""

    encoding: Encoding

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """(n, features) what the model itself is fed with, and an export of it too."""
        return self.encoding.matrix(rows)

    def unseen(self, rows: pa.Table) -> dict[str, int]:
        """Category → rows with a text that training never saw; they are predicted as if it were missing."""
        return self.encoding.unseen(rows)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column is a category: text, plain or dictionary encoded."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _text(rows: pa.Table, name: str) -> pa.ChunkedArray:
    try:
        return rows[name]
    except KeyError:
        near = did_you_mean(name, rows.column_names)
        raise RowsError(f"The rows have no feature {name!r}, or more than one.{near}") from None


def _levels(rows: pa.Table, name: str, most: int, order_by: NDArray[np.float64] | None) -> tuple[str, ...]:
    import pyarrow as pa

    texts = pa.table(
        {"level": rows[name].cast("string"), "by": pa.array([0.0] * len(rows)) if order_by is None else order_by}
    )
    counted = texts.group_by("level").aggregate([("by", "mean"), ("level", "count")]).to_pylist()
    known = [(one["level"], one["level_count"], one["by_mean"]) for one in counted if one["level"] is not None]
    if len(known) > MOST_LEVELS and most == MOST_LEVELS:
        raise RowsError(
            f"Feature {name!r} has {len(known):,} different texts in {len(rows):,} training rows: a name rather than a "
            "category. Derive a number or a coarser category from it."
        )
    kept = sorted(known, key=lambda one: (-one[1], one[0]))[:most]
    return tuple(level for level, _, _ in sorted(kept, key=lambda one: (one[2], one[0])))
