"""The page of a card: it stays small, can be read by everybody, and its JSON keeps its shape."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from platform_ml.engine import card_room, model_card
from platform_ml.features import Total
from platform_ml.spec.evaluation import Importance
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import (
    customer_profile,
    lapse_card,
    lapse_dataset,
    lapse_evaluation,
    lapse_model,
    lapse_view,
    order_history,
)
from platform_ml_tests.engine.test_model_card import PLAIN, PROVENANCE, RESULT, Page, near, rendered, slice_of

TEMPLATES = Path(model_card.__file__).parent / "templates"
MANY = 2_000
DAYS = range(1, 601)


@pytest.fixture(scope="module")
def huge():
    """A card with more of everything than a reader wants."""
    history = replace(order_history, features=tuple(Total(days=days, of="amount") for days in DAYS))
    view = replace(lapse_view, features=(history,), helpers=(customer_profile,))
    dataset = replace(lapse_dataset, view=view, windows_may_overlap="To test.")
    recency, *others = lapse_model.baselines
    baselines = (replace(recency, family=replace(recency.family, feature="amount_sum_28d")), *others)
    evaluation = replace(lapse_evaluation, model=replace(lapse_model, dataset=dataset, baselines=baselines))
    result = replace(
        RESULT,
        policy_digest=fingerprint(evaluation),
        slices=tuple(slice_of(f"place {n}", near(0.1 - n / MANY), near(0.8)) for n in range(MANY)),
        importance=tuple(Importance(feature=f"amount_sum_{n}d", mean_abs_shap=1 / n, meaning="") for n in DAYS),
    )
    tables = tuple(replace(PROVENANCE.tables[0], version=n) for n in range(MANY))
    return rendered(replace(lapse_card, evaluation=evaluation), result, provenance=replace(PROVENANCE, tables=tables))


def test_a_page_of_very_much_stays_below_two_megabytes(huge):
    assert len(huge.html.encode()) < 2_000_000
    assert len(huge.markdown.encode()) < 2_000_000
    Page(huge.html)


def test_what_a_page_leaves_out_is_said_and_is_in_the_json(huge):
    assert len(huge.json["evaluation"]["slices"]) == MANY
    assert len(huge.json["features"]) == len(DAYS)
    for text in (huge.html, huge.markdown):
        assert f"the {card_room.MOST_SLICES} worst slices of {MANY:,}; card.json has all" in text
        assert f"{len(DAYS) - card_room.MOST_FEATURES} more features" in text
        assert f"{MANY - card_room.MOST_TABLES:,} more versions of tables" in text
        assert f"place {MANY - 1}" in text, "the worst is shown"
        assert "place 0<" not in text


def test_the_json_keeps_its_documented_shape(huge):
    schema = json.loads((TEMPLATES / "card.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for card in (huge, rendered(result=PLAIN, verdicts=())):
        jsonschema.validate(json.loads(card.files["card.json"]), schema)
    broken = json.loads(huge.files["card.json"])
    broken["evaluation"]["splits"]["test"]["metrics"]["roc_auc"]["value"] = "0.9"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def light(color):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_all_words_stand_out_from_what_is_behind_them():
    css = (TEMPLATES / "card.css.j2").read_text()
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    assert len(schemes) == 2
    pairs = [(ink, page) for ink in ("ink", "soft", "link", "plot-ink") for page in ("page", "raised")]
    pairs += [(f"{tone}", f"{tone}-page") for tone in ("good", "bad", "warn")]
    pairs += [("ink", f"{tone}-page") for tone in ("good", "bad", "warn")] + [("bad", "page")]
    for colors in schemes:
        weak = {pair: contrast(*(colors[name] for name in pair)) for pair in pairs}
        assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}
        assert all(contrast(colors[name], colors["page"]) >= 3 for name in ("plot-accent", "plot-second", "plot-bad"))


def test_landmarks_have_names_of_their_own():
    page = Page(rendered().html)
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("nav")) == 1
    headings = [attrs["aria-labelledby"] for attrs in page.all("section")]
    regions = [attrs["aria-label"] for _, attrs in page.tags if attrs.get("role") == "region"]
    assert len(set(headings)) == len(headings)
    assert len(set(regions)) == len(regions)
    assert {attrs["href"][1:] for attrs in page.all("a")} >= set(headings)
    assert all(attrs.get("tabindex") == "0" for attrs in page.all("pre"))


def test_what_is_printed_fits_on_paper():
    css = (TEMPLATES / "card.css.j2").read_text()
    printed = css[css.index("@media print") :]
    for rule in ("nav, .skip { display: none; }", "break-inside: avoid", "white-space: pre-wrap", "overflow: visible"):
        assert rule in printed
    assert "@media screen and (prefers-color-scheme: dark)" in css, "paper is white whatever the screen is"
