"""What training took: measured here, turned into energy only by numbers that somebody declared."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.energy import Energy

FORMULA = "kWh = CPU seconds / 3,600 x watts per core x overhead / 1,000; grams = kWh x grams per kWh"
MEASURED = "CPU seconds of the process that searched and fitted the model, all its threads, and its ended children."
LEFT_OUT = (
    "Not in it: accelerators, making the dataset, evaluating, and trials of attempts that were interrupted before."
)
ELSEWHERE = "Trials ran in other processes, which are not measured: the true cost is higher."


@dataclass(frozen=True, kw_only=True)
class Meter:
    """Two clocks of this process, as they stood when it was made."""

    cpu: float
    wall: float

    @classmethod
    def start(cls) -> Meter:
        """Begin to measure."""
        return cls(cpu=_cpu_seconds(), wall=time.perf_counter())

    def read(self) -> dict[str, float]:
        """Seconds since then, of CPU and of wall clock."""
        return {
            "cpu_seconds": round(_cpu_seconds() - self.cpu, 3),
            "wall_seconds": round(time.perf_counter() - self.wall, 3),
        }


def training_cost(
    compute: Mapping[str, Any], conditions: Mapping[str, str], energy: Energy | None
) -> dict[str, Any] | None:
    """What a card says of the cost; None where nothing was measured.

    Args:
        compute: what the model's record holds: cpu_seconds, wall_seconds, elsewhere.
        conditions: device and processor.
        energy: as declared; None: no energy is estimated.
    """
    if not compute:
        return None
    device, processor = (conditions.get(name, "") for name in ("device", "processor"))
    notes = [MEASURED, LEFT_OUT, *([ELSEWHERE] if compute["elsewhere"] else [])]
    estimate = energy.estimate(compute["cpu_seconds"]) if energy else None
    said = {**compute, "device": device, "processor": processor}
    return {**said, "formula": FORMULA, "notes": notes, "energy": estimate}


def _cpu_seconds() -> float:
    """Of this process and its ended children, user and system; Windows does not count children."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
