"""The same path from a view to the registry, for another question."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.registration import Registration

NOUNS = ("view", "dataset", "model", "evaluation", "card", "registration")


def variant(of: Registration, name: str, **changes: Mapping[str, Any]) -> Registration:
    """A registration with nouns of its own, NAME_view to NAME_card, each as that of another one but for some fields.

    `changes` are by noun: view, dataset, model, evaluation, card and registration. What is not said is as there, also
    what the card says; every noun is checked as if it was written out.
    """
    check_known(f"Variant {name!r}", "noun", changes, NOUNS)
    some = {noun: changes.get(noun, {}) for noun in NOUNS}
    before = of.card.evaluation
    view = replace(before.model.dataset.view, name=f"{name}_view", **some["view"])
    dataset = replace(before.model.dataset, name=f"{name}_dataset", view=view, **some["dataset"])
    model = replace(before.model, name=f"{name}_model", dataset=dataset, **some["model"])
    evaluation = replace(before, name=f"{name}_evaluation", model=model, **some["evaluation"])
    card = replace(of.card, name=f"{name}_card", evaluation=evaluation, **some["card"])
    return replace(of, name=name, card=card, **some["registration"])
