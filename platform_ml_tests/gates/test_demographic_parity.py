from platform_ml.gates import DemographicParity
from platform_ml.testing.gate_kinds import ParityContract


class TestDemographicParity(ParityContract):
    member = DemographicParity
    measures = ("selection_rate",)
    named = "demographic_parity_by_country"
