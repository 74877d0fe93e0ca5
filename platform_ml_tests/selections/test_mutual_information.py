from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import mutual_info_score

from platform_ml.selections import MutualInformation
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.selections import SelectionContract, asked, rows


class TestMutualInformation(SelectionContract):
    @pytest.fixture
    def method(self):
        return MutualInformation(bins=8)


def ranked(features, label):
    given = replace(rows(), features=pa.table(features), label=np.asarray(label, dtype=float))
    return {one.feature: one for one in MutualInformation().rank(given, asked(given), seed=0).features}


def test_a_category_says_what_scikit_learn_says_but_luck():
    label = np.array([0, 1] * 200)
    shop = ["a" if one else "b" for one in label[:300]] + ["c"] * 100
    found = ranked({"shop": shop}, label)["shop"].score
    assert found == pytest.approx(mutual_info_score(label, shop) - 2 * 1 / 800)


def test_that_a_value_is_missing_says_something():
    label = np.array([0, 1] * 200)
    values = np.random.default_rng(1).normal(size=400)
    found = ranked({"gone": pa.array(values, mask=label == 1), "there": pa.array(values)}, label)
    assert found["gone"].score == pytest.approx(np.log(2), abs=0.05)
    assert found["there"].score < 0.05


def test_what_no_line_goes_through_is_found():
    values = np.linspace(-1, 1, 400)
    found = ranked({"square": values, "noise": np.random.default_rng(1).normal(size=400)}, np.abs(values) > 0.5)
    assert found["square"].score > 10 * found["noise"].score


@pytest.mark.parametrize("bins", [1, 1_001])
def test_bins_have_limits(bins):
    with pytest.raises(DeclarationError, match="MutualInformation: bins="):
        MutualInformation(bins=bins)
