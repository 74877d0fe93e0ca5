from typing import ClassVar

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from platform_ml.checks import Wasserstein
from platform_ml.testing.checks import DriftContract, drawn, judged


class TestWasserstein(DriftContract):
    member: ClassVar = Wasserstein

    def test_it_is_the_distance_in_standard_deviations(self):
        days = drawn(4000, 3000, shift=0.5)
        before, after = (np.array(day["amount"]) for day in days)
        found = judged(Wasserstein("amount", 10), days).numbers["wasserstein"]
        assert found == pytest.approx(wasserstein_distance(before, after) / before.std(), rel=0.05)
