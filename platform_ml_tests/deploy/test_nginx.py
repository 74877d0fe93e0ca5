"""The guard, as nginx itself runs it, in front of servers that say what reached them."""

import base64
import hashlib
import http.client
import os
import re
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from platform_ml_tests.origins.postgres import free_port

CONF = Path(__file__).parents[2] / "deploy" / "nginx" / "platform.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ALL = os.environ.get("PLATFORM_ML_ALL_TESTS") == "1"

pytestmark = pytest.mark.skipif(NGINX is None and not ALL, reason="nginx is not installed")

PASSWORDS = {"alice": "s3cret", "bob": "hunter2"}
MUTATION = b'{"query": "mutation { wipe }"}'
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}


class Upstream(BaseHTTPRequestHandler):
    """Says who it is and what it was sent; a websocket is echoed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(self.rfile.read(4))
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(self)
        body = self.server.name.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, *said):
        pass


@pytest.fixture(scope="module")
def upstreams():
    """Webserver, read-only webserver and MLflow."""
    servers = {}
    for name in ("webserver", "viewer", "mlflow"):
        server = servers[name] = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        server.name, server.seen = name, []
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield servers
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def guard(tmp_path_factory, upstreams):
    """The port that nginx listens on, with the shipped file and other addresses."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    hashed = {name: base64.b64encode(hashlib.sha1(word.encode()).digest()).decode() for name, word in PASSWORDS.items()}  # noqa: S324 - one of nginx's formats, for made-up passwords
    (folder / "htpasswd").write_text("".join(f"{name}:{{SHA}}{word}\n" for name, word in hashed.items()))
    (folder / "operators").write_text("alice operator;\n")
    text = CONF.read_text().replace("/run/secrets/", f"{folder}/").replace("listen 8080", f"listen 127.0.0.1:{port}")
    for name, server in upstreams.items():
        text, found = re.subn(rf"server {name}:\d+;", f"server 127.0.0.1:{server.server_port};", text)
        assert found == 1
    (folder / "platform.conf").write_text(text)
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\npid {folder}/pid;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}include {folder}/platform.conf;\n}}\n"
    )
    assert NGINX, "nginx is not installed: apt-get install nginx-light"
    command = [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                assert ask(port, "/healthz", user=None)[0] == 200
                break
            except OSError:
                assert process.poll() is None, (folder / "error.log").read_text()
                assert time.monotonic() < end
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def ask(port, path, method="GET", *, user="alice", body=None, word=None, **headers):
    """Status, body and headers of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if user:
        signed = f"{user}:{word or PASSWORDS[user]}"
        sent["Authorization"] = f"Basic {base64.b64encode(signed.encode()).decode()}"
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, (b"" if answer.status == 101 else answer.read()).decode(), dict(answer.headers)
    finally:
        connection.close()


def own(port, scheme="http"):
    return f"{scheme}://127.0.0.1:{port}"


def test_nobody_gets_in_without_the_right_password(guard, upstreams):
    before = [len(server.seen) for server in upstreams.values()]
    assert ask(guard, "/", user=None)[0] == 401
    assert ask(guard, "/", word="wrong")[0] == 401
    assert ask(guard, "/graphql", "POST", user=None, body=MUTATION)[0] == 401
    assert ask(guard, "/mlflow/", user=None)[0] in {401, 403}
    assert [len(server.seen) for server in upstreams.values()] == before


def test_operators_reach_the_webserver_and_others_the_one_that_only_shows(guard):
    assert ask(guard, "/runs")[:2] == (200, "webserver")
    assert ask(guard, "/runs", user="bob")[:2] == (200, "viewer")
    assert ask(guard, "/graphql", "POST", body=MUTATION)[:2] == (200, "webserver")
    assert ask(guard, "/graphql", "POST", body=MUTATION, user="bob")[:2] == (200, "viewer")
    assert ask(guard, "/mlflow/")[:2] == (200, "mlflow")
    assert ask(guard, "/mlflow/", user="bob")[0] == 403
    assert ask(guard, "/report_asset_materialization/a", "POST", body=b"{}")[:2] == (200, "webserver")
    assert ask(guard, "/report_asset_materialization/a", "POST", body=b"{}", user="bob")[0] == 403


def test_no_password_goes_on_and_the_name_does(guard, upstreams):
    ask(guard, "/runs")
    seen = upstreams["webserver"].seen[-1].headers
    assert "Authorization" not in seen
    assert seen["X-Forwarded-User"] == "alice"
    assert seen["Host"] == f"127.0.0.1:{guard}"


@pytest.mark.parametrize(
    "path", ["/graphql?query=mutation{wipe}", "//graphql?query={x}", "/%67raphql", "/a/../graphql"]
)
def test_graphql_is_not_asked_by_get(guard, path):
    assert ask(guard, path)[0] == 405
    assert ask(guard, path, Origin=own(guard))[0] == 405


def test_another_site_can_post_nothing(guard, upstreams):
    before = len(upstreams["webserver"].seen)
    for origin in (
        "https://evil.example",
        "null",
        f"http://127.0.0.1:{guard}.evil.example",
        f"{own(guard)}1",
        "http://x y",
    ):
        for path in ("/graphql", "/report_asset_materialization/a", "/mlflow/"):
            assert ask(guard, path, "POST", body=MUTATION, Origin=origin)[0] == 403
    assert ask(guard, "/graphql", "POST", body=MUTATION, Sec_Fetch_Site="cross-site")[0] == 403
    assert len(upstreams["webserver"].seen) == before
    for scheme in ("http", "https"):  # TLS may end before the guard
        assert ask(guard, "/graphql", "POST", body=MUTATION, Origin=own(guard, scheme))[0] == 200


def test_a_websocket_is_opened_by_our_own_page_alone(guard):
    assert ask(guard, "/graphql", **UPGRADE, Origin=own(guard))[0] == 101
    assert ask(guard, "/graphql", **UPGRADE, Origin="https://evil.example")[0] == 403
    assert ask(guard, "/graphql", **UPGRADE)[0] == 403
    assert ask(guard, "/graphql", **UPGRADE, Origin=own(guard), user=None)[0] == 401


def test_a_link_from_another_site_opens(guard):
    assert ask(guard, "/runs", Origin="https://mail.example", Sec_Fetch_Site="cross-site")[0] == 200


def test_every_answer_has_the_headers_that_browsers_obey(guard):
    for path, user in (("/", "alice"), ("/", None)):
        found = ask(guard, path, user=user)[2]
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["X-Frame-Options"] == "SAMEORIGIN"
        assert found["Referrer-Policy"] == "same-origin"
        assert found["Server"] == "nginx"
