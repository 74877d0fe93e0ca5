from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_ml.spec.errors import PlatformError, Refused
from platform_ml.spec.stage import MOVES, PROMOTE, ROLLBACK, Stage, Standing, Transition
from platform_ml.testing.tracking import moved

CANDIDATE, CHALLENGER, CHAMPION, ARCHIVED = Stage


def test_each_stage_says_where_it_may_lead():
    assert set(MOVES) == set(Stage)
    known = Standing.of([moved(1), moved(2, displaced=1), moved(3, after=CHALLENGER)])
    assert [known.stage(version) for version in (1, 2, 3, 4)] == [ARCHIVED, CHAMPION, CHALLENGER, CANDIDATE]
    for version in (1, 2, 3, 4):
        for after in Stage:
            if after in MOVES[known.stage(version)]:
                known.check("lapse", version, after)
            else:
                with pytest.raises(Refused, match=f"lapse@{version} is {known.stage(version)}"):
                    known.check("lapse", version, after)


@pytest.mark.parametrize(
    ("version", "after", "advice"),
    [
        (2, CHAMPION, "is champion already"),
        (2, ARCHIVED, "Promote another version, which archives this one"),
        (1, CHAMPION, "Make it the challenger first, or: platform-ml rollback lapse"),
        (3, CANDIDATE, "From challenger it may become: champion, archived"),
    ],
)
def test_a_refusal_says_what_to_do(version, after, advice):
    known = Standing.of([moved(1), moved(2, displaced=1), moved(3, after=CHALLENGER)])
    with pytest.raises(Refused, match=advice):
        known.check("lapse", version, after)


def test_the_challenger_that_loses_its_seat_is_a_candidate_again():
    known = Standing.of([moved(1, after=CHALLENGER), moved(2, after=CHALLENGER, displaced=1)])
    assert (known.stage(1), known.holder("challenger"), known.holder("champion")) == (CANDIDATE, 2, None)
    assert known.holder("archived") is None


def test_each_rollback_goes_one_champion_further_back():
    history = [moved(1), moved(2, displaced=1), moved(3, displaced=2)]
    assert Standing.of(history).previous == 2
    history.append(moved(2, before=ARCHIVED, act=ROLLBACK, displaced=3))
    assert (Standing.of(history).holder("champion"), Standing.of(history).previous) == (2, 1)
    history.append(moved(1, before=ARCHIVED, act=ROLLBACK, displaced=2))
    assert (Standing.of(history).holder("champion"), Standing.of(history).previous) == (1, None)
    assert Standing.of([*history, moved(4, displaced=1)]).previous == 1


def test_a_transition_is_the_same_after_it_was_written_down():
    entry = moved(2, displaced=1)
    assert Transition.from_json(entry.to_json()) == entry
    assert entry.to_json()["when"] == "2024-06-10T12:30:00.123456+00:00"
    assert entry.says == (
        "version 2 went from candidate to champion by ada at 2024-06-10 12:30:00 UTC "
        "(promote: 'Better' \u2013 by 2 %); version 1 became archived"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"why": " "}, "why is empty"),
        ({"who": ""}, "who is empty"),
        ({"why": "x" * 1001}, "1,001 characters"),
        ({"act": "promoted"}, "Did you mean 'promote'"),
    ],
)
def test_a_transition_without_a_reason_cannot_be_made(change, says):
    entry = Transition(
        version=1,
        before=CANDIDATE,
        after=CHAMPION,
        act=PROMOTE,
        who="ada",
        when=datetime.now(UTC),
        why="Better.",
        run="test",
    )
    with pytest.raises(PlatformError, match=says):
        replace(entry, **change)
