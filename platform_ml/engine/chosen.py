"""The features that were chosen, with the reasons, and models that see no others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.attribution import explained_by, interactions
from platform_ml.spec.errors import NotPortable, StoreError
from platform_ml.spec.family import Categorical, Portable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.feature_selection import FeatureSelection

FILE = "selection.json"


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What became of one feature."""

    feature: str
    score: float
    kept: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """All features of a dataset, the best one first, and which of them models see."""

    selection: str
    """The name of the declaration."""
    method: str
    """What ranked them in the end."""
    rule: str
    picks: tuple[Pick, ...]
    kept: tuple[str, ...]
    """In the order of the view."""
    notes: tuple[str, ...] = ()
    asked: tuple[Mapping[str, Any], ...] = ()
    """What a language model was asked and answered, word for word."""

    @property
    def dropped(self) -> dict[str, str]:
        """Feature → why no model sees it."""
        return {pick.feature: pick.reason for pick in self.picks if not pick.kept}

    def to_json(self) -> str:
        """The same text for the same choice."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False)

    def save(self, folder: Path) -> Path:
        """Write `selection.json`."""
        file = folder / FILE
        file.write_text(self.to_json(), encoding="utf-8")
        return file

    @classmethod
    def load(cls, selection: FeatureSelection, file: Path) -> Self:
        """Read back what `save` wrote; it has to be of this selection and of the features of its dataset."""
        try:
            plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            picks = tuple(Pick(**pick) for pick in plain.pop("picks"))
            lists: dict[str, Any] = {name: tuple(plain.pop(name)) for name in ("kept", "notes", "asked")}
            made = cls(picks=picks, **lists, **plain)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no chosen features ({error!r}). Materialize the model again.") from error
        known = selection.dataset.view.feature_names
        if made.selection != selection.name or {pick.feature for pick in made.picks} != set(known):
            raise StoreError(f"{file} is of another selection than is declared now. Materialize the model again.")
        return made


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """A fitted model that sees some features: it takes rows with all of them."""

    kept: tuple[str, ...]
    predictor: Predictor
    chosen: Chosen | None = None
    """Why these; None: another part of the model says so."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """Of the features that it sees."""
        return self.predictor.predict(self._seen(rows))

    def save(self, folder: Path) -> Path:
        """Write the model, and `selection.json` beside it; return the model's file."""
        if self.chosen is not None:
            self.chosen.save(folder)
        return self.predictor.save(folder)

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Of all columns of the rows: 0 for those that it does not see."""
        import numpy as np

        found = self.predictor.contributions(self._seen(rows))
        if found is None:
            return None
        every = np.zeros((*found.shape[:-1], rows.num_columns))
        every[..., self._places(rows)] = found
        return every

    def unseen(self, rows: pa.Table) -> Mapping[str, int]:
        """Of the categories that it sees."""
        return self.predictor.unseen(self._seen(rows)) if isinstance(self.predictor, Categorical) else {}

    def onnx(self) -> bytes:
        """The graph of the model itself: its input has a column for each feature that it sees."""
        return self._portable.onnx()

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """What the graph is fed with."""
        return self._portable.inputs(self._seen(rows))

    @property
    def explained_by(self) -> str | None:
        """As the model itself says."""
        return explained_by(self.predictor)

    def attribution(self, rows: pa.Table) -> Attribution:
        """Of all columns of the rows: 0 for those that it does not see."""
        import numpy as np

        predictor: Any = self.predictor
        found: Attribution = predictor.attribution(self._seen(rows))
        every = np.zeros((rows.num_rows, rows.num_columns, found.values.shape[2]))
        every[:, self._places(rows)] = found.values
        return replace(found, values=every)

    def interactions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Of all columns of the rows."""
        import numpy as np

        found = interactions(self.predictor, self._seen(rows))
        if found is None:
            return None
        every = np.zeros((rows.num_rows, rows.num_columns, rows.num_columns))
        places = self._places(rows)
        every[:, places[:, None], places] = found
        return every

    def _places(self, rows: pa.Table) -> NDArray[np.int64]:
        import numpy as np

        return np.asarray([rows.column_names.index(name) for name in self.kept])

    def _seen(self, rows: pa.Table) -> pa.Table:
        # Families find columns by name and say which one is missing.
        return rows.select([name for name in self.kept if name in rows.column_names])

    @property
    def _portable(self) -> Portable:
        predictor: Any = self.predictor
        if not isinstance(predictor, Portable):
            raise NotPortable("This family has no ONNX graph")
        return predictor
