"""An endpoint that speaks OpenAI's chat completions, asked with patience that ends."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Statuses after which the same question may be answered."""
PAUSE = 0.5
"""Seconds before the second attempt; doubled after each."""
OK = 200
LARGEST = 4_000_000
"""Bytes of an answer."""
PATH = "/chat/completions"


class Unanswered(Exception):  # noqa: N818 - said to the reader, not raised at them
    """The endpoint gave no answer; why, as a sentence without secrets."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where to ask, and how long to wait."""

    url: str
    """Of the API, such as https://host/v1."""
    model: str
    key: str = field(default="", repr=False)
    timeout_seconds: float
    attempts: int

    @property
    def shown(self) -> str:
        """The address without user, password and query."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def ask(self, messages: Sequence[Mapping[str, str]]) -> str:
        """What the model answers, at temperature 0; `Unanswered` when all attempts failed."""
        requests = library("requests", extra="http", user="LanguageModel")
        broken = requests.RequestException, library("urllib3", extra="http", user="LanguageModel").exceptions.HTTPError
        why = ""
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                status, body = self._post(requests, messages)
            except (*broken, OSError, ValueError) as error:
                why = f"{self.shown} does not answer ({type(error).__name__})."
                continue
            if status == OK:
                return self._content(body)
            why = f"{self.shown} answers with status {status}."
            if status not in BUSY:
                break
        tried = f" It was tried {attempt + 1} times." if attempt else ""
        raise Unanswered(f"{why}{tried}")

    def _post(self, requests: Any, messages: Sequence[Mapping[str, str]]) -> tuple[int, bytes]:
        """One attempt, within the time for all of it; a redirect is not followed, since the key is not for others."""
        ends = time.monotonic() + self.timeout_seconds
        base = self.url.rstrip("/")
        with requests.post(
            base if base.endswith(PATH) else base + PATH,
            json={"model": self.model, "messages": list(messages), "temperature": 0},
            headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {}),
            timeout=self.timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as answered:
            body = b""
            while chunk := answered.raw.read1(1 << 16):  # what has come, so that a trickle cannot go on for ever
                body += chunk
                if time.monotonic() > ends:
                    raise requests.Timeout
                if len(body) > LARGEST:
                    raise Unanswered(f"{self.shown} answers with more than {LARGEST:,} bytes.")
            return answered.status_code, body

    def _content(self, body: bytes) -> str:
        try:
            content = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            content = None
        if not isinstance(content, str):
            raise Unanswered(f"{self.shown} does not answer as chat completions do.")
        return content
