import pytest

from platform_ml.selections import RecursiveElimination
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.selections import SelectionContract, asked, rows


class TestRecursiveElimination(SelectionContract):
    finds = (
        "recency",
        "amount",
    )  # a forest takes levels by frequency: one that is neither first nor last costs two cuts

    @pytest.fixture
    def method(self):
        return RecursiveElimination(trees=8)


def test_it_goes_down_to_what_is_kept_and_says_when():
    given = rows()
    found = RecursiveElimination(trees=8).rank(given, asked(given, keep=3), seed=1).features
    assert [one.score for one in found] == [1.0, 1.0, 1.0, pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert found[-1].reason == "It was dropped in round 1 of 2."
    assert found[0].reason.startswith("It was left in the end, with ")


@pytest.mark.parametrize("wrong", [{"step": 0.0}, {"step": 1.0}, {"trees": 0}, {"most_rows": 0}])
def test_limits(wrong):
    with pytest.raises(DeclarationError, match="RecursiveElimination: step="):
        RecursiveElimination(**wrong)
