"""Explanations that a family gives itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.attribution import Attributing, explained_by
from platform_ml.spec.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.task import Task


class Own:
    """Asks the model; what stands for unknown values is what its training left in it, so no background is needed."""

    name: ClassVar[str]

    def suits(self, predictor: Predictor) -> bool:
        """Those that are explained in this way."""
        return explained_by(predictor) == self.name

    def most_rows(self, features: int, background: int) -> int | None:
        """As many as are asked."""
        return None

    def explain(
        self, predictor: Predictor, rows: pa.Table, background: pa.Table, *, task: Task, seed: int
    ) -> Attribution:
        """What the model says; nothing is drawn."""
        if not isinstance(predictor, Attributing) or not self.suits(predictor):
            raise Refused(
                f"{type(self).__name__} does not suit this model, which is explained by "
                f"{explained_by(predictor) or 'sampling'}. Leave the method of the Explanation open, or use "
                "PermutationShap."
            )
        return predictor.attribution(rows)
