"""Alerts as messages of a chat: JSON as Slack, Mattermost and others take it, posted to an address that is a secret."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from platform_ml.spec.alert import Severity
from platform_ml.spec.errors import PlatformError, StoreError, UnreachableError
from platform_ml.spec.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from tenacity import RetryCallState

    from platform_ml.spec.alert import Alert

HEADER, SECTION, FALLBACK = 150, 2_900, 2_900
"""Characters that Slack takes at most (3,000 of a section), with room for an ellipsis."""
MARKS = {Severity.INFO: "🔵", Severity.WARNING: "🟠", Severity.ERROR: "🔴"}
POISON = (400, 413, 422)
"""Answers that say something about this one message; all others are about the sink, which may come back."""
PATIENCE = 10.0
"""Seconds that we wait at most because the other side asks for it; what takes longer waits in the outbox."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One address that takes Slack-compatible JSON."""

    url: str = field(repr=False)
    """Whoever knows it can write there: it is in no message, log or error."""
    level: Severity = Severity.INFO
    timeout: float = 5.0
    """Seconds for a connection, and for an answer."""
    retry: Retry = field(default=Retry(attempts=3, first=timedelta(seconds=1), longest=timedelta(seconds=4)))
    pause: Callable[[float], None] = time.sleep
    name: str = "webhook"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PlatformError("The address of the webhook is none: it begins with https:// and names a host.")

    def send(self, alert: Alert, number: str) -> None:
        """Post it; a second time under the same Idempotency-Key, for those who know that header.

        Raises:
            UnreachableError: no connection, no answer in time, 429, 5xx, or an address that is not there.
            StoreError: the message itself is refused.
        """
        import requests
        import tenacity

        _tell_no_address()

        def post() -> requests.Response:
            return requests.post(
                self.url,
                json=slack(alert),
                timeout=self.timeout,
                headers={"Idempotency-Key": number},
                allow_redirects=False,
            )

        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.retry.attempts),
            retry=tenacity.retry_if_exception_type((requests.ConnectionError, requests.Timeout))
            | tenacity.retry_if_result(_may_pass),
            wait=self._wait,
            sleep=self.pause,
            retry_error_callback=_last,
        )
        try:
            answer = tries(post)
        except requests.RequestException as error:  # whose text has the whole address in it
            raise UnreachableError(f"{self._where} does not answer ({type(error).__name__}).") from None
        if answer.status_code in POISON:
            raise StoreError(f"{self._where} refuses message {number} ({answer.status_code}): it is left out.")
        if not answer.ok or answer.is_redirect:
            raise UnreachableError(f"{self._where} answers {answer.status_code} {answer.reason}.")

    @property
    def _where(self) -> str:
        return f"The webhook at {urlsplit(self.url).hostname}"

    def _wait(self, state: RetryCallState) -> float:
        asked = ""
        if state.outcome and not state.outcome.failed:
            asked = state.outcome.result().headers.get("Retry-After", "")
        own = self.retry.wait(state.attempt_number, "webhook")
        return min(float(asked), PATIENCE) if asked.isdecimal() else own


def _tell_no_address() -> None:
    """What the library below says of every request has the whole address in it."""
    chatty = logging.getLogger("urllib3.connectionpool")
    chatty.setLevel(max(logging.INFO, chatty.level))


def _may_pass(answer: requests.Response) -> bool:
    return answer.status_code == 429 or answer.status_code >= 500  # noqa: PLR2004 - too many requests; their fault


def _last(state: RetryCallState) -> Any:
    """What the last attempt gave: an answer, or its error."""
    return state.outcome.result() if state.outcome else None


def slack(alert: Alert) -> dict[str, Any]:
    """The message as blocks, and as plain text for notifications.

    https://api.slack.com/reference/messaging/payload: the signs &, < and > are escaped, and nothing else.
    """
    mark = "✅" if alert.resolved else MARKS[alert.severity]
    about = [alert.severity if not alert.resolved else "resolved", alert.owner, f"{alert.when:%Y-%m-%d %H:%M} UTC"]
    about += [f"seen {alert.count:,} times"] if alert.count > 1 else []
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _short(f"{mark} {alert.what}", HEADER)}},
        _section(_escaped(_short(alert.why, SECTION))),
    ]
    if alert.step:
        blocks.append(_section(f"*Next:* {_escaped(_short(alert.step, SECTION))}"))
    if alert.link:
        blocks.append(_section(f"<{_escaped(alert.link).replace('|', '%7C')}|Open in Dagster>"))
    said = " · ".join(filter(None, about))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(said)}]})
    plain = f"{mark} {alert.what}\n{alert.why}\nNext: {alert.step}\n{alert.link}".strip()
    return {"text": _escaped(_short(plain, FALLBACK)), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    # Escaping makes a text longer than it was cut to.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
