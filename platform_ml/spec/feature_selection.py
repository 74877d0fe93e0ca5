"""Which of the features of a dataset a model sees, chosen by its training rows alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_known, check_name, check_unique

if TYPE_CHECKING:
    from platform_ml.spec.selection import SelectionMethod
    from platform_ml.spec.training_dataset import TrainingDataset


@dataclass(frozen=True, kw_only=True)
class FeatureSelection:
    """The best features of a dataset by one method, up to a number, a share or a score; an asset of its own.

    Without any of these limits the method itself says which features to leave out, as far as it can.
    """

    name: str
    description: str = field(metadata=PROSE)
    dataset: TrainingDataset
    method: SelectionMethod
    keep: int | None = None
    """So many are kept at most, those of `always` included."""
    share: float | None = None
    """This share of the features is kept at most, rounded up."""
    threshold: float | None = None
    """Those with at least this score are kept."""
    always: tuple[str, ...] = ()
    """Kept, whatever the method says."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_name("Feature selection", self.name)
        where = f"Feature selection {self.name!r}"
        known = self.dataset.view.feature_names
        check_known(f"Feature view {self.dataset.view.name!r}", "feature", self.always, known)
        check_unique(where, "always", self.always)
        said = [name for name in ("keep", "share", "threshold") if getattr(self, name) is not None]
        if len(said) > 1:
            raise DeclarationError(f"{where} says both {said[0]} and {said[1]}. Say one of them.")
        if not said and not self.method.decides:
            raise DeclarationError(
                f"{where}: {self.method.name} ranks features and drops none. Say keep=, share= or threshold=."
            )
        self._check_limits(where, len(known))

    def _check_limits(self, where: str, features: int) -> None:
        if self.keep is not None and self.keep < 1:
            raise DeclarationError(f"{where} keeps nothing: keep={self.keep}. Keep 1 or more.")
        if self.keep is not None and self.keep > features:
            raise DeclarationError(
                f"{where}: keep={self.keep}, but feature view {self.dataset.view.name!r} has {features} features. Keep "
                "fewer, or drop the selection."
            )
        if self.share is not None and not 0 < self.share <= 1:
            raise DeclarationError(f"{where}: share={self.share} has to be above 0, and 1 at most.")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise DeclarationError(f"{where}: threshold={self.threshold} has to be a finite number.")
        if self.most is not None and len(self.always) > self.most:
            raise DeclarationError(
                f"{where} keeps {self.most} features, but {len(self.always)} are to be kept always. Keep more."
            )

    @property
    def most(self) -> int | None:
        """How many are kept at most; None: no number was said."""
        if self.share is not None:
            return math.ceil(self.share * len(self.dataset.view.feature_names))
        return self.keep

    @property
    def rule(self) -> str:
        """Method and limits, in words."""
        if self.most is not None:
            limit = f"At most {self.most} are kept."
        elif self.threshold is not None:
            limit = f"Those with a score of {self.threshold:g} or more are kept."
        else:
            limit = "The method says which are kept."
        also = f" Always kept: {', '.join(self.always)}." if self.always else ""
        return f"{self.method.rule} {limit}{also}"
