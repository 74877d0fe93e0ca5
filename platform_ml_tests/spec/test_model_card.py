from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.model_card import OPTIONAL, REQUIRED
from platform_ml.testing.declarations import lapse_card, lapse_evaluation, lapse_model
from platform_ml_tests.spec.test_energy import ENERGY


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "...", "TODO", "[More Information Needed]"])
def test_words_that_are_missing_are_refused(name, text):
    with pytest.raises(DeclarationError, match=f"'lapse_card': {name} is empty. Its owner has to write it"):
        replace(lapse_card, **{name: text})


@pytest.mark.parametrize("name", OPTIONAL)
def test_words_may_be_left_out_but_not_left_blank(name):
    assert getattr(replace(lapse_card, **{name: "Ada, 2024"}), name) == "Ada, 2024"
    with pytest.raises(DeclarationError, match=f"{name} is ' '. Write it, or leave it out"):
        replace(lapse_card, **{name: " "})


def test_what_the_card_prints_of_others_has_to_be_described():
    nameless = replace(lapse_evaluation, model=replace(lapse_model, description=" "))
    with pytest.raises(DeclarationError, match="'lapse_model' has no description"):
        replace(lapse_card, evaluation=nameless)


def test_words_that_only_look_like_placeholders_are_words():
    assert replace(lapse_card, limits="None of the rows is from a December.").limits


def test_words_and_energy_recompute_nothing():
    told = replace(lapse_card, users="Planners.", factors="Age.", citation="x", contact="a@b", energy=ENERGY)
    assert fingerprint(told) == fingerprint(lapse_card)
