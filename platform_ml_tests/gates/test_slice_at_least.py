import pytest

from platform_ml.gates import SliceAtLeast
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.declarations import lapse_evaluation
from platform_ml.testing.gate_kinds import SliceLimitContract


class TestSliceAtLeast(SliceLimitContract):
    member = SliceAtLeast
    metric, other_metric = "roc_auc", "log_loss"
    limit, good, bad = 0.7, 0.72, 0.6

    def test_name(self, gate):
        assert gate.name == "slices_roc_auc_at_least"

    def test_the_other_direction_is_not_for_it(self):
        with pytest.raises(DeclarationError, match="Use SliceAtMost"):
            SliceAtLeast(metric="log_loss", limit=0.5).check(lapse_evaluation)
