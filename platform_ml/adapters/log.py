"""Alerts in the log: always there, and never down."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.alert import Severity

if TYPE_CHECKING:
    from platform_ml.spec.alert import Alert

LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


@dataclass(frozen=True, kw_only=True)
class Log:
    """One line an alert."""

    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("platform_ml.alerts"))
    level: Severity = Severity.INFO
    name: str = "log"

    def send(self, alert: Alert, number: str) -> None:
        """Write it; a message of many lines becomes one, so that none can pass for another."""
        seen = f"Seen {alert.count:,} times." if alert.count > 1 else ""
        step = f"Next: {alert.step}" if alert.step else ""
        line = " ".join(" ".join((f"{alert.what}.", alert.why, seen, step, alert.link)).split())
        self.logger.log(LEVELS[Severity.INFO if alert.resolved else alert.severity], "%s", line)
