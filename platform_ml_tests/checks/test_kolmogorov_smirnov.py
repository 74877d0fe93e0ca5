from typing import ClassVar

import numpy as np
import pytest
from scipy.stats import ks_2samp

from platform_ml.checks import KolmogorovSmirnov
from platform_ml.testing.checks import DriftContract, drawn, judged


class TestKolmogorovSmirnov(DriftContract):
    member: ClassVar = KolmogorovSmirnov

    def test_it_is_the_greatest_distance_of_distribution_functions(self):
        days = drawn(4000, 3000, shift=0.5)
        before, after = (np.array(day["amount"]) for day in days)
        found = judged(KolmogorovSmirnov("amount", 10), days).numbers["ks"]
        assert found == pytest.approx(ks_2samp(before, after).statistic, abs=0.01)
