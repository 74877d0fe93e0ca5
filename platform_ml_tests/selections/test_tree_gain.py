from dataclasses import replace

import numpy as np
import pytest

from platform_ml.selections import TreeGain
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.selections import SelectionContract, asked, rows


class TestTreeGain(SelectionContract):
    @pytest.fixture
    def method(self):
        return TreeGain(rounds=20)


def test_gains_are_shares_and_what_is_never_split_on_is_dropped():
    given = rows()
    rare = given.features["amount"].combine_chunks().is_null().to_numpy(zero_copy_only=False)
    rare[np.flatnonzero(rare)[2:]] = False  # two rows are fewer than any leaf takes
    given = replace(given, features=given.features.append_column("rare", [rare]))
    found = TreeGain(rounds=20).rank(given, asked(given), seed=1).features
    assert sum(one.score for one in found) == pytest.approx(1.0)
    assert [(one.feature, one.reason) for one in found if one.drop] == [("rare", "No tree splits on it.")]


def test_of_many_rows_some_are_looked_at():
    given = rows(count=2_000)
    found, some = (TreeGain(rounds=5, most_rows=most).rank(given, asked(given), seed=1) for most in (2_000, 500))
    assert found != some
    assert some.features[0].feature in {"recency", "shop"}


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"most_rows": 0}])
def test_limits(wrong):
    with pytest.raises(DeclarationError, match="1 or more"):
        TreeGain(**wrong)
