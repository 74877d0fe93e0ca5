"""A backtest of invented numbers: what its picture, its page and its check say."""

from dataclasses import replace
from datetime import date

import pytest

from platform_ml.engine.backtest import Point, Walk, check
from platform_ml.engine.backtest_page import html, markdown, plot
from platform_ml.engine.trend import trend
from platform_ml.engine.walk import Standing, State
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.evaluation import Estimate
from platform_ml.testing.declarations import lapse, numbers

backtest = Backtest(
    name="lapse_backtest",
    description="Half a year.",
    of=lapse,
    cutoffs=6,
    slices=("country",),
    remarks="The winter was <cold>.",
)
MONTHS = [f"2024-{month:02}-01" for month in range(1, 7)]
AUC = [0.83, 0.80, None, 0.75, 0.72, 0.66]


def point(cutoff, auc, state=State.CURRENT):
    if auc is None:
        gone = Standing(state=State.MISSING, why="not made yet: it.", result=None, todo=())
        return Point(cutoff=cutoff, standing=gone)
    estimate = Estimate(value=auc, low=auc - 0.03, high=auc + 0.03)
    result = replace(numbers(roc_auc=estimate), cutoff=cutoff)
    why = "" if state is State.CURRENT else "lapse_model was made by another declaration (a, now b)."
    standing = Standing(state=state, why=why, result=result, todo=())
    return Point(cutoff=cutoff, standing=standing, verdicts=lapse.judge(result))


def walked(states=(), of=backtest):
    points = tuple(
        point(cutoff, auc, state)
        for cutoff, auc, state in zip(MONTHS, AUC, [*states, *[State.CURRENT] * (6 - len(states))], strict=True)
    )
    seen = [one for one in points if one.standing.state in (State.CURRENT, State.STALE)]
    days = [date.fromisoformat(one.cutoff) for one in seen]
    found = trend(days, [one.standing.result.test("roc_auc") for one in seen], goal="maximize")
    return Walk(backtest=of, points=points, trend=found)


def test_a_metric_that_falls_by_more_than_chance_is_found():
    finding = walked().finding
    assert not finding.passed
    assert not finding.stops
    assert finding.reason.startswith("ROC AUC got worse by 0.1")
    assert finding.reason.endswith("worse, all of it more than 0.")
    assert (finding.numbers["cutoffs"], finding.numbers["limit"]) == (5, 0.0)
    assert finding.numbers["low"] > 0
    assert walked(of=replace(backtest, may_worsen=0.2)).finding.passed
    assert walked(of=replace(backtest, blocking=True)).finding.stops
    assert "does not get worse over the cutoffs by more than 0 and what chance explains" in check(backtest).description


def test_the_plot_shows_what_is_missing_stale_and_refused():
    picture = plot(walked([State.OTHER]))
    assert picture.svg.count("missing") == 1
    assert "5 models over the cutoffs 2024-01-01 to 2024-06-01, beside recency, majority." in picture.alt
    assert "Missing: 2024-03-01." in picture.alt
    for words in ("model", "recency", "majority", "trend", "2024-03-01", "ROC AUC, higher is better"):
        assert words in picture.svg
    assert plot(replace(walked(), points=(point(MONTHS[0], None),))) is None


def test_a_baseline_that_is_far_off_does_not_flatten_the_picture():
    found, weak = walked(), {"roc_auc": Estimate(value=0.2)}
    last = found.points[-1].standing
    baselines = {name: replace(score, metrics=weak) for name, score in last.result.baselines.items()}
    baselines["recency"] = last.result.baselines["recency"]
    point = replace(found.points[-1], standing=replace(last, result=replace(last.result, baselines=baselines)))
    picture = plot(replace(found, points=(point,)))
    assert picture.caption.endswith("Too far away to be shown: majority.")
    assert "recency" in picture.svg
    assert "majority" not in picture.svg


def test_the_same_numbers_give_the_same_bytes():
    assert plot(walked()).svg == plot(walked()).svg
    assert html(walked()) == html(walked())


def test_the_page_escapes_words_and_has_a_row_for_each_cutoff():
    page = html(walked([State.OTHER]))
    assert "The winter was &lt;cold&gt;." in page
    assert page.count('<th scope="row" class="name">') == 6
    assert "<strong>roc_<wbr>auc_<wbr>at_<wbr>least</strong> failed" in page
    assert "country = CH" in page
    assert "2024-01-01</strong>, other declaration: lapse_model was made by another declaration" in page


def test_the_text_has_the_tables_and_is_short_enough_for_dagster():
    text = markdown(walked([State.OTHER]))
    assert len(text.encode()) < 100_000
    lines = text.splitlines()
    (row,) = (line for line in lines if line.startswith("| 2024-06-01 |"))
    assert "| 0.6600 [0.6300, 0.6900] |" in row
    assert r"**roc\_auc\_at\_least** failed | 800, 2024-06-10 to" in row
    assert "* 2024-03-01, missing: not made yet: it." in lines
    slices = [line for line in lines if line.startswith("| country")]
    assert len(slices) == 2


@pytest.mark.parametrize("number", [1, 24])
def test_two_years_of_months_fit_into_the_picture(number):
    cutoffs = [f"{2022 + n // 12}-{n % 12 + 1:02}-01" for n in range(number)]
    points = tuple(point(cutoff, 0.8) for cutoff in cutoffs)
    many = replace(walked(), points=points, trend=trend([], [], goal="maximize"))
    assert cutoffs[-1] in plot(many).svg
    assert len(markdown(many).encode()) < 100_000
