import numpy as np
import pytest

from platform_ml.selections import ShapSelection
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.selections import SelectionContract, asked, rows


class TestShapSelection(SelectionContract):
    @pytest.fixture
    def method(self):
        return ShapSelection(rounds=20)


def test_scores_are_shares_of_all_that_moves_predictions():
    given = rows()
    found = ShapSelection(rounds=20).rank(given, asked(given), seed=1).features
    assert np.isclose(sum(one.score for one in found), 1.0)
    assert found[0].reason.endswith("of all by which features move predictions is due to it.")


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"most_rows": 0}, {"explained_rows": 0}])
def test_limits(wrong):
    with pytest.raises(DeclarationError, match="1 or more"):
        ShapSelection(**wrong)
