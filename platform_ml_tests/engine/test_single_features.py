from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from platform_ml.engine.single_features import (
    area,
    column,
    of_classes,
    rank_correlation,
    ranks,
    sample,
    strength,
    told_apart,
)
from platform_ml.outcomes import Total
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.declarations import lapsed
from platform_ml_tests.engine.leaks import DATASETS, at_random, audited, by_time, customers, failed, split, view


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("values", [2, 7, 10**9])
def test_ranks_and_what_is_made_of_them_are_those_of_the_books(seed, values):
    draw = np.random.default_rng(seed)
    x, y = draw.integers(0, values, 300).astype(float), draw.integers(0, values, 300) + draw.normal(size=300)
    positive = draw.random(300) < 0.3
    assert ranks(x).tolist() == rankdata(x).tolist()
    assert area(x, positive) == pytest.approx(roc_auc_score(positive, x))
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)


def test_too_few_rows_say_nothing():
    few = np.arange(49.0)
    assert np.isnan(area(few, few > 23))
    assert np.isnan(rank_correlation(few, few))
    assert np.isnan(rank_correlation(np.zeros(60), np.arange(60.0)))
    assert np.isnan(strength(np.full(60, np.nan), np.arange(60.0), REGRESSION))
    assert area(np.arange(50.0), np.arange(50) > 24) == 1


def test_a_sample_is_the_same_each_time_and_in_order():
    rows = pa.table({"n": list(range(30_000))})
    found = sample(rows, 10)["n"].to_pylist()
    assert len(found) == 20_000
    assert found == sorted(set(found)) == sample(rows, 10)["n"].to_pylist()
    assert sample(rows, 1_000).num_rows == 4_000
    assert sample(rows, 10**6).num_rows == 250
    assert sample(rows.slice(0, 7), 10) == rows.slice(0, 7)


LEAKS = {
    "the label with noise": lambda lapsed, draw: lapsed + draw.normal(scale=0.1, size=len(lapsed)),
    "the other way round": lambda lapsed, draw: -lapsed + draw.normal(scale=0.1, size=len(lapsed)),
    "a constant that is null": lambda lapsed, draw: np.where(lapsed == 1, np.nan, 1.0),
    "known only afterwards": lambda lapsed, draw: np.where(lapsed == 1, draw.normal(size=len(lapsed)), np.nan),
    "the label and a few errors": lambda lapsed, draw: np.where(draw.random(len(lapsed)) < 0.01, 1 - lapsed, lapsed),
}


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("name", DATASETS)
def test_a_feature_made_of_the_label(name, leak):
    dataset, columns = DATASETS[name], customers()
    columns["basket"] = LEAKS[leak](np.asarray(columns["lapsed"], float), np.random.default_rng(3))
    finding = audited(dataset, split(dataset, columns))["too_good"]
    assert finding.stops
    assert finding.reason.startswith("Alone, 'basket' ")
    assert "give the label away (AUC, limit 0.98)" in finding.reason


def test_a_text_made_of_the_label():
    columns = customers()
    columns["city"] = [f"closed {n % 5}" if gone else f"open {n % 7}" for n, gone in enumerate(columns["lapsed"])]
    assert audited(by_time, split(by_time, columns))["too_good"].reason.startswith("Alone, 'city' 1.000 give")
    # A text that names the row says nothing of other rows.
    columns["city"] = [f"customer {n}" for n in range(len(columns["lapsed"]))]
    assert failed(by_time, split(by_time, columns)) == set()


def test_a_feature_made_of_a_label_that_is_a_number():
    draw = np.random.default_rng(1)
    columns = customers()
    columns["lapsed"] = draw.gamma(2, 10, size=len(columns["lapsed"]))
    numbers = replace(by_time, view=replace(view, label=replace(lapsed, outcome=Total(of="amount", days=14))))
    assert failed(numbers, split(numbers, columns)) == set()
    columns["basket"] = np.log(columns["lapsed"]) + draw.normal(scale=0.01, size=len(columns["lapsed"]))
    finding = audited(numbers, split(numbers, columns))["too_good"]
    assert finding.stops
    assert "'basket' 1.000 give the label away (rank correlation" in finding.reason


