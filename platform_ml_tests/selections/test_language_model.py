import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from platform_ml.selections import LanguageModel, MutualInformation, TreeGain
from platform_ml.selections import endpoint as endpoints
from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.testing.selections import SelectionContract, asked, rows

OTHER = MutualInformation()
METHOD = LanguageModel(otherwise=OTHER, timeout_seconds=5.0)
GOOD = json.dumps({"features": [{"name": n, "reason": f"{n} tells."} for n in ("shop", "recency", "amount")]})
INVENTED = GOOD.replace("shop", "shopp")


class Server(ThreadingHTTPServer):
    """Answers in turn with what it was given: a status, a text, or something to do with the request."""

    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests, self.stopped = list(answers), [], threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if callable(answer):
            answer(self)
        elif isinstance(answer, int):
            self.reply(answer, b"{}")
        else:
            self.reply(200, json.dumps({"choices": [{"message": {"content": answer}}]}).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def serving(monkeypatch, *answers):
    with Server(answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        configured = {"URL": server.url, "MODEL": "tiny", "KEY": "secret"}
        for name, value in configured.items():
            monkeypatch.setenv(f"PLATFORM_ML_LLM_{name}", value)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(endpoints, "PAUSE", 0.001)
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def given():
    return rows()


def rank(given, method=METHOD, keep=None):
    return method.rank(given, asked(given, keep), seed=1)


class TestLanguageModel(SelectionContract):
    """Without an endpoint, as most tests of others will meet it."""

    @pytest.fixture
    def method(self, monkeypatch):
        monkeypatch.delenv("PLATFORM_ML_LLM_URL", raising=False)
        return METHOD

    def rank(self, method, given, seed=7, keep=None):
        ranking = super().rank(method, given, seed, keep)
        assert ranking.method == "mutual_information"
        assert "PLATFORM_ML_LLM_URL" in ranking.notes[0]
        object.__setattr__(ranking, "method", method.name)  # the others ask for the name of the member itself
        return ranking


def test_a_good_answer_is_the_ranking(given, monkeypatch):
    with serving(monkeypatch, GOOD) as server:
        found = rank(given)
    assert [one.feature for one in found.features] == ["shop", "recency", "amount", "student", "noise"]
    assert [one.drop for one in found.features] == [False] * 3 + [True] * 2
    assert found.features[0].reason == "shop tells."
    assert found.method == "language_model"
    (path, headers, body), (exchange,) = server.requests[0], found.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert (body["temperature"], body["model"]) == (0, "tiny")
    assert exchange["prompt"] == body["messages"]
    assert (exchange["answer"], exchange["outcome"]) == (GOOD, "accepted")
    assert exchange["answer_sha256"] == hashlib.sha256(GOOD.encode()).hexdigest()
    assert "secret" not in json.dumps(found.asked)


def test_descriptions_are_sent_and_no_values(given, monkeypatch):
    with serving(monkeypatch, GOOD) as server:
        rank(given, keep=3)
    text = json.dumps(server.requests[0][2])
    assert "recency of a customer." in text
    assert "Whether a customer lapses." in text
    assert "the best 3 features" in text
    values = {str(value) for name in ("amount", "shop") for value in given.features[name].to_pylist() if value}
    assert not [value for value in values if value in text]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (INVENTED, "there is no 'shopp'. Did you mean 'shop'?"),
        (GOOD.replace("recency", "shop"), "names 'shop' twice"),
        ("I would take all of them.", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"features": []}', "at least one feature"),
        ('{"features": [{"name": "shop"}]}', "no object with"),
        ('{"features": [{"name": "shop", "reason": " "}]}', "no reason for 'shop'"),
        ('{"features": [{"name": "shop", "reason": "One."}]}', "names 1 features, and 3 are to be kept"),
    ],
)
def test_a_bad_answer_is_refused_and_may_be_corrected_once(given, monkeypatch, bad, complaint):
    with serving(monkeypatch, bad, GOOD) as server:
        found = rank(given, keep=3)
    assert found.method == "language_model"
    assert [one["outcome"].split(":")[0] for one in found.asked] == ["refused", "accepted"]
    assert server.requests[1][2]["messages"][-2] == {"role": "assistant", "content": bad}
    assert complaint in server.requests[1][2]["messages"][-1]["content"]
    with serving(monkeypatch, bad) as server:
        found = rank(given, keep=3)
    assert len(server.requests) == 2
    assert found.features == OTHER.rank(given, asked(given, 3), seed=1).features
    assert complaint in found.notes[0]
    assert "ranked by mutual_information instead" in found.notes[0]
    assert [one["answer"] for one in found.asked] == [bad, bad]


