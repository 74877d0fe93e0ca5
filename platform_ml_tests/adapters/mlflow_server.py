"""A real MLflow server that can be killed and started again, and a wire to it that can be cut."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

STARTS_WITHIN = 180


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """`mlflow server` on SQLite, serving artifacts, too."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}", "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "served")]
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            command, env=os.environ | quiet, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urlopen(f"{self.uri}/health", timeout=5).close()  # noqa: S310 - our own
            except OSError:
                time.sleep(0.2)
            else:
                return self
        raise RuntimeError((self.folder / "server.log").read_text()[-3_000:])

    def signal(self, number):
        """The server and its workers."""
        os.killpg(self.process.pid, number)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()


class Wire:
    """Passes requests on to a server until it is cut, after any number of answers: the last one may get lost."""

    def __init__(self, port):
        wire = self
        self.port, self.answers, self.lock = port, None, threading.Lock()
        self.seen = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not wire.passes(self.path):
                    self.close_connection = True
                    return
                there = HTTPConnection("127.0.0.1", wire.port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                there.request(self.command, self.path, body, headers)
                answer = there.getresponse()
                content = answer.read()
                there.close()
                if not wire.answered(self.path):
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "connection", "content-length", "date", "server"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *arguments):
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def cut_after(self, answers, *, lose_answer=False):
        """Let so many answers pass (None: all), whether or not the next request still reaches the server."""
        self.answers, self.lose_answer, self.seen = answers, lose_answer, 0

    def passes(self, path):
        with self.lock:
            if path == "/health" and self.answers != 0:
                return True
            self.seen += 1
            return self.answers is None or self.seen <= self.answers + self.lose_answer

    def answered(self, path):
        with self.lock:
            return path == "/health" or self.answers is None or self.seen <= self.answers

    def close(self):
        self.server.shutdown()
        self.server.server_close()
