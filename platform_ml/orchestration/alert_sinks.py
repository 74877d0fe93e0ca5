"""Which sinks an environment has, said by its variables alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.adapters.log import Log
from platform_ml.engine.alert_book import AlertBook
from platform_ml.spec.alert import Severity
from platform_ml.spec.errors import PlatformError, did_you_mean

if TYPE_CHECKING:
    import logging

    from platform_ml.engine.alerts import Sink
    from platform_ml.orchestration.resources import PlatformResource

WEBHOOK = "PLATFORM_ML_ALERT_WEBHOOK"
"""The address of a Slack-compatible webhook."""
SMTP = "PLATFORM_ML_ALERT_SMTP"
"""smtp://user@host:587?to=...&from=...; the password is in PLATFORM_ML_ALERT_SMTP_PASSWORD."""
PASSWORD, LEVEL = "_PASSWORD", "_LEVEL"
"""What follows the name of a sink's variable; a level is info, warning or error."""
UI_URL = "PLATFORM_ML_UI_URL"
"""Where people open Dagster's page."""
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|WEBHOOK|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIAL", re.IGNORECASE)
"""Variables whose values no message shows."""
IN_URL = re.compile(r"(?<=://)[^\s/@]+@")
SHORTEST = 6
"""Characters: what is shorter is too common to be a secret."""


def sinks(logger: logging.Logger | None = None) -> list[Sink]:
    """The log, and what the environment names besides.

    Raises:
        PlatformError: a variable says something that cannot be used; its value is not repeated.
    """
    found: list[Sink] = [Log(logger=logger) if logger else Log()]
    if url := _said(WEBHOOK):
        from platform_ml.adapters.webhook import Webhook

        found.append(Webhook(url=url, level=_level(WEBHOOK)))
    if url := _said(SMTP):
        from platform_ml.adapters.mail import Mail

        found.append(Mail.of(url, variable=SMTP, password=_said(SMTP + PASSWORD), level=_level(SMTP)))
    return found


def book(platform: PlatformResource) -> AlertBook:
    """Where this environment remembers what it told."""
    return AlertBook(file=Path(platform.data).resolve() / "alerts" / "alerts.db")


def ui(*path: str) -> str:
    """A page of Dagster."""
    return "/".join(((_said(UI_URL) or "http://localhost:3000").rstrip("/"), *path))


def masked(text: str) -> str:
    """A text without the secrets of this environment, and without users and passwords in URLs."""
    secrets = {value for name, value in os.environ.items() if SECRET.search(name) and len(value) >= SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return IN_URL.sub("***@", text)


def _said(name: str) -> str:
    return os.environ.get(name, "").strip()


def _level(name: str) -> Severity:
    said = _said(name + LEVEL).lower() or Severity.INFO
    if said not in list(Severity):
        known = ", ".join(Severity)
        near = did_you_mean(said, map(str, Severity))
        raise PlatformError(f"{name}{LEVEL}={said!r} is no level.{near} Use one of: {known}.")
    return Severity(said)
