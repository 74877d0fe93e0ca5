"""kill -9 at any moment leaves every partition whole: the old one or the new one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platform_ml.adapters.delta import DeltaTables
from platform_ml.engine.content import content_hash
from platform_ml.testing.tables import TABLE, content, read, stamp

KILLS = int(os.environ.get("PLATFORM_ML_KILLS", "8"))
"""`make test-kills` makes it many."""
KEYS = ("a", "b", "c")
ROWS = 3000

WRITER = """
import sys
from pathlib import Path
from platform_ml.adapters.delta import DeltaTables
from platform_ml.testing.tables import TABLE, content, stamp
root, token, number, rows = Path(sys.argv[1]), *map(int, sys.argv[2:5])
tables = DeltaTables(root)
while True:
    tables.commit(TABLE, {key: content([number] * rows) for key in sys.argv[5:]}, stamp(token))
    print("ready", flush=True)
    number += 1
"""


def killed_after(seconds, root, token, number):
    command = [sys.executable, "-c", WRITER, str(root), str(token), str(number), str(ROWS), *KEYS]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL


def whole(snapshot):
    """The one number that all rows of all partitions have."""
    found = set()
    for key in KEYS:
        rows = read(snapshot, key)
        assert rows.num_rows == snapshot.partitions[key].rows == ROWS
        assert content_hash(rows) == snapshot.partitions[key].content
        found |= set(rows["km"].to_pylist())
    assert len(found) == 1, f"version {snapshot.version} mixes commits: {found}"
    return int(found.pop())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_writer_leaves_the_old_or_the_new_partitions(tmp_path):
    moments, tables = random.Random(20240131), DeltaTables(tmp_path)
    last = 0
    tables.commit(TABLE, {key: content([-2] * ROWS) for key in KEYS}, stamp(0))
    start = time.perf_counter()
    before = tables.commit(TABLE, {key: content([0] * ROWS) for key in KEYS}, stamp(0))
    longest = max(0.15, 3 * (time.perf_counter() - start))
    for token in range(1, KILLS + 1):
        killed_after(moments.uniform(0, longest), tmp_path, token, last + 1)
        after = DeltaTables(tmp_path).snapshot(TABLE)
        tables.verify(after)
        number = whole(after)
        assert number == last + after.version - before.version
        assert tables.snapshot(TABLE, before.version) == before
        before, last = after, number
    before = tables.commit(TABLE, {key: content([-1] * ROWS) for key in KEYS}, stamp(KILLS + 1))
    assert whole(before) == -1
    assert before.version > KILLS * 3 // 2, "the kills came too early to test anything"
    assert_swept(tables, before)


def assert_swept(tables, snapshot):
    """What the killed writers left is removed, and every version can still be read."""
    past = time.time() - 7200
    for path in (tables.root / TABLE).rglob("*"):
        os.utime(path, (past, past))
    tables.sweep(TABLE)
    named = {path for at in range(1, snapshot.version + 1) for path in tables.snapshot(TABLE, at).paths()}
    assert {str(path) for path in (tables.root / TABLE).glob("_partition=*/*")} == named
    assert all(Path(path).exists() for path in named)
