"""Alerts by e-mail: plain text and HTML, over TLS wherever the server offers it."""

from __future__ import annotations

import smtplib
import ssl
import time
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

from platform_ml.spec.alert import Severity
from platform_ml.spec.errors import PlatformError, StoreError, UnreachableError
from platform_ml.spec.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.spec.alert import Alert

PORTS = {"smtp": 587, "smtps": 465}
EXAMPLE = "smtp://user@host:587?to=team@example.org&from=platform@example.org"
PERMANENT = 500
"""From here on a server says that it will never take this."""
SUBJECT = 200


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mailbox or more, through one server."""

    host: str
    port: int
    to: tuple[str, ...]
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    """Whether the connection begins with TLS; otherwise STARTTLS is used when it is offered."""
    level: Severity = Severity.INFO
    timeout: float = 10.0
    """Seconds for every answer."""
    retry: Retry = field(default=Retry(attempts=2, first=timedelta(seconds=1)))
    pause: Callable[[float], None] = time.sleep
    context: ssl.SSLContext | None = field(default=None, repr=False)
    """Whom we trust; the machine's certificates if left out."""
    name: str = "mail"

    @classmethod
    def of(cls, url: str, *, variable: str, password: str = "", level: Severity = Severity.INFO) -> Self:
        """What a URL names: smtp:// or smtps://, user, host, port, and who gets mail from whom.

        Raises:
            PlatformError: it is no such URL, or has a password in it. It is not repeated.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise PlatformError(f"{variable} is no URL. Write {EXAMPLE}") from None
        asked = parse_qs(parts.query)
        if parts.password is not None:
            raise PlatformError(f"{variable} has a password in it. Put it into {variable}_PASSWORD.")
        to = tuple(address.strip() for text in asked.get("to", ()) for address in text.split(",") if address.strip())
        sender = asked.get("from", [""])[0]
        if (
            parts.scheme not in PORTS
            or not parts.hostname
            or not to
            or "@" not in sender
            or set(asked) - {"to", "from"}
        ):
            raise PlatformError(f"{variable} does not say how to send mail. Write {EXAMPLE}")
        return cls(
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            to=to,
            sender=sender,
            user=unquote(parts.username or ""),
            password=password,
            tls=parts.scheme == "smtps",
            level=level,
        )

    def send(self, alert: Alert, number: str) -> None:
        """Send it; a second time under the same Message-ID, so that mailboxes can tell.

        Raises:
            UnreachableError: nobody answers, or the server takes nothing from us now.
            StoreError: the message itself is refused for good.
        """
        import tenacity

        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.retry.attempts),
            retry=tenacity.retry_if_exception_type(OSError)  # of which all of smtplib's errors are
            & tenacity.retry_if_not_exception_type(smtplib.SMTPResponseException),
            wait=lambda state: self.retry.wait(state.attempt_number, "mail"),
            sleep=self.pause,
            reraise=True,
        )
        try:
            tries(self._send, self.message(alert, number))
        except smtplib.SMTPDataError as error:
            if error.smtp_code >= PERMANENT:
                raise StoreError(
                    f"{self._where} refuses message {number} ({error.smtp_code}): it is left out."
                ) from None
            raise self._unreachable(error) from None
        except OSError as error:  # which may repeat who we are
            raise self._unreachable(error) from None

    def message(self, alert: Alert, number: str) -> EmailMessage:
        """The mail."""
        made = EmailMessage()
        made["Subject"] = " ".join(f"[{'ok' if alert.resolved else alert.severity}] {alert.what}".split())[:SUBJECT]
        made["From"], made["To"] = self.sender, ", ".join(self.to)
        made["Date"] = format_datetime(alert.when)
        made["Message-ID"] = f"<alert-{number}-{int(alert.when.timestamp() * 1e6)}@{self.sender.rpartition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"
        seen = f"Seen {alert.count:,} times." if alert.count > 1 else ""
        plain = [alert.what, alert.why, seen, f"Next: {alert.step}" if alert.step else "", alert.link]
        made.set_content("\n\n".join(filter(None, plain)) + f"\n\n-- \n{_about(alert)}\n")
        link = f'<p><a href="{escape(alert.link)}">Open in Dagster</a></p>' if alert.link else ""
        step = f"<p><b>Next:</b> {escape(alert.step)}</p>" if alert.step else ""
        page = f"<h2>{escape(alert.what)}</h2><p>{escape(alert.why)}</p><p>{seen}</p>{step}{link}<hr>"
        made.add_alternative(f"<html><body>{page}<p>{escape(_about(alert))}</p></body></html>", subtype="html")
        return made

    def _send(self, message: EmailMessage) -> None:
        trust = self.context or ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=trust)
            if self.tls
            else smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        ) as server:
            server.ehlo()
            if not self.tls and server.has_extn("starttls"):
                server.starttls(context=trust)
                server.ehlo()
            elif not self.tls and self.user and not _is_here(self.host):
                raise smtplib.SMTPNotSupportedError("no TLS, so no password is sent")
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)

    @property
    def _where(self) -> str:
        return f"The mail server {self.host}"

    def _unreachable(self, error: Exception) -> UnreachableError:
        code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
        return UnreachableError(f"{self._where} takes no mail now ({type(error).__name__}{code}).")


def _about(alert: Alert) -> str:
    return ", ".join(filter(None, (alert.severity, alert.owner, f"{alert.when:%Y-%m-%d %H:%M} UTC")))


def _is_here(host: str) -> bool:
    """Whether nobody can listen in between."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
