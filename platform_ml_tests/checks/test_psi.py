from typing import ClassVar

import numpy as np
import pytest

from platform_ml.checks import PSI
from platform_ml.testing.checks import DriftContract, drawn, judged


class TestPSI(DriftContract):
    member: ClassVar = PSI

    def test_it_is_the_sum_over_deciles_of_the_reference(self):
        days = drawn(4000, 3000, shift=0.5)
        before, after = (np.array(day["amount"]) for day in days)
        found = judged(PSI("amount", 10), days).numbers["psi"]
        edges = np.quantile(before, np.arange(1, 10) / 10)
        a, b = (np.bincount(np.searchsorted(edges, side), minlength=10) / len(side) for side in (before, after))
        assert found == pytest.approx(np.sum((b - a) * np.log(b / a)), rel=0.1)
