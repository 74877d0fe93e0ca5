"""kill -9 at any moment of the path from files to a dataset: what can be read is whole, and the next run goes on."""

import contextlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine.content import content_hash, file_sha256
from platform_ml.engine.dataset_checks import KIND
from platform_ml.engine.ports import CREATED, SEQUENCE
from platform_ml.engine.training_dataset import load, materialize_training_dataset
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    DAYS,
    Checkout,
    bought,
    bought_on,
    customer_profile,
    customers,
    failures,
    lapse_dataset,
    lapse_view,
    lapsed,
    order_history,
    order_weeks,
    orders,
    rows,
)

KILLS = int(os.environ.get("PLATFORM_ML_KILLS", "6"))
"""`make test-kills` makes it many."""
TABLES = (orders, customers, order_history, order_weeks, customer_profile, lapsed, lapse_view)
GENERATIONS = 3
"""How often the delivered files change before they are the first ones again."""
LATE = [str(day) for day in DAYS[42:]]
"""The days that change."""

FORKSERVER = multiprocessing.get_context("forkserver")

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


def work_on(folder, landing):
    work = rows.work_in(folder)
    return replace(work, platform=replace(work.platform, landing=landing))


def path_of_data(work, token, days=LATE):
    """One pass from the files to the dataset."""
    for noun in TABLES:
        for done in rows.make(work, noun, days if noun in (orders, order_history) else None, token=token):
            assert not done.stopped, done.stopped
    built = materialize_training_dataset(lapse_dataset, CUTOFF, work=work, made_by={})
    assert built.artifact, built.findings


def run(folder, landings, token, number, tell):
    """Passes without end, each on the next generation of files."""
    import deltalake  # noqa: F401 - takes as long as half a pass

    try:
        tell.send(number)
        while True:
            path_of_data(work_on(folder, landings[number % GENERATIONS]), token)
            number += 1
            tell.send(number)
    except Exception as error:
        tell.send(repr(error))
        raise


@pytest.fixture(scope="module")
def landings(tmp_path_factory):
    """The files of every generation."""
    folder = tmp_path_factory.mktemp("generations")
    for number in range(GENERATIONS):
        work = work_on(folder, folder / str(number))
        found = [order for order in bought() if str(order.day) not in LATE]
        found += [order for order in bought(number) if str(order.day) in LATE]
        rows.deliver(work, found, days=DAYS, source=orders)
        people = [{"customer_id": who, "country": "AT", "student": bool(who % (number + 2))} for who in range(100)]
        rows.deliver_customers(work, people)
    return [folder / str(number) for number in range(GENERATIONS)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, landings):
    """What passes that nobody kills make of every generation: table → possible partitions, and the datasets."""
    folder = tmp_path_factory.mktemp("undisturbed")
    tables, datasets, seconds = {noun.name: [] for noun in TABLES}, {}, []
    for number, landing in enumerate(landings):
        work, start = work_on(folder, landing), time.perf_counter()
        path_of_data(work, number, LATE if number else None)
        seconds.append(time.perf_counter() - start)
        for noun in TABLES:
            tables[noun.name].append(states(work, noun))
        dataset = load(lapse_dataset, CUTOFF, work=work)
        datasets[dataset.digest] = dataset.record["files"]
    assert all(len({json.dumps(found) for found in tables[noun.name]}) == GENERATIONS for noun in TABLES)
    assert len(datasets) == GENERATIONS
    return tables, datasets, max(seconds[1:])


def states(work, noun):
    """Partition → what its rows are and what they were made of; every file is read back and verified."""
    snapshot = work.platform.tables.snapshot(work.table(noun))
    work.platform.tables.verify(snapshot)
    for key, state in snapshot.partitions.items():
        kept = [pq.read_table(snapshot.folder / file.path, partitioning=None) for file in state.files]
        if kept:
            assert content_hash(pa.concat_tables(kept).drop_columns([CREATED, SEQUENCE])) == state.content, key
    return {key: (state.content, state.inputs) for key, state in snapshot.partitions.items()}


