"""What a model has to pass before it is registered: one file per gate."""

from platform_ml.gates.at_least import AtLeast
from platform_ml.gates.at_most import AtMost
from platform_ml.gates.beats_baseline import BeatsBaseline
from platform_ml.gates.slice_at_least import SliceAtLeast
from platform_ml.gates.slice_at_most import SliceAtMost
from platform_ml.gates.slice_gap import SliceGap
from platform_ml.gates.slices_within import SlicesWithin

__all__ = ["AtLeast", "AtMost", "BeatsBaseline", "SliceAtLeast", "SliceAtMost", "SliceGap", "SlicesWithin"]
