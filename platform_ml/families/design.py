"""Features as columns that a sum can weigh: filled, told apart by level, centred and scaled, as training rows were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.families.encoding import Encoding
from platform_ml.families.inputs import check_label
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows


@dataclass(frozen=True, kw_only=True)
class Design:
    """One column for each number, for each number that was ever null, and for each level of a category.

    A null number is its median, a missing or unseen level none of the levels; then each column loses its mean and is
    divided by its standard deviation. All of it is of the training rows.
    """

    encoding: Encoding
    medians: tuple[float, ...]
    """Of the numbers, in the order of the features."""
    ever_null: tuple[int, ...]
    """The places, among the features, of the numbers that are null somewhere."""
    means: tuple[float, ...]
    scales: tuple[float, ...]
    """1 for a column that does not vary."""

    @classmethod
    def of(cls, encoding: Encoding, values: NDArray[np.float32]) -> Self:
        """What these encoded training rows say."""
        import numpy as np

        numbers = values[:, _numbers(encoding)].astype(np.float64)
        null = np.flatnonzero(np.isnan(numbers).any(axis=0)).tolist()
        bare = cls(
            encoding=encoding,
            medians=tuple(np.nanmedian(numbers, axis=0).tolist()),
            ever_null=tuple(_numbers(encoding)[place] for place in null),
            means=(),
            scales=(),
        )
        columns = bare._columns(values)
        spread = columns.std(axis=0)
        return cls(
            encoding=encoding,
            medians=bare.medians,
            ever_null=bare.ever_null,
            means=tuple(columns.mean(axis=0).tolist()),
            scales=tuple(np.where(spread > 0, spread, 1.0).tolist()),
        )

    @property
    def owners(self) -> list[int]:
        """The place of the feature that each column is made of."""
        levels = [place for place in self.encoding.categories for _ in self.encoding.levels[self._name(place)]]
        return [*_numbers(self.encoding), *self.ever_null, *levels]

    def columns(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, columns) of encoded rows."""
        import numpy as np

        scaled: NDArray[np.float64] = (self._columns(values) - np.asarray(self.means)) / np.asarray(self.scales)
        return scaled

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "encoding": self.encoding.to_json(),
            "medians": self.medians,
            "ever_null": self.ever_null,
            "means": self.means,
            "scales": self.scales,
        }

    @classmethod
    def from_plain(cls, file: Path, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` gave."""
        encoding = Encoding.from_json(file, plain["encoding"])
        made = cls(
            encoding=encoding,
            medians=_floats(plain["medians"]),
            ever_null=tuple(int(place) for place in plain["ever_null"]),
            means=_floats(plain["means"]),
            scales=_floats(plain["scales"]),
        )
        numbers, width = _numbers(encoding), len(made.owners)
        if not (len(made.medians) == len(numbers) and len(made.means) == len(made.scales) == width):
            raise StoreError(f"{file} does not fit together. Materialize the model again.")
        return made

    def onnx(self, onnx: Any, source: str, target: str) -> tuple[list[Any], list[Any]]:
        """The same columns as nodes of a graph, and the tensors that they need."""
        import numpy as np

        node, tensors, parts = onnx.helper.make_node, [], []

        def given(name: str, values: Any, kind: Any = np.float32) -> str:
            tensors.append(onnx.numpy_helper.from_array(np.asarray(values, dtype=kind), name))
            return name

        nodes = []
        numbers = _numbers(self.encoding)
        if numbers:
            nodes += [
                node("Gather", [source, given("numbers", numbers, np.int64)], ["found"], axis=1),
                node("IsNaN", ["found"], ["gone"]),
                node("Where", ["gone", given("medians", [self.medians]), "found"], ["filled"]),
            ]
            parts.append("filled")
        if self.ever_null:
            nodes += [
                node("Gather", [source, given("ever_null", self.ever_null, np.int64)], ["sometimes"], axis=1),
                node("IsNaN", ["sometimes"], ["is_null"]),
                node("Cast", ["is_null"], ["null_columns"], to=onnx.TensorProto.FLOAT),
            ]
            parts.append("null_columns")
        for place in self.encoding.categories:
            codes = np.arange(len(self.encoding.levels[self._name(place)]))[None]
            nodes += [
                node("Gather", [source, given(f"place_{place}", [place], np.int64)], [f"code_{place}"], axis=1),
                node("Equal", [f"code_{place}", given(f"codes_{place}", codes)], [f"is_{place}"]),
                node("Cast", [f"is_{place}"], [f"levels_{place}"], to=onnx.TensorProto.FLOAT),
            ]
            parts.append(f"levels_{place}")
        nodes += [
            node("Concat", parts, ["raw"], axis=1),
            node("Sub", ["raw", given("means", [self.means])], ["centred"]),
            node("Div", ["centred", given("scales", [self.scales])], [target]),
        ]
        return nodes, tensors

    def _columns(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        import numpy as np

        numbers = values[:, _numbers(self.encoding)].astype(np.float64)
        parts = [np.where(np.isnan(numbers), np.asarray(self.medians), numbers)]
        parts.append(np.isnan(values[:, list(self.ever_null)]).astype(np.float64))
        for place in self.encoding.categories:
            codes = np.arange(len(self.encoding.levels[self._name(place)]))
            parts.append((values[:, [place]] == codes).astype(np.float64))
        return np.hstack(parts)

    def _name(self, place: int) -> str:
        return self.encoding.features[place]


def designed(train: Rows, max_levels: int) -> tuple[Design, NDArray[np.float64]]:
    """The columns of the training rows; what was built once for these rows is used again."""
    key = f"design max_levels={max_levels}"
    if key not in train.cache:
        check_label(train, "train")
        encoding, values = Encoding.of(train.features, most=max_levels)
        design = Design.of(encoding, values)
        train.cache[key] = design, design.columns(values)
    design, columns = train.cache[key]
    return design, columns


def _numbers(encoding: Encoding) -> list[int]:
    return [place for place in range(len(encoding.features)) if place not in encoding.categories]


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