def test_the_limit_can_be_declared():
    columns = customers()
    columns["basket"] = np.asarray(columns["lapsed"], float)
    lenient = replace(by_time, audit=LeakAudit(too_good=1.0, tells_apart=1.0))
    assert "too_good" in failed(lenient, split(lenient, columns))
    columns["basket"][::50] = 1 - columns["basket"][::50]
    assert failed(lenient, split(lenient, columns)) == set()
    strict = replace(by_time, audit=LeakAudit(too_good=0.8))
    assert failed(strict, split(strict, customers())) == {"too_good"}


@pytest.mark.parametrize(
    "clock",
    [
        lambda columns: np.arange(len(columns["event_time"]), dtype=float),
        lambda columns: np.array([-time.timestamp() for time in columns["event_time"]]),
        lambda columns: np.array([2.0**53 + 2 * n for n in range(len(columns["event_time"]))]),
    ],
    ids=["row number", "clock", "great row number"],
)
def test_a_row_number_or_a_clock_names_the_split(clock):
    columns = customers()
    columns["tenure"] = clock(columns)
    finding = audited(by_time, split(by_time, columns))["train_against_test"]
    assert not finding.passed
    assert not finding.stops
    assert "most by 'tenure' 1.000" in finding.reason
    assert "a row number or a clock" in finding.reason


@pytest.mark.parametrize("name", at_random)
def test_a_feature_that_was_filled_side_by_side(name):
    """Missing values were filled with another mean in the test rows: no single value names the side for all rows."""
    dataset, columns = at_random[name], customers()
    columns["row"] = np.arange(len(columns["lapsed"]))
    rows = split(dataset, columns)
    side = np.empty(len(columns["row"]), dtype=object)
    side[rows["row"].to_numpy()] = rows["split"].to_pylist()
    fill = np.random.default_rng(0).random(len(side)) < 0.7
    columns["basket"] = np.where(fill, np.where(side == "test", 19.7, 20.1), columns["basket"])
    finding = audited(dataset, split(dataset, columns))["train_against_test"]
    assert not finding.passed
    assert not finding.stops
    assert "should be alike" in finding.reason


def test_trees_are_judged_on_groups_that_they_never_saw():
    """A column that names the entity tells the sides apart, but only of entities that one has seen."""
    groups = np.repeat(np.arange(100), 10)
    tested = (np.random.default_rng(0).permutation(100) < 50)[groups].astype(float)
    values = np.random.default_rng(1).normal(size=100)[groups][:, None]
    assert abs(told_apart(values, tested, groups) - 0.5) < 0.15
    assert told_apart(values, tested, np.arange(1_000)) > 0.75
    assert told_apart(values, tested, groups) == told_apart(values, tested, groups)


def test_columns_of_any_type_become_numbers():
    truth = np.array([0.0, 1.0, 0.0])
    days = pa.chunked_array([pa.array([1, None, 3], pa.timestamp("us", "UTC"))])
    assert column(days, truth)[[0, 2]].tolist() == [1, 3]
    assert np.isnan(column(days, truth)[1])
    assert column(pa.chunked_array([[True, False, True]]), truth).tolist() == [1, 0, 1]
    assert np.isnan(column(pa.chunked_array([pa.nulls(3)]), truth)).all()
    assert np.isnan(column(pa.chunked_array([pa.nulls(3, pa.string())]), truth)).all()
    lengths = column(pa.chunked_array([[[1.0, None], [], None]], pa.list_(pa.float64())), truth)
    assert lengths[:2].tolist() == [2, 0]
    assert np.isnan(lengths[2])


def test_a_feature_that_names_the_class_is_told_from_one_that_hints_at_it():
    draw = np.random.default_rng(0)
    place = draw.integers(0, 3, 2_000)
    truth = pa.chunked_array([np.array(["b", "a", "c"])[place].tolist()])

    def score(values):
        return of_classes(pa.chunked_array([pa.array(values)]), truth)

    assert score(place * 10) == pytest.approx(1)  # also of the class in the middle, which no threshold tells apart
    assert score([f"code {one}" for one in place]) == pytest.approx(1)
    assert score(np.where(draw.random(2_000) < 0.1, None, place).tolist()) > 0.9
    assert 0.6 < score(place + draw.normal(0, 1, 2_000)) < 0.9
    assert score(draw.normal(size=2_000)) < 0.55
    assert np.isnan(of_classes(pa.chunked_array([pa.array([1.0, 2.0])]), pa.chunked_array([pa.array(["a", "b"])])))
