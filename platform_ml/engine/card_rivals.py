"""What a card says of what its model is compared with: baselines, and itself without some features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.tuned_model import TunedModel


def card_rivals(model: TunedModel, evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each with its scores on the test rows and the lead of the model, baselines first."""
    left_out = {one.name: one.left_out(model.dataset.view) for one in model.ablations}
    baselines = [
        {"kind": "baseline", "name": name, "said": name, "score": score}
        for name, score in evaluation["baselines"].items()
    ]
    ablations = [
        {"kind": "ablation", "name": name, "said": f"without {', '.join(left_out.get(name, (name,)))}", "score": score}
        for name, score in evaluation.get("ablations", {}).items()
    ]
    return [*baselines, *ablations]
