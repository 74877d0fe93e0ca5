"""A model knows more than the rows that it was trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.gates.one_number import judged
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Measured
from platform_ml.spec.naming import check_known
from platform_ml.spec.training_dataset import TEST, TRAIN

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Verdict

ADVICE = (
    "Fit it less closely (fewer rounds, smaller trees, more regularisation), or train on more rows. If the validation "
    "score is near that of training, the test period differs: look at drift."
)


@dataclass(frozen=True)
class NotOverfitted:
    """On the training rows a metric is better than on the test rows by at most `limit`, in the unit of the metric.

    The interval is that of the test rows: training rows have none that would mean anything.
    """

    metric: str
    limit: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.limit) and self.limit > 0):
            raise DeclarationError(f"NotOverfitted on {self.metric!r}: limit is {self.limit}; it is above 0.")

    @property
    def name(self) -> str:
        """roc_auc_not_overfitted."""
        return f"{self.metric}_not_overfitted"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"On the training rows, {self.metric} is better than on the test rows by at most {self.limit:g}."

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an unknown metric."""
        known = [metric.name for metric in evaluation.metrics]
        check_known(f"Evaluation {evaluation.name!r}", "metric", [self.metric], known)

    def judge(self, result: EvaluationResult) -> Verdict:
        """Fail where the test rows cannot be as good as the limit asks for, whatever luck they had."""
        test, train = result.test(self.metric), result.splits.get(TRAIN)
        trained = train.metrics[self.metric].value if train and self.metric in train.metrics else None
        higher_is_better = result.goals.get(self.metric) == "maximize"

        def lead(tested: float | None) -> float | None:
            if trained is None or tested is None:
                return None
            return trained - tested if higher_is_better else tested - trained

        best, worst = (test.high, test.low) if higher_is_better else (test.low, test.high)
        return judged(
            self.name,
            Measured(value=lead(test.value), low=lead(best), high=lead(worst)),
            what=f"The lead in {self.metric} of the training rows over the test rows",
            limit=self.limit,
            at_least=False,
            rows=result.splits[TEST].rows,
            advice=ADVICE,
        )
