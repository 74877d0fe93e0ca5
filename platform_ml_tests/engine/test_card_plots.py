import re
from xml.etree import ElementTree as ET

import pytest

from platform_ml.engine.card_plots import MOST_BARS, MOST_SLICES, plots
from platform_ml.spec.evaluation import BaselineScore, Estimate, EvaluationResult, Importance, Slice, SplitScore

NAMES = ["roc", "calibration", "scores", "importance", "slices"]
CURVES = {
    "roc": ((0.0, 0.0), (0.1, 0.55), (0.3, 0.82), (1.0, 1.0)),
    "baseline_roc_recency": ((0.0, 0.0), (0.2, 0.5), (1.0, 1.0)),
    "baseline_roc_majority": ((0.0, 0.0), (1.0, 1.0)),
    "calibration": ((0.05, 0.04), (0.2, 0.23), (0.7, 0.66)),
    "score_histogram": tuple(((bin_ + 0.5) / 20, 0.05) for bin_ in range(20)),
}


def slice_of(value, gap, *, half=0.03):
    known = gap is not None
    gap = Estimate(value=gap, low=gap - half if known else None, high=gap + half if known else None)
    return Slice(column="income", value=value, rows=150, mean=20 / 150, metrics={}, gap=gap)


def result(*, curves=CURVES, slices=None, importance=None):
    auc = {"roc_auc": Estimate(value=0.8743, low=0.8572, high=0.8902)}
    baseline = BaselineScore(metrics=auc, lead=auc)
    return EvaluationResult(
        model="churn_model",
        cutoff="2017-12-02",
        model_digest="m",
        dataset_digest="d",
        policy_digest="p",
        splits={"test": SplitScore(rows=2_434, mean=419 / 2_434, first="", last="", metrics=auc)},
        slices=(slice_of("$50-75K & $$", -0.05), slice_of("<b>x</b>", 0.01)) if slices is None else slices,
        baselines={"recency": baseline, "majority": baseline},
        importance=(Importance(feature="sales_value_sum_30d", mean_abs_shap=0.8, meaning=""),)
        if importance is None
        else importance,
        curves=curves,
        latency_ms={},
        size_bytes=1,
        titles={"roc_auc": "ROC AUC"},
    )


def drawn(of):
    return {plot.name: plot for plot in plots(of, metric="roc_auc")}


def texts(plot):
    return [node.text for node in ET.fromstring(plot.svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - ours


def test_every_plot_is_there_in_reading_order():
    assert list(drawn(result())) == NAMES


def test_a_plot_without_points_is_left_out():
    assert drawn(result(curves={}, slices=(), importance=())) == {}
    assert list(drawn(result(curves={"roc": (), "calibration": ()}))) == ["importance", "slices"]


def test_equal_numbers_give_equal_bytes_and_no_date():
    first, second = drawn(result()), drawn(result())
    assert first == second
    for plot in first.values():
        assert not re.search(r"metadata|dc:date|Created with|20\d\d-\d\d", plot.svg)


@pytest.mark.parametrize("name", NAMES)
def test_the_svg_is_well_formed_and_takes_the_colours_of_its_page(name):
    svg = drawn(result())[name].svg
    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - ours
    assert "var(--plot-ink, " in svg
    assert not set(re.findall(r"#[0-9a-f]{6}\b", re.sub(r"var\([^)]*\)", "", svg)))
    assert "<style" not in svg


def test_ids_differ_between_plots_so_that_they_can_share_a_page():
    ids = [found for plot in drawn(result()).values() for found in re.findall(r' id="([^"]+)"', plot.svg)]
    assert ids
    assert len(ids) == len(set(ids))
    assert all(
        re.search(rf'[#]{re.escape(found)}[")]', "".join(p.svg for p in drawn(result()).values())) for found in ids
    )


def test_words_from_the_data_are_shown_as_they_are():
    shown = texts(drawn(result())["slices"])
    assert "income = $50-75K & $$" in shown
    assert "income = <b>x</b>" in shown


def test_letters_that_the_font_of_the_plot_lacks_are_no_warning():
    assert "income = 日本\u4e00" in texts(drawn(result(slices=(slice_of("日本\u4e00", -0.1),)))["slices"])


def test_letters_that_xml_forbids_become_spaces():
    assert "income = a b" in texts(drawn(result(slices=(slice_of("a\x01b", -0.1),)))["slices"])


def test_baselines_are_named_and_told_apart_by_dashes():
    plot = drawn(result())["roc"]
    assert {"model", "recency", "majority"} <= set(texts(plot))
    assert len(set(re.findall(r"stroke-dasharray: ([^;\"]+)", plot.svg))) == 2


def test_slices_are_sorted_by_gap_and_the_silent_ones_are_counted():
    slices = [slice_of(f"v{n}", -n / 100) for n in range(MOST_SLICES + 3)]
    plot = drawn(result(slices=(*slices, slice_of("none", None))))["slices"]
    shown = [text for text in texts(plot) if text.startswith("income")]
    assert len(shown) == MOST_SLICES
    assert f"income = v{MOST_SLICES + 2}" in plot.alt
    assert "3 better slices are left out" in plot.caption
    assert "Without enough data and left out: 1." in plot.caption


def test_slices_that_are_all_silent_make_no_plot():
    assert "slices" not in drawn(result(slices=(slice_of("none", None),)))


def test_importance_keeps_the_strongest_features_with_their_numbers():
    importance = tuple(
        Importance(feature=f"feature_{n:02}", mean_abs_shap=1 - n / 100, meaning="") for n in range(MOST_BARS + 4)
    )
    plot = drawn(result(importance=importance[::-1]))["importance"]
    shown = [text for text in texts(plot) if text.startswith("feature")]
    assert shown == [f"feature_{n:02}" for n in range(MOST_BARS)]
    assert "1.000" in texts(plot)
    assert "The 4 features" in plot.caption


def test_the_words_for_those_who_do_not_see_it_hold_the_numbers():
    plotted = drawn(result())
    assert "0.8743" in plotted["roc"].alt
    assert "recency, majority" in plotted["roc"].alt
    assert "0.6600" in plotted["calibration"].alt
    assert "5.000 %" in plotted["scores"].alt
    assert "0.8000" in plotted["importance"].alt
