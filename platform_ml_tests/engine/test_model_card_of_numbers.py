"""The card of a model that predicts numbers: no curve of hits, no probabilities, and how far off it is."""

from dataclasses import replace

import pytest

from platform_ml.engine.model_card import dagster_markdown, render
from platform_ml.spec.evaluation import BaselineScore, Estimate, Slice, SplitScore
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import numbers, spend, spend_card, spend_evaluation
from platform_ml_tests.engine.test_model_card import PROVENANCE


def near(value):
    return Estimate(value=value, low=value - 1, high=value + 1)


SCORES = {"mae": near(41.37), "rmse": near(80.25), "r2": Estimate(value=0.61, low=0.55, high=0.66)}
RESULT = replace(
    numbers(),
    model_digest=PROVENANCE.model.digest,
    dataset_digest=PROVENANCE.dataset.digest,
    policy_digest=fingerprint(spend_evaluation),
    splits={
        name: SplitScore(rows=800, mean=302.456, first="", last="", metrics=SCORES)
        for name in ("train", "validation", "test")
    },
    slices=(Slice(column="country", value="AT", rows=400, mean=250.0, metrics=SCORES, gap=near(-3.0)),),
    baselines={
        name: BaselineScore(metrics=SCORES, lead=dict.fromkeys(SCORES, near(7.5))) for name in ("as_before", "average")
    },
    curves={
        "calibration": ((20.0, 25.0), (900.0, 870.0)),
        "score_histogram": ((10.0, 0.4), (20.0, 0.6)),
        "residuals": ((-5.0, 0.3), (5.0, 0.7)),
    },
    goals={metric.name: metric.goal for metric in spend_evaluation.metrics},
    titles={metric.name: metric.title for metric in spend_evaluation.metrics},
    task="regression",
    residuals={"mean": 1.25, "std": 80.2, "median_absolute": 22.5, "p05": -90.0, "p50": 0.5, "p95": 120.0},
)


@pytest.fixture(scope="module")
def card():
    verdicts = [gate.judge(RESULT) for gate in spend.gates]
    return render(spend_card, result=RESULT, verdicts=verdicts, gates=spend.gates, provenance=PROVENANCE)


def test_it_speaks_of_numbers(card):
    for text in (card.markdown, card.html):
        for words in ("Mean absolute error", "302.5", "Residuals", "22.50", "95 % are below"):
            assert words in text
        for words in ("ROC", "robabilit", " true", "True", "came true", "False alarms"):
            assert words not in text
    assert "tabular-regression" in card.markdown
    assert card.json["task"] == "tabular-regression"


def test_its_plots_are_those_of_numbers(card):
    plots = {plot.name: plot for plot in card.plots}
    assert list(plots) == ["calibration", "scores", "residuals", "slices"]
    assert "mean truth" in plots["calibration"].caption
    assert "Half of the rows are off by 22.50 or less" in plots["residuals"].alt
    assert "residuals" in card.html


def test_the_summary_shows_how_far_off_it_is(card):
    summary = dagster_markdown(card)
    assert "Approved: both gates passed" in summary
    assert "Histogram of prediction minus truth" in summary


def test_every_table_of_the_markdown_has_as_many_cells_in_every_row(card):
    rows = [line for line in card.markdown.splitlines() if line.startswith(("| ", "|--"))]
    head = next(n for n, line in enumerate(rows) if line.startswith("| Mean | Standard"))
    assert len({line.count("|") for line in rows[head : head + 3]}) == 1


def test_the_headline_is_an_error_and_less_is_better(card):
    assert card.json["headline"]["title"] == "Mean absolute error"
    assert card.json["headline"]["goal"] == "minimize"
    assert "lower is better" in card.html
