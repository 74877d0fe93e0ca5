"""What a model has to pass before it is registered: one file per gate."""

from platform_ml.gates.at_least import AtLeast
from platform_ml.gates.at_most import AtMost
from platform_ml.gates.beats_baseline import BeatsBaseline
from platform_ml.gates.slices_within import SlicesWithin

__all__ = ["AtLeast", "AtMost", "BeatsBaseline", "SlicesWithin"]
