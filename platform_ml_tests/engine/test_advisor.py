import pytest

from platform_ml.engine.advisor import advise
from platform_ml.families import Linear, MultilayerPerceptron, RandomForest, XGBoost

TREES, NET, SUM = XGBoost(), MultilayerPerceptron(), Linear()


@pytest.mark.parametrize(
    ("rows", "families", "said"),
    [
        (9_999_999, [TREES], "fewer than 10 million: trees first. XGBoost is that."),
        (9_999_999, [TREES, RandomForest()], "trees first. XGBoost and RandomForest are that."),
        (1_000, [NET], "trees first. MultilayerPerceptron is not: let trees compete with it."),
        (1_000, [SUM, TREES], "trees first. They are among those that compete."),
        (1_000, [SUM, NET], "Linear and MultilayerPerceptron are not: let trees compete with them."),
        (10_000_000, [TREES, NET], "10 to 100 million: try both trees and networks. Both compete."),
        (10_000_000, [TREES], "Let networks compete with XGBoost."),
        (99_999_999, [NET], "Let trees compete with MultilayerPerceptron."),
        (99_999_999, [SUM], "Let both compete with Linear."),
        (100_000_000, [NET], "100 million or more: networks first. MultilayerPerceptron is that."),
        (100_000_000, [TREES], "networks first. XGBoost is not: let a network compete with XGBoost."),
        (100_000_000, [TREES, NET], "networks first. They are among those that compete."),
    ],
)
def test_rows_and_families_decide(rows, families, said):
    assert advise(rows, families).startswith(f"{rows:,} training rows, ")
    assert advise(rows, families).endswith(said)
