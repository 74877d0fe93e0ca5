"""What a model has to pass before it is registered: one file per gate."""

from platform_ml.gates.advisory import Advisory
from platform_ml.gates.all_of import AllOf
from platform_ml.gates.any_of import AnyOf
from platform_ml.gates.at_least import AtLeast
from platform_ml.gates.at_most import AtMost
from platform_ml.gates.beats_baseline import BeatsBaseline
from platform_ml.gates.beats_champion import BeatsChampion
from platform_ml.gates.calibrated import Calibrated
from platform_ml.gates.covered import Covered
from platform_ml.gates.demographic_parity import DemographicParity
from platform_ml.gates.drift_of_inputs import DriftOfInputs
from platform_ml.gates.equal_opportunity import EqualOpportunity
from platform_ml.gates.equalised_odds import EqualisedOdds
from platform_ml.gates.human_approval import HumanApproval
from platform_ml.gates.intervals_cover import IntervalsCover
from platform_ml.gates.latency import Latency
from platform_ml.gates.no_leak import NoLeak
from platform_ml.gates.not_overfitted import NotOverfitted
from platform_ml.gates.size import Size
from platform_ml.gates.slice_at_least import SliceAtLeast
from platform_ml.gates.slice_at_most import SliceAtMost
from platform_ml.gates.slice_gap import SliceGap
from platform_ml.gates.slice_intervals_cover import SliceIntervalsCover
from platform_ml.gates.slices_within import SlicesWithin
from platform_ml.gates.stable_clusters import StableClusters
from platform_ml.gates.stable_over_time import StableOverTime

__all__ = [
    "Advisory",
    "AllOf",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "BeatsBaseline",
    "BeatsChampion",
    "Calibrated",
    "Covered",
    "DemographicParity",
    "DriftOfInputs",
    "EqualOpportunity",
    "EqualisedOdds",
    "HumanApproval",
    "IntervalsCover",
    "Latency",
    "NoLeak",
    "NotOverfitted",
    "Size",
    "SliceAtLeast",
    "SliceAtMost",
    "SliceGap",
    "SliceIntervalsCover",
    "SlicesWithin",
    "StableClusters",
    "StableOverTime",
]
