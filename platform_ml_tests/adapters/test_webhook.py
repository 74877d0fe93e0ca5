"""Against a real server of this machine."""

import json
import logging
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from platform_ml.adapters.log import Log
from platform_ml.adapters.webhook import Webhook, slack
from platform_ml.spec.alert import Alert, Kind, Severity
from platform_ml.spec.errors import PlatformError, StoreError, UnreachableError

ALERT = Alert(
    kind=Kind.GATE,
    severity=Severity.ERROR,
    project="shop",
    asset="lapse_card",
    why="beats_majority: 0.61 < 0.7 & <b>no</b> more.",
    step="Open the card: platform-ml card lapse@2024-06-10",
    link="http://localhost:3000/runs/1",
    when=datetime(2024, 6, 11, 7, tzinfo=UTC),
    partitions=("2024-06-10",),
    owner="team:shop",
    count=3,
)
SECRET = "T000/B000/verysecretpath"


@contextmanager
def server(*answers):
    """A chat that gives these answers, the last one for ever; and what it was sent."""
    left, got = list(answers), []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers, json.loads(body)))
            status, headers = left.pop(0) if len(left) > 1 else left[0]
            if status is None:  # slow: it says nothing until the other side has gone
                over.wait(5)
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    over = threading.Event()
    chat = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    thread = threading.Thread(target=chat.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{chat.server_port}/services/{SECRET}", got
    finally:
        over.set()
        chat.shutdown()
        thread.join()
        chat.server_close()


@pytest.fixture
def pauses():
    return []


def hook(url, pauses, **changed):
    return Webhook(url=url, pause=pauses.append, **changed)


def test_the_message_is_what_slack_takes(pauses):
    with server((200, {})) as (url, got):
        hook(url, pauses).send(ALERT, "7")
    ((path, headers, said),) = got
    assert path == f"/services/{SECRET}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "7"
    assert set(said) == {"text", "blocks"}
    assert [block["type"] for block in said["blocks"]] == ["header", "section", "section", "section", "context"]
    header, why, step, link, about = said["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "🔴 Gate failed: shop/lapse_card, 2024-06-10"}
    assert why["text"]["text"] == "beats_majority: 0.61 &lt; 0.7 &amp; &lt;b&gt;no&lt;/b&gt; more."
    assert step["text"]["text"] == "*Next:* Open the card: platform-ml card lapse@2024-06-10"
    assert link["text"] == {"type": "mrkdwn", "text": "<http://localhost:3000/runs/1|Open in Dagster>"}
    assert about["elements"][0]["text"] == "error · team:shop · 2024-06-11 07:00 UTC · seen 3 times"
    assert said["text"].startswith("🔴 Gate failed: shop/lapse_card, 2024-06-10\nbeats_majority: 0.61 &lt; 0.7")
    assert pauses == []


def test_what_is_long_is_cut_to_what_slack_takes():
    said = slack(replace(ALERT, why="&<" * 5_000, asset="a" * 300, link="", step=""))
    header, why, _ = said["blocks"]
    assert len(header["text"]["text"]) == 150
    assert len(why["text"]["text"]) <= 3_000


def test_that_it_is_over_is_green():
    said = slack(replace(ALERT, resolved=True, count=1))
    assert said["blocks"][0]["text"]["text"].startswith("✅ Resolved, gate failed")
    assert "resolved · team:shop" in said["blocks"][-1]["elements"][0]["text"]


def test_a_fault_that_passes_is_tried_again(pauses):
    with server((500, {}), (200, {})) as (url, got):
        hook(url, pauses).send(ALERT, "7")
    assert len(got) == 2
    assert len(pauses) == 1


@pytest.mark.parametrize(("asked", "waited"), [("2", 2.0), ("3600", 10.0)])
def test_it_waits_as_long_as_it_is_asked_to_within_reason(pauses, asked, waited):
    with server((429, {"Retry-After": asked}), (200, {})) as (url, _):
        hook(url, pauses).send(ALERT, "7")
    assert pauses == [waited]


@pytest.mark.parametrize(
    ("status", "says"), [(503, "answers 503"), (404, "answers 404"), (410, "answers 410"), (302, "answers 302")]
)
def test_a_sink_that_is_gone_may_come_back(pauses, status, says):
    with server((status, {"Location": "http://127.0.0.1:9/"})) as (url, got), pytest.raises(UnreachableError) as failed:
        hook(url, pauses).send(ALERT, "7")
    assert f"The webhook at 127.0.0.1 {says}" in str(failed.value)
    assert len(got) == (3 if status >= 500 else 1)


def test_a_message_that_is_refused_is_not_tried_again(pauses):
    with server((400, {})) as (url, got), pytest.raises(StoreError, match="refuses message 7") as failed:
        hook(url, pauses).send(ALERT, "7")
    assert not isinstance(failed.value, UnreachableError)
    assert len(got) == 1


def test_nobody_waits_for_a_slow_one(pauses):
    with server((None, {})) as (url, _), pytest.raises(UnreachableError, match="does not answer"):
        hook(url, pauses, timeout=0.1).send(ALERT, "7")
    assert len(pauses) == 2


def test_no_error_and_no_log_has_the_address_in_it(pauses, caplog):
    caplog.set_level(logging.DEBUG)
    with server((200, {})) as (url, got):
        sink = hook(url, pauses)
        sink.send(ALERT, "6")
    assert len(got) == 1
    with caplog.at_level(logging.DEBUG), pytest.raises(UnreachableError) as failed:
        sink.send(ALERT, "7")
    assert "ConnectionError" in str(failed.value)
    assert failed.value.__cause__ is None
    for text in (str(failed.value), repr(sink), caplog.text):
        assert SECRET not in text
    with pytest.raises(PlatformError, match="begins with https://") as wrong:
        Webhook(url=f"htp:/{SECRET}")
    assert SECRET not in str(wrong.value)


def test_the_log_has_one_line_an_alert(caplog):
    with caplog.at_level(logging.INFO):
        Log().send(replace(ALERT, why="First\nALERT second"), "7")
        Log().send(replace(ALERT, resolved=True, when=ALERT.when + timedelta(hours=1)), "8")
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("ERROR", "INFO")
    assert first.getMessage() == (
        "Gate failed: shop/lapse_card, 2024-06-10. First ALERT second Seen 3 times. "
        "Next: Open the card: platform-ml card lapse@2024-06-10 http://localhost:3000/runs/1"
    )
