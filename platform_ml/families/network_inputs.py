"""All features of a row as the columns of a network: numbers and categories first, then what is a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.families.design import Design
from platform_ml.families.encoding import Encoding
from platform_ml.families.inputs import check_label
from platform_ml.families.lists import Lists, is_list, together
from platform_ml.spec.errors import RowsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.families.lists import Image
    from platform_ml.spec.family import Rows


ROWS = 65_536
"""Rows that become columns at once."""


@dataclass(frozen=True, kw_only=True)
class NetworkInputs:
    """How rows become columns, as the training rows say."""

    features: tuple[str, ...]
    """All of them, in the order in which they were declared."""
    design: Design | None
    """Of numbers and categories; None: there are none."""
    lists: tuple[Lists, ...]

    @classmethod
    def of(cls, rows: pa.Table, *, user: str, max_levels: int, longest: int, image: Image | None) -> Self:
        """What these training rows need; `RowsError` when nothing in them is a list."""
        names = [field.name for field in rows.schema if is_list(field.type)]
        if not names:
            raise RowsError(
                f"{user} reads lists, but none of the {rows.num_columns} features is one. Declare an EventSequence, or "
                "use MultilayerPerceptron for numbers and categories."
            )
        design, plain = None, [name for name in rows.column_names if name not in names]
        if plain:
            encoding, values = Encoding.of(rows.select(plain), most=max_levels)
            design = Design.of(encoding, values)
        groups = [(name,) for name in names] if image else together(rows, names)
        lists = tuple(Lists.of(rows, some, longest=longest, image=image) for some in groups)
        return cls(features=tuple(rows.column_names), design=design, lists=lists)

    @property
    def table_width(self) -> int:
        """Columns of numbers and categories."""
        return 0 if self.design is None else len(self.design.means)

    @property
    def encoded_width(self) -> int:
        """Numbers and categories."""
        return 0 if self.design is None else len(self.design.encoding.features)

    @property
    def width(self) -> int:
        """Columns in all."""
        return self.table_width + sum(some.width for some in self.lists)

    @property
    def raw_width(self) -> int:
        """Columns of `raw`."""
        return self.encoded_width + sum(some.raw_width for some in self.lists)

    def raw(self, rows: pa.Table) -> NDArray[np.float32]:
        """(n, raw_width): encoded features, then the elements of lists; NaN where there is nothing."""
        import numpy as np

        table = [] if self.design is None else [self.design.encoding.matrix(rows)]
        return np.hstack([*table, *(some.raw(rows) for some in self.lists)])

    def columns(self, raw: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, width) of `raw` rows."""
        import numpy as np

        at = self.encoded_width
        parts = [] if self.design is None else [self.design.columns(raw[:, :at])]
        for some in self.lists:
            parts.append(some.columns(raw[:, at : at + some.raw_width]))
            at += some.raw_width
        return np.hstack(parts)

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """(width,) the columns that say how long lists are."""
        import numpy as np

        found, at = np.zeros(self.width, bool), self.table_width
        for some in self.lists:
            found[at + 1] = True
            at += some.width
        return found

    @property
    def shares(self) -> NDArray[np.float64]:
        """(width, features) to which feature each column belongs; that there are lists belongs to all of them alike."""
        import numpy as np

        found, place = np.zeros((self.width, len(self.features))), self.features.index
        if self.design is not None:
            owners = [self.design.encoding.features[owner] for owner in self.design.owners]
            found[np.arange(len(owners)), [place(name) for name in owners]] = 1
        at = self.table_width
        for some in self.lists:
            found[at, [place(name) for name in some.names]] = 1 / len(some.names)
            found[np.arange(at + 2, at + some.width), [place(name) for name in some.owners]] = 1
            at += some.width
        return found

    def unseen(self, rows: pa.Table) -> dict[str, int]:
        """Category → rows with a text that is no level."""
        return {} if self.design is None else self.design.encoding.unseen(rows)

    def check(self, file: Path, features: Sequence[str]) -> None:
        """Refuse a model of other features than are declared now."""
        if self.features != tuple(features):
            raise StoreError(
                f"{file} was learned from other features ({list(self.features)}) than are declared now "
                f"({list(features)}). Materialize the model again."
            )

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "features": self.features,
            "design": None if self.design is None else self.design.to_plain(),
            "lists": [some.to_plain() for some in self.lists],
        }

    @classmethod
    def from_plain(cls, file: Path, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` gave."""
        return cls(
            features=tuple(plain["features"]),
            design=None if plain["design"] is None else Design.from_plain(file, plain["design"]),
            lists=tuple(Lists.from_plain(some) for some in plain["lists"]),
        )


def network_inputs(
    train: Rows, *, user: str, max_levels: int, longest: int, image: Image | None = None
) -> NetworkInputs:
    """What the training rows need; what was found once for these rows is used again."""
    key = f"network inputs max_levels={max_levels} longest={longest} image={image}"
    if key not in train.cache:
        check_label(train, "train")
        train.cache[key] = NetworkInputs.of(
            train.features, user=user, max_levels=max_levels, longest=longest, image=image
        )
    found: NetworkInputs = train.cache[key]
    return found


def network_columns(inputs: NetworkInputs, rows: Rows) -> NDArray[np.float32]:
    """(n, width) of a split, built once; in 64 bits there are only some rows at a time."""
    import numpy as np

    known = rows.cache.get("network columns")
    if known is None or known[0] is not inputs:
        columns = np.empty((rows.features.num_rows, inputs.width), np.float32)
        for at in range(0, len(columns), ROWS):
            columns[at : at + ROWS] = inputs.columns(inputs.raw(rows.features.slice(at, ROWS)))
        known = rows.cache["network columns"] = inputs, columns
    found: NDArray[np.float32] = known[1]
    return found
