"""What a model would be without some of its features: fitted again with the parameters that the search chose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known, check_name, check_unique

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.feature_view import FeatureView


@dataclass(frozen=True)
class Without:
    """The model without a feature group, or without single features.

    >>> Without("customer_behaviour").name, Without(features=("age",)).name
    ('no_customer_behaviour', 'no_age')
    """

    group: str = ""
    """All features of this group; the label's name: those that its own event brings along."""
    features: tuple[str, ...] = field(default=(), kw_only=True)
    called: str = field(default="", kw_only=True)
    """What is left out, in a word; needed for several features that are no group."""

    def __post_init__(self) -> None:
        if not self.group and not self.features:
            raise DeclarationError("Without() leaves nothing out. Name a feature group, or features=(...).")
        if self.group and self.features:
            raise DeclarationError(f"Without({self.group!r}) names a group and features. Use two ablations.")
        if len(self.features) > 1 and not self.called:
            raise DeclarationError(f"Without(features={self.features!r}): say in called= what they are, in a word.")
        check_unique("Without()", "feature", self.features)
        check_name("Ablation", self.name)

    @property
    def name(self) -> str:
        """Of tables and files; runs are called `ablation-no-...`."""
        return f"no_{self.called or self.group or self.features[0]}"

    def left_out(self, view: FeatureView) -> tuple[str, ...]:
        """The features of a view that it leaves out; `DeclarationError` when there are none such, or no others."""
        where = f"Feature view {view.name!r}"
        known = groups(view)
        if self.group:
            check_known(where, "feature group that a model sees,", [self.group], known)
        check_known(where, "feature", self.features, view.feature_names)
        out = known[self.group] if self.group else self.features
        if len(out) == len(view.feature_names):
            raise DeclarationError(
                f"Ablation {self.name!r} leaves out all {len(out)} features of {view.name!r}, so nothing is left to "
                "learn from. Leave out fewer; a naive rival is a baseline."
            )
        return out


def groups(view: FeatureView) -> Mapping[str, tuple[str, ...]]:
    """What the features of a view come from → their names; of its own event: under the label's name."""
    found: dict[str, tuple[str, ...]] = {}
    if view.label.attributes:
        found[view.label.name] = tuple(view.label.attributes)
    for selection in view.feature_selections:
        found[selection.group.name] = (*found.get(selection.group.name, ()), *selection.columns)
    return found
