from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from platform_ml.selections import Correlation
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.selections import SelectionContract, asked, rows


class TestCorrelation(SelectionContract):
    @pytest.fixture
    def method(self):
        return Correlation()


DRAW = np.random.default_rng(3)
VALUES, NOISE = DRAW.normal(size=400), DRAW.normal(size=400)
LABEL = (VALUES + DRAW.normal(size=400) > 0).astype(float)


def ranked(features, limit=0.95):
    given = replace(rows(), features=pa.table(features), label=LABEL)
    return {one.feature: one for one in Correlation(limit=limit).rank(given, asked(given), seed=0).features}


def test_of_two_that_say_the_same_the_better_one_stays():
    found = ranked({"worse": VALUES + 0.1 * NOISE, "better": VALUES, "other": NOISE})
    assert [name for name, one in found.items() if one.drop] == ["worse"]
    assert "Says what better says" in found["worse"].reason
    assert found["better"].score == pytest.approx(abs(spearmanr(VALUES, LABEL).statistic))


def test_any_order_of_the_same_and_its_contrary_are_the_same():
    found = ranked({"one": VALUES, "turned": -np.exp(VALUES)})
    assert sum(one.drop for one in found.values()) == 1


def test_null_in_other_rows_is_not_the_same():
    found = ranked({"one": pa.array(VALUES, mask=NOISE > 0), "other": pa.array(VALUES, mask=NOISE < 0)})
    assert not any(one.drop for one in found.values())
    found = ranked({"one": pa.array(VALUES, mask=NOISE > 0), "other": pa.array(2 * VALUES, mask=NOISE > 0)})
    assert sum(one.drop for one in found.values()) == 1


def test_two_categories_with_the_same_parts_are_the_same():
    parts = np.where(NOISE > 0.3, "a", "b")
    found = ranked({"one": parts, "other": np.where(parts == "a", "x", "y"), "third": np.where(VALUES > 0, "p", "q")})
    assert [name for name, one in found.items() if one.drop] == ["other"]


@pytest.mark.parametrize("limit", [0, 1.1])
def test_a_correlation_has_limits(limit):
    with pytest.raises(DeclarationError, match="Correlation: limit="):
        Correlation(limit=limit)
