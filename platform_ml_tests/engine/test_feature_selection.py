import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from platform_ml.engine.chosen import FILE, Chosen
from platform_ml.engine.feature_selection import choose, described
from platform_ml.selections import TreeGain
from platform_ml.spec.errors import PlatformError, RowsError, StoreError
from platform_ml.spec.selection import Ranked, Ranking
from platform_ml_tests.engine.choosing import (
    BEST,
    COUNT,
    COUNTRY,
    DATASET,
    NAMES,
    RECENCY,
    SPENT,
    STUDENT,
    rows,
    with_column,
)


@dataclass(frozen=True, kw_only=True)
class Given:
    """Ranks as it is told, and remembers what it was asked."""

    name: ClassVar[str] = "given"
    decides: ClassVar[bool] = True
    rule: ClassVar[str] = "As given."
    scores: tuple[tuple[str, float], ...]
    drop: tuple[str, ...] = ()
    seen: tuple[object, ...] = ()

    def rank(self, train, asked, *, seed):
        object.__setattr__(self, "seen", (*self.seen, (train, asked, seed)))
        found = [Ranked(feature=n, score=s, reason="So it is.", drop=n in self.drop) for n, s in self.scores]
        return Ranking(features=tuple(found), method=self.name)


ORDER = tuple((name, 1.0 - place / 10) for place, name in enumerate((SPENT, COUNT, RECENCY, COUNTRY, STUDENT)))


def given(**changes):
    method = Given(scores=changes.pop("scores", ORDER), drop=changes.pop("drop", ()))
    return replace(BEST, **{"method": method, "keep": None} | changes)


TRAIN = rows(1)


def test_the_best_are_kept_in_the_order_of_the_view():
    chosen = choose(given(keep=3), TRAIN)
    assert chosen.kept == (RECENCY, SPENT, COUNT)
    assert [pick.feature for pick in chosen.picks] == [name for name, _ in ORDER]
    assert chosen.dropped == {
        COUNTRY: "So it is. It takes place 4, and 3 are kept.",
        STUDENT: "So it is. It takes place 5, and 3 are kept.",
    }


def test_a_share_is_rounded_up_and_a_threshold_is_a_score():
    assert choose(given(share=0.5), TRAIN).kept == (RECENCY, SPENT, COUNT)
    chosen = choose(given(threshold=0.85), TRAIN)
    assert chosen.kept == (SPENT, COUNT)
    assert chosen.dropped[RECENCY] == "So it is. Its score of 0.8 is below 0.85."


def test_what_is_always_kept_takes_a_place():
    chosen = choose(given(keep=2, always=(STUDENT,)), TRAIN)
    assert chosen.kept == (SPENT, STUDENT)
    assert chosen.picks[-1].reason == "Always kept, as declared. So it is."


def test_what_the_method_drops_is_dropped_but_what_is_always_kept():
    assert choose(given(drop=(STUDENT, COUNTRY), scores=ORDER), TRAIN).kept == (RECENCY, SPENT, COUNT)
    assert choose(given(drop=(STUDENT, COUNTRY), always=(STUDENT,)), TRAIN).kept == (RECENCY, SPENT, COUNT, STUDENT)


@pytest.mark.parametrize(("values", "why"), [([None] * 400, "null"), ([1.5] * 400, "the same")])
def test_what_says_nothing_is_dropped_before_the_method_is_asked(values, why):
    selection = given(scores=tuple(one for one in ORDER if one[0] != COUNT))
    chosen = choose(selection, with_column(TRAIN, COUNT, values))
    assert why in chosen.dropped[COUNT]
    ((train, asked, seed),) = selection.method.seen
    assert COUNT not in train.features.column_names
    assert list(asked.features) == train.features.column_names
    assert seed == selection.seed


def test_the_method_is_told_what_is_declared():
    selection = given(keep=2)
    choose(selection, TRAIN)
    ((_, asked, _),) = selection.method.seen
    assert asked.keep == 2
    assert "lapsed" in asked.predicts
    about = described(DATASET.view)
    assert asked.features == about
    assert (about[SPENT].unit, about[SPENT].looks_back, about[SPENT].made_of) == ("EUR", "28 d", "order_history")
    assert about[COUNTRY].looks_back == ""


def test_keeping_nothing_is_an_error():
    with pytest.raises(RowsError, match=r"of dataset 'lapse_dataset' keeps none of 5 features.*given is 1\b"):
        choose(given(threshold=2.0), TRAIN)
    same = TRAIN
    for name in NAMES:
        same = with_column(same, name, [None] * 400)
    with pytest.raises(RowsError, match="all 5 features are the same"):
        choose(given(), same)


@pytest.mark.parametrize(
    ("label", "complaint"),
    [
        (np.ones(400), "labels are 1"),
        (np.full(400, np.nan), "not finite"),
        (np.zeros(3), "3 training rows say nothing"),
    ],
)
def test_labels_that_say_nothing_are_refused(label, complaint):
    few = replace(TRAIN, features=TRAIN.features.slice(0, len(label)), label=label)
    with pytest.raises(RowsError, match=complaint):
        choose(BEST, few)


@pytest.mark.parametrize("scores", [ORDER[1:], (*ORDER, ORDER[0]), (*ORDER[1:], ("other", 0.1))])
def test_a_method_has_to_rank_each_feature_once(scores):
    with pytest.raises(PlatformError, match="did not rank each feature once"):
        choose(given(scores=scores), TRAIN)


def test_a_bad_feature_is_named_with_its_dataset():
    bad = with_column(TRAIN, COUNT, [float("inf")] * 200 + [0.0] * 200)
    with pytest.raises(RowsError, match=f"'best_features' of dataset 'lapse_dataset': Feature '{COUNT}' has infinite"):
        choose(BEST, bad)


def test_it_is_the_same_twice_and_survives_a_file(tmp_path):
    chosen = choose(BEST, TRAIN)
    assert chosen.kept == (RECENCY, SPENT, COUNTRY)
    assert chosen.to_json() == choose(BEST, rows(1)).to_json()
    assert Chosen.load(BEST, chosen.save(tmp_path)) == chosen


def test_a_file_of_something_else_is_refused(tmp_path):
    file = choose(BEST, TRAIN).save(tmp_path)
    with pytest.raises(StoreError, match="another selection"):
        Chosen.load(replace(BEST, name="others"), file)
    file.write_text(json.dumps({"picks": []}))
    with pytest.raises(StoreError, match="no chosen features"):
        Chosen.load(BEST, file)
    with pytest.raises(StoreError, match="no chosen features"):
        Chosen.load(BEST, tmp_path / "nowhere" / FILE)


def test_an_embedded_method_decides_by_itself():
    chosen = choose(replace(BEST, method=TreeGain(rounds=5), keep=None), TRAIN)
    assert set(chosen.kept) | set(chosen.dropped) == set(NAMES)
