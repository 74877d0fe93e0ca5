"""What computing costs: the electricity that a busy core draws, and what its making emits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from platform_ml.spec.errors import DeclarationError

SECONDS_PER_HOUR = 3_600.0


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Where a model is trained, as numbers that its owner answers for: they are declared, never guessed.

    After Lannelongue, Grealey and Inouye 2021 (Green Algorithms: quantifying the carbon footprint of computation),
    with the memory's draw in the core's: kWh = CPU hours x watts per core x overhead / 1,000.
    """

    watts_per_core: float
    """Of a core at work, with its share of memory and board."""
    grams_per_kwh: float
    """CO2 equivalents that a kilowatt-hour of this grid emits."""
    source: str
    """Where these numbers come from, and of which year and place they are."""
    overhead: float = 1.0
    """Power usage effectiveness: what the building draws for each watt of computing; 1 is nothing beside it."""
    location: str = ""

    def __post_init__(self) -> None:
        where = f"Energy {self.source!r}"
        if not any(map(str.isalnum, self.source)):
            raise DeclarationError("Energy: source is empty. Say where the numbers come from.")
        for name, least in (("watts_per_core", 0.0), ("grams_per_kwh", 0.0), ("overhead", 1.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least) or (name == "watts_per_core" and not value):
                raise DeclarationError(f"{where}: {name} is {value}. Use a number of {least:g} or more, in its unit.")

    def estimate(self, cpu_seconds: float) -> dict[str, Any]:
        """Kilowatt-hours and grams of CO2 equivalents for so many seconds of one core, with all that they are made of.

        >>> Energy(watts_per_core=10, grams_per_kwh=300, source="meter", overhead=1.2).estimate(7_200)["kwh"]
        0.024
        """
        kwh = cpu_seconds / SECONDS_PER_HOUR * self.watts_per_core * self.overhead / 1_000
        return {
            "cpu_seconds": cpu_seconds,
            "watts_per_core": self.watts_per_core,
            "overhead": self.overhead,
            "grams_per_kwh": self.grams_per_kwh,
            "source": self.source,
            "location": self.location,
            "kwh": kwh,
            "grams_co2eq": kwh * self.grams_per_kwh,
        }