def generations(work, tables):
    """Table → the generation that all of its partitions are of."""
    found = {noun.name: states(work, noun) for noun in TABLES}
    mixed = [name for name, now in found.items() if now not in tables[name]]
    assert mixed == []
    return {name: tables[name].index(now) for name, now in found.items()}


def assert_datasets(work, datasets):
    """Every published folder is whole, and the newest one is among them."""
    home = work.platform.artifacts.root / work.place(KIND, lapse_dataset, CUTOFF)
    for folder in home.glob("[!.]*/"):
        record = json.loads((folder / "record.json").read_text())
        assert {name: file_sha256(folder / name) for name in record["files"]} == datasets[record["digest"]]
    newest = work.platform.artifacts.newest(work.place(KIND, lapse_dataset, CUTOFF))
    assert newest is None or newest.digest in datasets


def killed(work, landings, token, number, seconds, *, passes):
    """The generation that comes after a process was killed so many seconds after it has finished so many passes."""
    hear, tell = FORKSERVER.Pipe(duplex=False)
    child = FORKSERVER.Process(target=run, args=(work.platform.tables.root.parent, landings, token, number, tell))
    child.start()
    tell.close()
    heard = [hear.recv() for _ in range(passes + 1)]
    time.sleep(seconds)
    child.kill()
    child.join()
    with contextlib.suppress(EOFError):
        while hear.poll():
            heard.append(hear.recv())
    hear.close()
    assert (child.exitcode, heard) == (-signal.SIGKILL, list(range(number, number + len(heard))))
    return number + len(heard)


def test_a_killed_process_leaves_the_old_or_the_new_partitions(tmp_path, landings, undisturbed):
    tables, datasets, seconds = undisturbed
    FORKSERVER.set_forkserver_preload(["platform_ml.orchestration.preload", Checkout.__module__])
    draw, work = random.Random(20240229), work_on(tmp_path, landings[0])
    path_of_data(work, 0, None)
    number, between = 1, 0
    for token in range(1, KILLS + 1):
        # Every fourth process comes to the end of the path once before: what was killed stands in nobody's way.
        number = killed(work, landings, token, number, draw.uniform(0, 1.5 * seconds), passes=int(token % 4 == 0))
        between += len(set(generations(work, tables).values())) > 1
        assert_datasets(work, datasets)
    path_of_data(work, KILLS + 1)
    assert set(generations(work, tables).values()) == {0}
    assert load(lapse_dataset, CUTOFF, work=work).digest == next(iter(datasets))
    assert between >= max(1, KILLS // 5), "the kills came too early or too late to test anything"


def files_of(checkout, noun):
    return set((checkout.folder / "data" / "tables" / "shop" / noun.name).glob("_partition=*/*"))


@pytest.mark.parametrize("noun", [orders, order_history], ids=lambda noun: noun.name)
def test_a_killed_command_line_leaves_the_old_or_the_new_partitions(built, noun):
    """Killed with all its processes soon after it has staged a file of a table."""
    nouns, days = (orders, order_history), (LATE[0], LATE[-1])
    before, files = [states(built.work, table) for table in nouns], files_of(built, noun)
    for day in LATE:
        built.deliver(day, bought_on(day, seed=2))
    command = [Path(sys.executable).parent / "dagster", "asset", "materialize", "-m", Checkout.__module__]
    command += ["--select", "shop/orders,shop/order_history", "--partition-range", "...".join(days)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, cwd=built.folder, env=built.environment, **quiet) as ran:
        while files_of(built, noun) == files:
            assert ran.poll() is None, "it ended before it wrote anything"
            time.sleep(0.001)
        time.sleep(random.Random(noun.name).uniform(0, 0.1))
        os.killpg(ran.pid, signal.SIGKILL)
    assert ran.returncode == -signal.SIGKILL
    killed = [states(built.work, table) for table in nouns]

    # Dagster believes that the first run is still going on.
    result = built.materialize(nouns, span=days)
    assert result.success, failures(result)
    after = [states(built.work, table) for table in nouns]
    for old, found, new in zip(before, killed, after, strict=True):
        assert old != new
        assert found in (old, new)
    if noun == order_history:
        assert killed[0] == after[0]
