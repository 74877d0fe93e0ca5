import pytest

from platform_ml.engine.pareto import caveat, chosen, front
from platform_ml.spec.errors import RowsError
from platform_ml.spec.tuner import Latency, Size, TriedParams

BOTH = (Latency(), Size())


def trial(number, score, latency=1.0, size=100, state="finished", reason=""):
    return TriedParams(
        number=number, params={}, score=score, steps=(), seconds=0.0, state=state, reason=reason,
        latency_ms=latency, size_bytes=size,
    )  # fmt: skip


TRIALS = (
    trial(0, 0.9, latency=5.0, size=900),
    trial(1, 0.8, latency=2.0, size=500),
    trial(2, 0.8, latency=2.0, size=600),
    trial(3, 0.7, latency=1.0, size=800),
    trial(4, None, latency=None, size=None, state="stopped"),
    trial(5, 0.6, latency=3.0, size=900),
    trial(6, 0.8, latency=2.0, size=500),
)


def test_the_front_has_all_that_nothing_beats():
    assert front(TRIALS, "maximize", BOTH) == (0, 1, 3, 6)
    assert front(TRIALS, "minimize", BOTH) == (1, 3, 5, 6)
    assert front(TRIALS, "maximize", (Size(),)) == (0, 1, 6)
    assert front(TRIALS, "maximize", ()) == ()


@pytest.mark.parametrize(
    ("goal", "objectives", "number"),
    [
        ("maximize", (), 0),
        ("maximize", BOTH, 0),
        ("maximize", (Latency(at_most=4.9),), 1),
        ("maximize", (Latency(at_most=1.0),), 3),
        ("maximize", (Latency(at_most=2.0), Size(at_most=500)), 1),
        ("minimize", (Size(at_most=850),), 3),
        ("minimize", (), 5),
    ],
)
def test_the_best_quality_within_the_limits_is_taken(goal, objectives, number):
    assert chosen("s", TRIALS, goal, objectives).number == number


def test_limits_that_nothing_meets_say_what_the_least_was():
    with pytest.raises(RowsError, match=r"s ended without a model .* latency_ms <= 0.5 \(the least was 1\)"):
        chosen("s", TRIALS, "maximize", (Latency(at_most=0.5), Size()))


def test_a_limit_on_latency_is_no_promise():
    assert "measured" in caveat((Latency(at_most=1),))
    assert caveat((Latency(), Size(at_most=1))) == ""


def test_no_score_at_all_says_why():
    tried = [trial(0, None, state="failed", reason="too deep"), trial(1, None, state="stopped", reason="slow")]
    with pytest.raises(RowsError, match=r"s ended without a score: none of 2 .* the first because: too deep\."):
        chosen("s", tried, "maximize", ())
