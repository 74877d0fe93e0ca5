"""Features that are lists, as tensors that networks read: sequences cut and padded, images in their shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.errors import RowsError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Image = tuple[int, int, int]
"""Height, width and channels."""


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Lists that belong together element by element: `steps` places, a channel for each list.

    As columns of a row they are: 1 where there is a list (else 0), how many places are filled, then place after place
    its channels: each number less its mean, divided by its standard deviation, 0 for a null, and a mark of nulls for
    lists that ever had one. Sequences keep their newest elements, and fill places from the first one on.
    """

    names: tuple[str, ...]
    steps: int
    means: tuple[float, ...]
    scales: tuple[float, ...]
    ever_null: tuple[int, ...]
    """The places, among the names, of lists with a null inside."""
    image: Image | None = None
    """The list is the pixels of an image, row by row, channels last."""

    @classmethod
    def of(cls, rows: pa.Table, names: Sequence[str], *, longest: int, image: Image | None = None) -> Self:
        """What these training rows need."""
        import numpy as np

        most = int(lengths(rows, names[0]).max(initial=1))
        steps = min(longest, max(1, most)) if image is None else int(np.prod(image))
        bare = cls(names=tuple(names), steps=steps, means=(), scales=(), ever_null=(), image=image)
        raw = bare.raw(rows)
        filled = raw[:, 1:].reshape(len(raw), steps, len(names))[np.arange(steps) < raw[:, :1]].astype(np.float64)
        for channel, name in enumerate(names):
            if np.isnan(filled[:, channel]).all():
                raise RowsError(
                    f"Feature {name!r} is null in all {rows.num_rows:,} training rows. Look at its source, or drop it."
                )
        spread = np.nanstd(filled, axis=0)
        return cls(
            names=bare.names,
            steps=steps,
            means=tuple(np.nanmean(filled, axis=0).tolist()),
            scales=tuple(np.where(spread > 0, spread, 1.0).tolist()),
            ever_null=tuple(np.flatnonzero(np.isnan(filled).any(axis=0)).tolist()),
            image=image,
        )

    @property
    def channels(self) -> int:
        """Numbers and marks of each place."""
        return len(self.names) + len(self.ever_null)

    @property
    def width(self) -> int:
        """Columns of a row."""
        return 2 + self.steps * self.channels

    @property
    def raw_width(self) -> int:
        """Columns of a row as `raw` has them."""
        return 1 + self.steps * len(self.names)

    @property
    def owners(self) -> list[str | None]:
        """The list that each channel is made of, place after place."""
        return [*self.names, *(self.names[place] for place in self.ever_null)] * self.steps

    def raw(self, rows: pa.Table) -> NDArray[np.float32]:
        """(n, raw_width): how many places are filled, then their numbers, NaN where null and where nothing is."""
        import numpy as np

        found = np.full((rows.num_rows, self.steps, len(self.names)), np.nan, np.float32)
        counts = [lengths(rows, name) for name in self.names]
        for name, count in zip(self.names, counts, strict=True):
            if (count != counts[0]).any():
                raise RowsError(
                    f"Features {self.names[0]!r} and {name!r} belong together in training, but here their lists have "
                    "other lengths. Take them from the same events."
                )
        if self.image is not None and not np.isin(counts[0], (0, self.steps)).all():
            odd = counts[0][~np.isin(counts[0], (0, self.steps))][0]
            raise RowsError(f"Feature {self.names[0]!r} has a list of {odd} numbers: {self.image} takes {self.steps}.")
        kept = np.minimum(counts[0], self.steps)
        row = np.repeat(np.arange(len(kept)), kept)
        place = np.arange(int(kept.sum())) - np.repeat(np.cumsum(kept) - kept, kept)
        source = np.repeat(np.cumsum(counts[0]) - kept, kept) + place
        for channel, name in enumerate(self.names):
            found[row, place, channel] = _numbers(rows, name)[source]
        return np.hstack([kept[:, None].astype(np.float32), found.reshape(len(kept), self.raw_width - 1)])

    def columns(self, raw: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, width) of `raw` rows."""
        import numpy as np

        count = raw[:, :1].astype(np.float64)
        values = raw[:, 1:].reshape(len(raw), self.steps, len(self.names)).astype(np.float64)
        gone = np.isnan(values)
        scaled = (np.where(gone, self.means, values) - self.means) / np.asarray(self.scales)
        there = (np.arange(self.steps) < count)[..., None]
        marked = np.concatenate([scaled, gone[..., list(self.ever_null)]], axis=2) * there
        return np.hstack([count > 0, count, marked.reshape(len(raw), self.width - 2)])

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return dict(vars(self))

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` gave."""
        image = plain["image"]
        made = cls(
            names=tuple(plain["names"]),
            steps=int(plain["steps"]),
            means=tuple(map(float, plain["means"])),
            scales=tuple(map(float, plain["scales"])),
            ever_null=tuple(map(int, plain["ever_null"])),
            image=None if image is None else (int(image[0]), int(image[1]), int(image[2])),
        )
        if not len(made.names) == len(made.means) == len(made.scales):
            raise ValueError("lists and their means are not of one number")
        return made


def is_list(kind: pa.DataType) -> bool:
    """Whether a column has a list of numbers in each row."""
    from pyarrow import types

    listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(listed and (types.is_floating(kind.value_type) or types.is_integer(kind.value_type)))


def together(rows: pa.Table, names: Sequence[str]) -> list[tuple[str, ...]]:
    """The lists that have equal lengths in all training rows, in the order of their first ones."""
    found: dict[bytes, list[str]] = {}
    for name in names:
        found.setdefault(lengths(rows, name).tobytes(), []).append(name)
    return [tuple(some) for some in found.values()]


def lengths(rows: pa.Table, name: str) -> NDArray[np.int64]:
    """(n,) 0 where there is no list."""
    import numpy as np
    import pyarrow.compute as pc

    column = _column(rows, name)
    return np.asarray(pc.list_value_length(column).fill_null(0).to_numpy(), dtype=np.int64)


def _numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    """All elements, row after row."""
    import numpy as np
    import pyarrow.compute as pc

    values = np.asarray(pc.list_flatten(_column(rows, name)).cast("double", safe=False).to_numpy(), dtype=np.float64)
    if np.isinf(values).any():
        raise RowsError(f"Feature {name!r} has infinite values. Look for a division by zero, and make it null.")
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise RowsError(f"Feature {name!r} has values beyond 3.4e38, the greatest a model takes. Scale it.")
    return values


def _column(rows: pa.Table, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        column = rows[name]
    except KeyError:
        raise RowsError(
            f"The rows have no feature {name!r}, or more than one.{did_you_mean(name, rows.column_names)}"
        ) from None
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), pa.list_(pa.float64()))])
    if not is_list(column.type):
        raise RowsError(f"Feature {name!r} is {column.type}, but in training it was a list. Declare it as it was.")
    return column
