from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.learnable import check_rows
from platform_ml.spec.errors import RowsError
from platform_ml.spec.task import MULTICLASS, RANKING, REGRESSION
from platform_ml.testing.declarations import lapse_model
from platform_ml.testing.families import FEATURES, invented
from platform_ml_tests.engine.test_preparation import rows

WHERE = "shop/lapse_model cannot learn from dataset 'lapse_dataset': "


def splits(**changes):
    features = {name: value for name, value in changes.items() if name == "features"}
    return {"train": replace(invented(1), **changes), "validation": replace(invented(2), **features)}


def with_feature(values, name="noise"):
    features = invented(1).features
    return splits(features=features.set_column(features.column_names.index(name), name, values))


def complaint(found):
    with pytest.raises(RowsError) as error:
        check_rows(lapse_model, found, project="shop")
    text = str(error.value)
    assert text.startswith(WHERE)
    assert text.endswith("Nothing was trained or registered.")
    return text.removeprefix(WHERE)


def test_good_rows_pass_without_a_word():
    assert check_rows(lapse_model, splits(), project="shop") is None


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_is_refused(split, label):
    found = splits() | {split: replace(invented(1), label=np.full(400, label))}
    assert complaint(found).startswith(f"all 400 labels of its {split} split are {label:g}. With one class")


def test_one_number_is_refused():
    numbers = splits() | {"train": replace(invented(1, task=REGRESSION), label=np.full(400, 2.5))}
    assert "are 2.5. There is nothing to learn" in complaint(numbers)


@pytest.mark.parametrize(("value", "words"), [(2.0, "is 2, not 0 or 1"), (np.nan, "is nan"), (np.inf, "is inf")])
def test_labels_that_are_none_are_refused(value, words):
    assert words in complaint(splits(label=np.array([0.0, value] * 200)))


@pytest.mark.parametrize("count", [0, 10])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_ten_rows_are_refused(split, count):
    small = invented(1)
    small = replace(small, features=small.features.slice(0, count), label=small.label[:count])
    assert complaint(splits() | {split: small}).startswith(f"its {split} split has {count or 'no'} rows, and 20")


def test_an_infinite_value_is_refused_wherever_it_is():
    values = pa.array([float("inf")] + [0.5] * 399)
    assert "feature 'noise' is infinite in 1 rows of its train split" in complaint(with_feature(values))
    found = splits() | {"validation": with_feature(values)["train"]}
    assert "feature 'noise' is infinite in 1 rows of its validation split" in complaint(found)


def test_lists_are_looked_into_but_not_compared():
    kind = pa.list_(pa.float64())
    values = pa.array([[1.0, None]] * 400, kind)
    assert check_rows(lapse_model, with_feature(values), project="shop") is None
    bad = pa.array([*[[1.0, None]] * 399, [2.0, float("inf")]], kind)
    assert "'noise' has infinite values in lists of its train split" in complaint(with_feature(bad))
    assert "'noise' is null in all 400 rows" in complaint(with_feature(pa.nulls(400, kind)))


def test_a_feature_without_a_value_is_refused():
    assert "feature 'noise' is null in all 400 rows" in complaint(with_feature(pa.nulls(400, pa.float64())))


def test_a_feature_that_is_there_twice_is_refused():
    features = invented(1).features
    features = features.append_column("noise", features["amount"])
    assert "it has feature 'noise' twice" in complaint(splits(features=features))


def test_all_that_is_wrong_is_said_at_once():
    features = invented(1).features
    for name in FEATURES:
        features = features.set_column(features.column_names.index(name), name, pa.nulls(400, pa.float64()))
    text = complaint(splits(features=features))
    assert "'recency'" in text
    assert "And 1 more." in text


@pytest.mark.parametrize("values", [pa.array([3] * 400), pa.array(["a"] * 400), pa.array([True] * 400)])
def test_a_constant_is_refused_by_name(values):
    text = complaint(with_feature(values))
    assert f"feature 'noise' is {values[0].as_py()} in all 400 training rows; drop it." in text


def test_a_value_beside_nulls_is_no_constant():
    assert check_rows(lapse_model, with_feature(pa.array([1, None] * 200)), project="shop") is None


@pytest.mark.parametrize("name", FEATURES)
def test_equal_features_are_refused_with_both_names(name):
    features = invented(1).features
    text = complaint(splits(features=features.append_column("more", features[name])))
    assert f"features '{name}' and 'more' are equal in all training rows; drop one." in text


def test_equal_but_for_one_row_is_not_equal():
    values = [Decimal(n % 7) for n in range(400)]
    other = [*values[:398], values[399], values[398]]
    features = invented(1).features.append_column("one", pa.array(values)).append_column("two", pa.array(other))
    assert check_rows(lapse_model, splits(features=features), project="shop") is None
    gone = [None, *values[1:]]
    features = features.set_column(5, "two", pa.array(gone))
    assert check_rows(lapse_model, splits(features=features), project="shop") is None


def test_both_splits_are_needed():
    assert check_rows(lapse_model, {"train": rows(1), "validation": rows(2)}, project="shop") is None


@pytest.mark.parametrize(
    ("task", "changes", "said"),
    [
        (MULTICLASS, {"label": np.full(400, 1.0)}, "all 400 labels of its train split are 'low'. With one class"),
        (MULTICLASS, {"classes": tuple(map(str, range(1_001)))}, "its label has 1,001 classes, a name rather than"),
        (RANKING, {"label": np.arange(400.0) - 1}, "a label of its train split is -1, but a relevance is 0 or more"),
        (RANKING, {"group": np.arange(400)}, "each row of its train split is a group of its own"),
    ],
)
def test_classes_and_rankings_that_cannot_be_learned_are_refused(task, changes, said):
    found = splits() | {"train": replace(invented(1, task=task), **changes)}
    assert complaint(found).startswith(said)


@pytest.mark.parametrize("task", [MULTICLASS, RANKING])
def test_good_classes_and_rankings_pass(task):
    found = {"train": invented(1, task=task), "validation": invented(2, task=task)}
    assert check_rows(lapse_model, found, project="shop") is None
