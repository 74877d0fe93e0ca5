from typing import ClassVar

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from platform_ml.checks import JensenShannon
from platform_ml.testing.checks import DriftContract, drawn, judged


class TestJensenShannon(DriftContract):
    member: ClassVar = JensenShannon

    def test_it_is_the_distance_to_the_base_2(self):
        days = drawn(4000, 3000, shift=0.5)
        before, after = (np.unique(day["brand"], return_counts=True)[1] for day in days)
        found = judged(JensenShannon("brand", 10), days).numbers["jensen_shannon"]
        assert found == pytest.approx(jensenshannon(before, after, base=2))
