"""What a card says of parts of the test rows, and of what its numbers mean."""

from dataclasses import replace

import pytest

from platform_ml.spec.evaluation import Estimate, Meaning
from platform_ml.spec.slicing import FOUND
from platform_ml.testing.declarations import slice_of
from platform_ml_tests.engine.test_model_card import PROVENANCE, RESULT, Page, rendered

WEAK = replace(
    slice_of("", gap=Estimate(value=-0.1234, low=-0.2, high=-0.05), rows=150),
    column=FOUND,
    value="amount_sum_28d above 40, country = <b>CH",
)
SMALL = slice_of("2024-06-03", gap=Estimate(value=None), rows=12)


@pytest.fixture(scope="module")
def card():
    return rendered(
        result=replace(
            RESULT,
            meanings={"roc_auc": Meaning(unit="share", definition="How well it | ranks.")},
            min_rows=30,
            periods=(replace(SMALL, column="week"),),
            weak_slices=(WEAK,),
        )
    )


def test_the_page_is_well_formed(card):
    assert Page(card.html).open == []


def test_a_long_parameter_is_wrapped_so_that_the_others_stay_in_sight():
    params = {"depth": 6, "features": [f"amount_sum_{days}d" for days in range(20)]}
    page = rendered(provenance=replace(PROVENANCE, model=replace(PROVENANCE.model, params=params))).html
    assert '<td class="n">6</td>' in page
    assert '<td class="hash">amount_sum_0d, amount_sum_1d' in page


def test_units_and_definitions_are_printed(card):
    assert "| ROC AUC | share | How well it \\| ranks. |" in card.markdown
    assert '<td>share</td><td class="wide">How well it | ranks.</td>' in card.html


def test_rules_that_were_found_are_printed_with_their_numbers(card):
    line = "| amount\\_sum\\_28d above 40, country = &lt;b&gt;CH | 150 | 25.00 % | 0.6766 |"
    assert line in card.markdown
    assert "0.1234 [" in card.markdown
    assert "country = &lt;b&gt;CH</th>" in card.html
    assert card.json["evaluation"]["weak_slices"][0]["gap"]["value"] == -0.1234


def test_a_period_with_too_few_rows_is_not_enough_data(card):
    assert "| 2024-06-03 | 12 | 25.00 % | not enough data | not enough data |" in card.markdown
    assert "Parts of fewer than 30 test rows are not enough data." in card.markdown
    assert '2024-06-03</th><td class="n">12</td>' in card.html


def test_numbers_from_before_have_a_card_without_them():
    before = rendered(result=RESULT)
    for words in ("What these numbers mean", "Weak slices", "Over time", "are not enough data."):
        assert words not in before.markdown
        assert words not in before.html
