import pytest

from platform_ml.gates import SliceAtMost
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.declarations import lapse_evaluation
from platform_ml.testing.gate_kinds import SliceLimitContract


class TestSliceAtMost(SliceLimitContract):
    member = SliceAtMost
    metric, other_metric = "log_loss", "roc_auc"
    limit, good, bad = 0.5, 0.48, 0.6

    def test_name(self, gate):
        assert gate.name == "slices_log_loss_at_most"

    def test_the_other_direction_is_not_for_it(self):
        with pytest.raises(DeclarationError, match="Use SliceAtLeast"):
            SliceAtMost(metric="roc_auc", limit=0.5).check(lapse_evaluation)