def test_a_fence_around_the_answer_is_no_mistake(given, monkeypatch):
    with serving(monkeypatch, f"```json\n{GOOD}\n```"):
        assert rank(given).method == "language_model"


def test_a_server_that_recovers_is_asked_again(given, monkeypatch):
    with serving(monkeypatch, 500, 503, GOOD) as server:
        assert rank(given).method == "language_model"
    assert len(server.requests) == 3


def test_the_key_goes_nowhere_else(given, monkeypatch):
    def elsewhere(handler):
        handler.send_response(302)
        handler.send_header("Location", handler.server.url + "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(monkeypatch, elsewhere) as server:
        assert "status 302" in rank(given).notes[0]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "complaint", "times"),
    [
        (500, "status 500. It was tried 3 times", 3),
        (401, "status 401", 1),
        (lambda handler: handler.reply(200, b"<html>"), "does not answer as chat completions do", 1),
        (lambda handler: handler.reply(200, b'{"choices": []}'), "does not answer as chat completions do", 1),
        (lambda handler: handler.connection.close(), "does not answer", 3),
    ],
)
def test_a_server_that_does_not_answer_is_given_up(given, monkeypatch, answer, complaint, times):
    with serving(monkeypatch, answer) as server:
        found = rank(given)
    assert complaint in found.notes[0]
    assert found.method == "mutual_information"
    assert len(server.requests) == times
    assert found.asked[0]["answer"] is None
    assert "secret" not in json.dumps([found.notes, found.asked])


def silent(handler):
    handler.server.stopped.wait(30)


def trickling(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.stopped.wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()


@pytest.mark.parametrize("slow", [silent, trickling])
def test_waiting_ends(given, monkeypatch, slow):
    with serving(monkeypatch, slow):
        found = rank(given, LanguageModel(otherwise=OTHER, timeout_seconds=0.1, attempts=1))
    assert re.search(r"does not answer \((Read)?Timeout\)", found.notes[0])


def test_nobody_is_there(given, monkeypatch):
    with serving(monkeypatch, GOOD) as server:
        url = server.url
    monkeypatch.setenv("PLATFORM_ML_LLM_URL", url.replace("http://", "http://me:hidden@"))
    found = rank(given)
    assert "ConnectionError" in found.notes[0]
    assert "hidden" not in json.dumps([found.notes, found.asked])


def test_without_another_method_it_is_an_error(given, monkeypatch):
    monkeypatch.delenv("PLATFORM_ML_LLM_URL", raising=False)
    with pytest.raises(PlatformError, match=r"is not set\. Set PLATFORM_ML_LLM_URL"):
        rank(given, LanguageModel(otherwise=None))


def test_what_it_drops_by_itself_depends_on_the_other():
    assert LanguageModel(otherwise=TreeGain()).decides
    assert not METHOD.decides


@pytest.mark.parametrize("wrong", [{"timeout_seconds": 0}, {"attempts": 0}])
def test_limits(wrong):
    with pytest.raises(DeclarationError, match="LanguageModel: timeout_seconds"):
        LanguageModel(otherwise=OTHER, **wrong)
