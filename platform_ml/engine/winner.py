"""Which of the declared families a published model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.family import Family
    from platform_ml.spec.tuned_model import TunedModel


def winner(model: TunedModel, record: Mapping[str, Any]) -> Family:
    """The family that a model's record names; `StoreError` when it does not compete any more."""
    name = record.get("family") or model.family.name
    if name not in model.competitors:
        raise StoreError(
            f"Model {model.name!r} was made by family {name!r}, which is not declared now. Materialize the model again."
        )
    return model.competitors[name].family
