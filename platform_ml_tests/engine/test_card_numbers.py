"""Numbers come from the evaluation and from nowhere else: every one of them is another, and every form says so."""

import json
from itertools import count

import pytest

from platform_ml.spec.evaluation import EvaluationResult
from platform_ml_tests.engine.test_model_card import RESULT, Page, rendered

DRAWN = "roc"
"""A curve that is only drawn."""


def changed(value, path, numbers, shown):
    """The same JSON with other numbers, all different; in `shown` how a reader meets each."""
    if isinstance(value, dict):
        return {name: changed(item, (*path, name), numbers, shown) for name, item in value.items()}
    if isinstance(value, list):
        return [changed(item, (*path, place), numbers, shown) for place, item in enumerate(value)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = next(numbers)
    if isinstance(value, int):
        whole = 100_000 + number
        shown[path] = f"{whole / 1_000:.1f} kB" if path == ("size_bytes",) else f"{whole:,}"
        return whole
    part = number / 10_000
    if DRAWN not in path:
        shown[path] = f"{100 * part:.2f} %" if path[-1] == "mean" else f"{part:.4f}"
    return part


@pytest.fixture(scope="module")
def cards():
    shown = {}
    result = EvaluationResult.from_json(changed(RESULT.to_json(), (), count(1_003, 7), shown))
    return shown, rendered(), rendered(result=result)


def test_all_numbers_of_the_evaluation_were_changed(cards):
    shown, _, _ = cards
    assert len(shown) == len(set(shown.values())) > 60
    for one in ("splits", "slices", "baselines", "importance", "curves", "latency_ms", "size_bytes"):
        assert any(path[0] == one for path in shown)


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_every_number_is_another_where_people_read(cards, form):
    shown, before, after = cards
    texts = [card.markdown if form == "markdown" else " ".join(Page(card.html).words) for card in (before, after)]
    assert [path for path, text in shown.items() if text not in texts[1]] == []
    assert [path for path, text in shown.items() if text in texts[0]] == []


def test_every_number_is_another_for_programs(cards):
    _, before, after = cards
    assert after.json["evaluation"]["splits"] != before.json["evaluation"]["splits"]
    plain = json.loads(after.files["card.json"])["evaluation"]
    found = {}
    changed({name: plain[name] for name in RESULT.to_json()}, (), count(1_003, 7), found)
    assert found.keys() == cards[0].keys()
    assert EvaluationResult.from_json(plain | {"evidence": None}).digest != RESULT.digest


def test_what_is_only_drawn_is_drawn_otherwise(cards):
    _, before, after = cards
    drawn = ({plot.name: plot.svg for plot in card.plots} for card in (before, after))
    old, new = drawn
    assert old.keys() == new.keys() >= {"roc", "calibration", "slices", "importance"}
    assert all(old[name] != new[name] for name in old)
