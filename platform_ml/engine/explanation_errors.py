"""The test rows that a model is most wrong about, and what moved their predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.card_text import number
from platform_ml.engine.explanation_rows import known, short
from platform_ml.families.lists import is_list
from platform_ml.spec.explanation import Moved, WorstError
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.explanation_rows import Explained
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.attribution import Attribution

    Numbers = NDArray[np.float64]

MOST_MOVED = 5
LONGEST = 60


def worst_errors(about: Explained, explain: Callable[[pa.Table], Attribution]) -> tuple[WorstError, ...]:
    """Of all test rows, the worst first; equally bad ones in their order."""
    import numpy as np

    test = about.test
    errors = wrong_by(test, about.prediction)
    places = np.argsort(-errors, kind="stable")[: about.declared.worst]
    places = places[errors[places] > 0]
    if not len(places):
        return ()
    rows = test.features.take(places)
    found = explain(rows)
    shown = {name: _shown(rows[name]) for name in rows.column_names}
    return tuple(
        WorstError(
            row=int(place),
            entity=_entity(about, int(place)),
            moment=moment.isoformat() if moment else "",
            truth=_truth(test, int(place)),
            prediction=test.classes[output] if test.classes else short(float(about.prediction[place])),
            error=short(float(errors[place])),
            output=test.classes[output] if test.classes else "",
            moved=tuple(
                Moved(feature=name, value=shown[name][at], by=short(by))
                for name, by in _greatest(rows.column_names, found.values[at, :, output])
            ),
        )
        for at, (place, moment) in enumerate(zip(places, test.event_time.take(places).to_pylist(), strict=True))
        for output in [int(about.prediction[place].argmax()) if test.classes else 0]
    )


def wrong_by(test: SplitRows, prediction: Numbers) -> Numbers:
    """(n,) how wrong each prediction is, 0 or more, in the sense of `WorstError.error`."""
    import numpy as np

    if test.task is MULTICLASS:
        return np.asarray(1 - prediction[np.arange(len(test.label)), test.label.astype(np.int64)])
    if test.task is RANKING:
        return _lost_gain(test, prediction)
    if test.task is BINARY and (prediction.min() < 0 or prediction.max() > 1):  # a score: its place among all
        prediction = np.searchsorted(np.sort(prediction), prediction) / len(prediction)
    return np.asarray(np.abs(prediction - test.label))


def _lost_gain(test: SplitRows, prediction: Numbers) -> Numbers:
    """Relevance times what the discount of its place falls short of that in the best order (DCG, its base 2)."""
    import numpy as np

    group = np.zeros(len(prediction), np.int64) if test.group is None else test.group

    def discount(by: Numbers) -> Numbers:
        order = np.lexsort((np.arange(len(by)), -by, group))
        _, starts, sizes = np.unique(group[order], return_index=True, return_counts=True)
        found = np.empty(len(by))
        found[order] = 1 / np.log2(np.arange(len(by)) - np.repeat(starts, sizes) + 2)
        return found

    # Rows of one relevance may stand in any order among themselves: the best order keeps that of the model.
    spread = np.ptp(prediction) or 1.0
    best = test.label + (prediction - prediction.min()) / spread * 1e-6
    return np.asarray(np.maximum(0.0, test.label * (discount(best) - discount(prediction))))


def _truth(test: SplitRows, place: int) -> str | float:
    label = float(test.label[place])
    if test.classes:
        return test.classes[int(label)]
    return str(bool(label)).lower() if test.task is BINARY else short(label)


def _entity(about: Explained, place: int) -> str:
    if not about.declared.entities:
        return ""
    called = about.test.called
    return str(about.test.entity[place] if called is None else called[place].as_py())


def _greatest(names: list[str], values: Numbers) -> list[tuple[str, float]]:
    found = sorted(zip(names, values.tolist(), strict=True), key=lambda item: (-abs(item[1]), item[0]))
    return [(name, by) for name, by in found[:MOST_MOVED] if by]


def _shown(column: pa.ChunkedArray) -> list[str]:
    listed = is_list(column.type)

    def text(value: str | float | None) -> str:
        if value is None:
            return "missing"
        if listed:
            return f"a list of {value:.0f}"
        if isinstance(value, str):
            return value[:LONGEST]
        return number(int(value)) if value.is_integer() else number(value)

    return [text(value) for value in known(column)]
