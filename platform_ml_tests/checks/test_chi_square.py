from typing import ClassVar

import numpy as np
import pytest
from scipy.stats.contingency import association

from platform_ml.checks import ChiSquare
from platform_ml.testing.checks import DriftContract, drawn, judged


class TestChiSquare(DriftContract):
    member: ClassVar = ChiSquare

    def test_it_is_the_v_of_cramer(self):
        days = drawn(4000, 3000, shift=0.5)
        before, after = (np.unique(day["brand"], return_counts=True)[1] for day in days)
        found = judged(ChiSquare("brand", 10), days).numbers["chi_square"]
        assert found == pytest.approx(association(np.array([before, after]), method="cramer"))
