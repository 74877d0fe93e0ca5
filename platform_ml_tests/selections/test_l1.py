from dataclasses import replace

import pytest

from platform_ml.selections import L1
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.selections import SelectionContract, asked, rows


class TestL1(SelectionContract):
    @pytest.fixture
    def method(self):
        return L1(penalty=0.02)


def dropped(penalty, given):
    return {one.feature for one in L1(penalty=penalty).rank(given, asked(given), seed=1).features if one.drop}


@pytest.mark.parametrize("task", [REGRESSION, "binary"])
def test_the_greater_the_penalty_the_fewer_are_left(task):
    given = rows(task) if task is REGRESSION else rows()
    assert dropped(1e-6, given) == set()
    assert dropped(0.05, given) <= dropped(0.2, given)
    assert len(dropped(100.0, given)) == len(given.features.column_names)


def test_the_unit_of_the_label_does_not_matter():
    given = rows(REGRESSION)
    first, second = (
        L1().rank(one, asked(one), seed=1).features for one in (given, replace(given, label=1_000 * given.label))
    )
    for one, other in zip(first, second, strict=True):
        assert (one.feature, one.score) == (other.feature, pytest.approx(other.score, rel=1e-3))


@pytest.mark.parametrize("wrong", [{"penalty": 0.0}, {"penalty": float("inf")}, {"most_rows": 0}])
def test_limits(wrong):
    with pytest.raises(DeclarationError, match="L1: penalty="):
        L1(**wrong)
