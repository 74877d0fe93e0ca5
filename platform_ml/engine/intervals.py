"""How far predictions are off on rows that had no part in the model, and the ranges that follow from it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

from platform_ml.engine.slicing import shown
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.intervals import Width

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.intervals import Conformal

    Numbers = NDArray[np.float64]

FILE = "intervals.json"
DIGITS = 15
"""Hexadecimal digits of a hash that say where an entity goes."""
VALUES: int = 16**DIGITS


def kept_apart(declared: Conformal, validation: SplitRows, *, seed: int) -> tuple[SplitRows, SplitRows]:
    """The validation rows that the search may see, and those that only the intervals may: an entity is on one side."""
    import numpy as np

    called = validation.entity.tolist() if validation.called is None else validation.called.to_pylist()
    apart = {who: _drawn(seed, who) < declared.share for who in set(called)}
    flags = np.array([apart[who] for who in called], dtype=bool)
    return validation.taken(np.flatnonzero(~flags)), validation.taken(np.flatnonzero(flags))


def _drawn(seed: int, who: object) -> float:
    """In [0, 1), the same for an entity in every dataset."""
    return int(digest(["intervals", seed, str(who)])[:DIGITS], 16) / VALUES


def groups_of(by: tuple[str, ...], features: pa.Table) -> list[str]:
    """(n,) the group of each row; without columns all rows are one."""
    if not by:
        return [""] * features.num_rows
    columns = [features[name].to_pylist() for name in by]
    return [" and ".join(map(shown, values)) for values in zip(*columns, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """A declaration with the widths that were found."""

    declared: Conformal
    widths: tuple[Width, ...]
    """That of all rows first."""

    @classmethod
    def of(cls, declared: Conformal, predictor: Predictor, apart: SplitRows) -> Self:
        """Widths by the rows kept apart; `RowsError` when they are too few to promise anything."""
        import numpy as np

        count = len(apart.label)
        if count < declared.fewest:
            raise RowsError(
                f"Intervals that hold {declared.coverage:g} of the truths need {declared.fewest} validation rows kept "
                f"apart, and there are {count}. Widen the validation split, or raise share."
            )
        prediction = np.asarray(predictor.predict(apart.features), dtype=np.float64)
        off = np.abs(apart.label - prediction)
        if declared.relative:
            off = np.divide(off, np.abs(prediction), out=np.full_like(off, np.inf), where=prediction != 0)
        if not np.isfinite(off).all():
            raise RowsError("Intervals need errors that are finite numbers: a prediction is not finite, or is 0.")
        whole = Width(group="", rows=count, half=_half(declared, off))
        if not declared.by:
            return cls(declared=declared, widths=(whole,))
        groups = np.array(groups_of(declared.by, apart.features))
        counts = sorted(Counter(groups.tolist()).items())
        own = [
            Width(group=group, rows=rows, half=_half(declared, off[groups == group]))
            if rows >= declared.min_rows
            else replace(whole, group=group, rows=rows, own=False)
            for group, rows in counts
        ]
        return cls(declared=declared, widths=(whole, *own))

    def bounds(self, prediction: Numbers, features: pa.Table) -> Numbers:
        """(n, 2) the least and the greatest likely number; a group that was not met has the width of all rows."""
        import numpy as np

        whole, *groups = self.widths
        half = np.full(len(prediction), whole.half)
        if groups:
            known = {one.group: one.half for one in groups}
            half[:] = [known.get(group, whole.half) for group in groups_of(self.declared.by, features)]
        if self.declared.relative:
            half *= np.abs(prediction)
        return np.column_stack([prediction - half, prediction + half])

    def save(self, folder: Path) -> Path:
        """Write `intervals.json`."""
        file = folder / FILE
        plain = {"rule": self.declared.rule, "widths": [asdict(one) for one in self.widths]}
        file.write_text(json.dumps(plain, indent=1, sort_keys=True, allow_nan=False), encoding="utf-8")
        return file

    @classmethod
    def load(cls, declared: Conformal, file: Path) -> Self:
        """Read back what `save` wrote; it has to be of this declaration."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            rule, widths = plain["rule"], tuple(Width(**one) for one in plain["widths"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no intervals ({error!r}). Materialize the model again.") from error
        if rule != declared.rule or not widths or widths[0].group:
            raise StoreError(f"{file} is of other intervals than are declared now. Materialize the model again.")
        return cls(declared=declared, widths=widths)


def _half(declared: Conformal, off: Numbers) -> float:
    import numpy as np

    return float(np.sort(off)[declared.place(len(off)) - 1])
