"""MLflow's own server application in this process, on a port that can refuse, cut off and lose answers."""

import os
import socket
import threading
import warnings
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import mlflow
from werkzeug.serving import make_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of starlette's, which MLflow imports on the first search
    from mlflow.server import app, fastapi_app, handlers
    from mlflow.server.constants import (
        ARTIFACT_ROOT_ENV_VAR,
        ARTIFACTS_DESTINATION_ENV_VAR,
        BACKEND_STORE_URI_ENV_VAR,
        SERVE_ARTIFACTS_ENV_VAR,
    )

__all__ = ["Hung", "Says", "Server", "Store", "fastapi_app", "free_port"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Store:
    """One database and one artifact folder for MLflow's server code, which has them once per process."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environ = {
            BACKEND_STORE_URI_ENV_VAR: f"sqlite:///{folder / 'mlflow.db'}",
            ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
            ARTIFACTS_DESTINATION_ENV_VAR: str(folder / "served"),
            SERVE_ARTIFACTS_ENV_VAR: "true",
        }

    def __enter__(self):
        self.before = {name: os.environ.get(name) for name in (*self.environ, "MLFLOW_TRACKING_URI")}
        os.environ.update(self.environ)
        handlers._tracking_store = handlers._model_registry_store = handlers._artifact_repo = None
        handlers.initialize_backend_stores(self.environ[BACKEND_STORE_URI_ENV_VAR], None, "mlflow-artifacts:/")
        return self

    def __exit__(self, *error):
        handlers._tracking_store = handlers._model_registry_store = handlers._artifact_repo = None
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)
        for name, value in self.before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@dataclass
class Server:
    """The store behind an address. Cut after so many answers it hangs up, before or after it did what was asked."""

    folder: Path
    port: int = field(default_factory=free_port)
    answers: int | None = None
    """How many more are given; None: all."""
    lose_answer: bool = False
    hangs: bool = False
    """Says nothing, where it would hang up."""
    seen: int = 0
    """Requests since it was last told when to cut, without those for its health."""

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.lock, self.over = threading.Lock(), threading.Event()
        self.http = make_server("127.0.0.1", self.port, self._answer, threaded=True)
        self.http.daemon_threads = True
        self.http.log = lambda *_: None
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    def cut_after(self, answers, *, lose_answer=False):
        """Let so many answers pass (None: all), whether or not the next request still does something."""
        self.answers, self.lose_answer, self.seen, self.hangs = answers, lose_answer, 0, False

    def hang_after(self, answers):
        """Let so many answers pass, and then say nothing more."""
        self.cut_after(answers)
        self.hangs = True

    def _answer(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/health" and (self.hangs or self.answers != 0):
            return app(environ, start_response)
        with self.lock:
            self.seen += 1
            cut = self.answers is not None and self.seen > self.answers
            first = self.answers is not None and self.seen == self.answers + 1
        if not cut:
            return app(environ, start_response)
        if self.lose_answer and first:
            list(app(environ, lambda *_: lambda _: None))
        return self._hang_up(environ)

    def _hang_up(self, environ):
        if self.hangs:
            self.over.wait()
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError(HTTPStatus.SERVICE_UNAVAILABLE.phrase)


class Hung:
    """Takes connections and never says anything."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def __exit__(self, *error):
        self.socket.settimeout(0)
        self.count = 0
        try:
            while True:
                self.socket.accept()[0].close()
                self.count += 1
        except BlockingIOError:
            self.socket.close()

    def asked(self):
        return self.count


class Says:
    """Answers everything with the same status."""

    def __init__(self, status):
        def answer(environ, start_response):
            start_response(f"{status} Broken", [("Content-Length", "0")])
            return [b""]

        self.http = make_server("127.0.0.1", 0, answer, threaded=True)
        self.http.log = lambda *_: None
        self.uri = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.http.server_close()
