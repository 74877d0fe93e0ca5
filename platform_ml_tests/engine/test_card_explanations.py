import json
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from platform_ml.engine.card_explanation_plots import explanation_plots
from platform_ml.engine.card_text import MINUS
from platform_ml.engine.explanation_summary import explanation_markdown, explanation_tables
from platform_ml.spec.evaluation import EvaluationResult, Importance
from platform_ml.spec.explanation import (
    Dependence,
    Effect,
    Explanations,
    Interaction,
    Moved,
    Partial,
    SliceEffects,
    WorstError,
)
from platform_ml.testing.declarations import lapse_card
from platform_ml_tests.engine.test_model_card import RESULT, Page, rendered

SPENT, RECENCY = lapse_card.evaluation.model.dataset.view.feature_names
EVIL = '<b>"x|y"</b>'
WHY = Explanations(
    method="tree_shap",
    rule="Exact SHAP values of the trees.",
    unit="log odds",
    output="",
    rows=500,
    of=2_434,
    background=32,
    gap=1.5e-7,
    leftover=0.0,
    effects=(
        Effect(feature=RECENCY, mean_size=0.7317, mean=0.0412, loss=0.0713, low=0.0612, high=0.0817),
        Effect(feature=SPENT, mean_size=0.2219, mean=-0.0333),
    ),
    metric="ROC AUC",
    shuffled=5,
    slices=(
        SliceEffects(
            column="country",
            value=EVIL,
            rows=77,
            effects=(Effect(feature=SPENT, mean_size=0.1919, mean=-0.2444),),
        ),
        SliceEffects(column="country", value="LI", rows=6, effects=()),
    ),
    interactions=(Interaction(first=SPENT, second=RECENCY, strength=0.1414, share=0.2718),),
    interactions_by="Friedman's H.",
    dependence=(
        Dependence(feature=RECENCY, points=((1.0, -0.5), (40.0, 1.25), (None, 0.1))),
        Dependence(feature=SPENT, points=(("a", 0.5), (EVIL, -0.25))),
    ),
    partial=(Partial(feature=RECENCY, points=((1.0, 0.11, 0.7), (20.0, 0.2, 0.005), (40.0, 0.55, 0.295))),),
    worst=(
        WorstError(
            row=3,
            entity=EVIL,
            moment="2024-05-27T00:00:00+00:00",
            truth="true",
            prediction=0.0123,
            error=0.9877,
            output="",
            moved=(Moved(feature=RECENCY, value="2", by=-2.345), Moved(feature=SPENT, value="missing", by=0.345)),
        ),
    ),
)
MADE = replace(RESULT, explanations=WHY)
MEANINGS = tuple(Importance(feature=one.feature, mean_abs_shap=one.mean_size, meaning="How.") for one in WHY.effects)


@pytest.fixture(scope="module")
def card():
    return rendered(result=MADE)


def said(html):
    return " ".join("".join(Page(html).words).split())


def test_every_form_of_the_card_says_why(card):
    for text in (card.markdown, said(card.html)):
        for words in (
            "500 of 2,434 test rows are explained, in log odds.",
            "the furthest a row is off is 1.5e-07",
            "0.7317",
            "[+0.06120, +0.08170]",
            "not defined",  # the loss of the second feature
            f" {MINUS}0.2111",  # -0.2444 less -0.0333
            "not enough data",
            "27.2 %",
            "lowered it by 2.345 log odds.",
            "= missing (",
        ):
            assert words in text, words
    assert card.json["evaluation"]["explanations"]["worst"][0]["moved"][0]["by"] == -2.345
    assert {"dependence_days_since_last_28d.svg", "partial_days_since_last_28d.svg"} <= set(card.files)


def test_a_number_that_changes_in_the_evaluation_changes_on_the_card(card):
    first, (moved, _) = WHY.effects[0], WHY.worst[0].moved
    changed = {
        "rows": (499, "499 of 2,434"),
        "effects": ((replace(first, mean_size=0.7654, loss=0.0654), WHY.effects[1]), "0.7654", "+0.0654"),
        "slices": ((replace(WHY.slices[0], rows=7_878),), "7,878"),
        "interactions": ((replace(WHY.interactions[0], strength=0.1515),), "0.1515"),
        "worst": ((replace(WHY.worst[0], moved=(replace(moved, by=4.321),)),), "raised it by 4.321"),
        "dependence": ((Dependence(feature=RECENCY, points=((1.0, 7.25),)),), "+7.250"),
        "partial": ((Partial(feature=RECENCY, points=((1.0, 0.4321, 1.0),)),), "0.4321"),
    }
    other = replace(RESULT, explanations=replace(WHY, **{name: value for name, (value, *_) in changed.items()}))
    assert other.digest != MADE.digest
    after = rendered(result=other)
    for _, *shown in changed.values():
        for words in shown:
            assert words not in card.markdown + card.html
            assert words in after.markdown
            assert words in after.html


def test_words_from_data_are_no_markup(card):
    assert "<b>" not in card.html
    assert "<b>" not in card.markdown
    assert "&lt;b&gt;" in card.html
    assert all("<b>" not in plot.svg for plot in card.plots)


def test_the_card_stays_one_small_well_formed_page(card):
    page = Page(card.html)
    assert len(card.html.encode()) < 2_000_000
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"href": "#explanations"} in page.all("a")
    assert len(page.all("caption")) == len(page.all("table"))


def test_numbers_from_before_there_were_explanations_have_no_such_section():
    old = rendered()
    assert RESULT.explanations is None
    assert "Explanations" not in old.markdown + old.html
    assert "explanations" not in RESULT.to_json()
    assert explanation_markdown(RESULT) == ""
    assert explanation_tables(RESULT) == {}


def test_they_survive_json():
    plain = json.loads(json.dumps(MADE.to_json(), allow_nan=False))
    assert EvaluationResult.from_json(plain) == MADE
    assert EvaluationResult.from_json(plain).digest == MADE.digest


def test_plots_are_pictures_with_words():
    plots = [plot for pair in explanation_plots(MADE) for plot in pair]
    assert [plot.name for plot in plots] == [f"dependence_{RECENCY}", f"partial_{RECENCY}", f"dependence_{SPENT}"]
    for plot in plots:
        assert ET.fromstring(plot.svg).tag.endswith("svg")  # noqa: S314 - our own
        assert plot.alt.endswith(".")
        assert plot.caption.endswith(".")
    dots, curve, _ = plots
    assert dots.svg.count("<circle") == 3
    assert ">missing<" in dots.svg
    assert curve.svg.count('fill-opacity="0"') == 1  # one value has hardly any rows behind it
    assert curve.svg.count("stroke-dasharray") == 2
    assert "1 have less than 1 % of the rows" in curve.alt


def test_pairs_that_do_not_interact_are_not_listed():
    calm = replace(WHY, interactions=(replace(WHY.interactions[0], strength=0.0, share=0.0),))
    text = rendered(result=replace(RESULT, explanations=calm)).markdown
    assert "No pair was found to." in text
    assert f"`{SPENT}` and" not in text


def test_dagster_and_the_tracker_are_told_the_same():
    text = explanation_markdown(replace(MADE, importance=MEANINGS))
    assert text.startswith("## Explanations")
    assert "= 2 (How) lowered it by 2.345 log odds." in text
    tables = explanation_tables(MADE)
    head, lines = tables["explanation_features.csv"]
    assert list(zip(head, next(iter(lines)), strict=True))[:2] == [("feature", RECENCY), ("mean_abs_shap", 0.7317)]
    assert all(len(head) == len(line) for head, lines in tables.values() for line in lines)
