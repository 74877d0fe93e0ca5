"""SHAP values of any model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.explainers.mixing import predicted, tied
from platform_ml.spec.attribution import LABEL, PROBABILITY, SCORE, Attribution
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.task import RANKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Predictor
    from platform_ml.spec.task import Task


@dataclass(frozen=True, kw_only=True)
class PermutationShap:
    """Features of a background row take on a row's values one after the other, in an order that is drawn, and back.

    What a prediction moves at the step of a feature, on average over background rows and orders, is its SHAP value
    (Strumbelj and Kononenko 2014); each order is also gone through backwards (Mitchell et al. 2022). One order is drawn
    for each background row, so that rows of all kinds are predicted at once, which shap's explainer does row by row.
    Lists of the same events take on the row's values together, and share what that moves.
    """

    name: ClassVar[str] = "permutation_shap"

    predictions: int = 300_000
    """The most that it may ask of the model: as many rows are explained as that is enough for."""

    def __post_init__(self) -> None:
        if self.predictions < 1:
            raise DeclarationError(f"PermutationShap: predictions is {self.predictions}. It has to be 1 or more.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return (
            "SHAP values by sampling: features of background rows are replaced one by one, in random orders and their "
            "reverse, by those of the row."
        )

    def suits(self, predictor: Predictor) -> bool:
        """Every model."""
        return True

    def most_rows(self, features: int, background: int) -> int | None:
        """As many as the predictions are enough for, and one at least."""
        return max(1, self.predictions // (background * 2 * features))

    def explain(
        self, predictor: Predictor, rows: pa.Table, background: pa.Table, *, task: Task, seed: int
    ) -> Attribution:
        """In the unit of predictions."""
        import numpy as np
        import pyarrow as pa

        both = pa.concat_tables([background.cast(rows.schema), rows]).combine_chunks()
        draw = np.random.default_rng(seed)
        many, width = rows.num_rows, rows.num_columns
        own = np.arange(background.num_rows, both.num_rows)
        outputs = _whole(predictor, both)
        players = tied(both)
        owner = np.empty(width, np.int64)
        for player, places in enumerate(players):
            owner[places] = player
        moved = np.zeros((many, len(players), outputs.shape[1]))
        for other in range(background.num_rows):
            order = draw.permutation(len(players))
            for way in (order, order[::-1]):
                first = np.broadcast_to(outputs[other], (1, many, outputs.shape[1]))
                path = _path(predictor, both, own, other, np.argsort(way)[owner])
                path = path.reshape(len(players) - 1, many, outputs.shape[1])
                moved[:, way] += np.diff(np.concatenate([first, path, outputs[own][None]]), axis=0).swapaxes(0, 1)
        shares = np.bincount(owner)[owner][:, None]  # columns of one player have the same share of what it moves
        values = moved[:, owner] / shares
        unit = PROBABILITY if task.in_classes else SCORE if task is RANKING else LABEL
        base = np.tile(outputs[: background.num_rows].mean(axis=0), (many, 1))
        return Attribution(values=values / (2 * background.num_rows), base=base, unit=unit)


def _whole(predictor: Predictor, rows: pa.Table) -> NDArray[np.float64]:
    import numpy as np

    return predicted(predictor, rows, np.tile(np.arange(rows.num_rows)[:, None], rows.num_columns))


def _path(
    predictor: Predictor, rows: pa.Table, own: NDArray[np.int64], other: int, rank: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(steps * n, outputs) predictions between the other row and each own one; `rank`: the step of each column."""
    import numpy as np

    steps = np.arange(rank.max())
    places = np.where(rank <= steps[:, None, None], own[:, None], other)
    return predicted(predictor, rows, places.reshape(-1, len(rank)))
