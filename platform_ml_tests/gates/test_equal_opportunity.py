from platform_ml.gates import EqualOpportunity
from platform_ml.testing.gate_kinds import ParityContract


class TestEqualOpportunity(ParityContract):
    member = EqualOpportunity
    measures = ("true_positive_rate",)
    named = "equal_opportunity_by_country"
