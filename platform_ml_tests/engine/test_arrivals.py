import multiprocessing
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from platform_ml.adapters.delta import DeltaTables
from platform_ml.engine.arrivals import arrivals
from platform_ml.engine.feed import feed_of
from platform_ml.engine.ports import WHOLE, Content
from platform_ml.engine.source import materialize_source
from platform_ml.origins import Files
from platform_ml.spec.errors import SourceError
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.feeds import AFTER, DAY, MANY, NEXT, ONE, load, look, project_of, put, reason, statuses
from platform_ml_tests.engine.shop import rows_of, stamp, work_in


def test_what_was_delivered_is_new_until_it_is_loaded(work):
    assert statuses(work, ONE) == {DAY: "awaited", NEXT: "awaited", AFTER: "awaited"}
    put(work, f"{DAY}.csv", [1])
    put(work, f"{NEXT}.csv", [2])
    assert statuses(work, ONE) == {DAY: "new", NEXT: "new", AFTER: "awaited"}
    load(work, ONE, DAY)
    assert statuses(work, ONE) == {DAY: "up to date", NEXT: "new", AFTER: "awaited"}
    assert [one.partition for one in look(work, ONE) if one.due] == [NEXT]


def test_what_was_delivered_again_is_changed_when_its_rows_are_other_ones(work):
    file = put(work, f"{DAY}.csv", [1])
    load(work, ONE, DAY)
    os.utime(file, (0, 0))
    assert statuses(work, ONE)[DAY] == "up to date"
    put(work, f"{DAY}.csv", [1, 2])
    assert statuses(work, ONE)[DAY] == "changed"
    assert reason(work, ONE, DAY) == f"{DAY}.csv has 52 bytes, had 29"
    put(work, f"{DAY}.csv", [3])
    assert reason(work, ONE, DAY) == f"{DAY}.csv was written again"
    load(work, ONE, DAY, token=2)
    assert statuses(work, ONE)[DAY] == "up to date"


def test_of_several_files_is_said_what_happened_to_each(work):
    put(work, f"{DAY}/a.csv", [1])
    put(work, f"{DAY}/b.csv", [2])
    load(work, MANY, DAY)
    assert statuses(work, MANY)[DAY] == "up to date"
    put(work, f"{DAY}/c.csv", [3])
    put(work, f"{DAY}/a.csv", [4, 5])
    assert (statuses(work, MANY)[DAY], reason(work, MANY, DAY)) == (
        "changed",
        f"{DAY}/c.csv is new, {DAY}/a.csv has 52 bytes, had 29",
    )
    done = load(work, MANY, DAY, token=2)
    assert [file.name for file in done.snapshot.partitions[DAY].manifest] == [f"{DAY}/{n}.csv" for n in "abc"]
    assert [row["id"] for row in rows_of(work, MANY, [DAY])] == [2, 3, 4, 5]


def test_a_vanished_file_deletes_nothing(work):
    file = put(work, f"{DAY}.csv", [1, 2])
    load(work, ONE, DAY)
    file.unlink()
    assert statuses(work, ONE)[DAY] == "vanished"
    assert reason(work, ONE, DAY).startswith("nothing is there any more; its 2 rows stay")
    assert len(rows_of(work, ONE, [DAY])) == 2
    put(work, f"{DAY}.csv", [], DAY)
    load(work, ONE, DAY, token=2)
    assert (statuses(work, ONE)[DAY], rows_of(work, ONE, [DAY])) == ("up to date", [])


def test_one_vanished_file_of_several_deletes_nothing_unless_that_is_declared(work):
    put(work, f"{DAY}/a.csv", [1])
    gone = put(work, f"{DAY}/b.csv", [2])
    load(work, MANY, DAY)
    gone.unlink()
    assert statuses(work, MANY)[DAY] == "vanished"
    assert reason(work, MANY, DAY) == f"{DAY}/b.csv is there no more; the 2 rows of the partition stay"
    with pytest.raises(SourceError, match=rf"{DAY}/b\.csv was loaded and is there no more, so its rows would be"):
        load(work, MANY, DAY, token=2)
    assert [row["id"] for row in rows_of(work, MANY, [DAY])] == [1, 2]
    removing = replace(MANY, origin=replace(MANY.origin, gone="remove"))
    assert (statuses(work, removing)[DAY], reason(work, removing, DAY)) == ("changed", f"{DAY}/b.csv is there no more")
    load(work, removing, DAY, token=2)
    assert [row["id"] for row in rows_of(work, MANY, [DAY])] == [1]


def test_a_file_that_is_still_written_is_growing(work):
    source = replace(ONE, origin=Files(settle=timedelta(hours=1)))
    put(work, f"{DAY}.csv", [1])
    put(work, f"{NEXT}.csv.part", [1], NEXT)
    assert statuses(work, source) == {DAY: "growing", NEXT: "growing", AFTER: "awaited"}
    assert reason(work, source, NEXT) == f"{NEXT}.csv.part is being written"
    load(work, source, DAY)  # whoever starts a run knows better
    assert statuses(work, source)[DAY] == "up to date"
    put(work, f"{DAY}.csv", [1, 2])
    assert statuses(work, source)[DAY] == "growing"


def test_a_partition_that_is_not_over_is_early(work):
    today = datetime.now(UTC).date()
    source = replace(ONE, cadence=Daily(first=today - timedelta(days=1)))
    put(work, f"{today + timedelta(days=1)}.csv", [1])
    assert statuses(work, source)[str(today + timedelta(days=1))] == "early"


def test_names_that_belong_nowhere(work):
    for name in (f"{DAY}.CSV", f"{NEXT}.csv.gz", "2025-01-01.csv"):
        put(work, name, [1], DAY)
    put(work, "../vists/x.csv", [1], DAY)
    found = {one.reason.split(":")[0]: one for one in look(work, ONE) if one.status == "unexpected"}
    assert list(found) == ["2024-03-01.CSV", "2024-03-02.csv.gz", "2025-01-01.csv", "vists"]
    assert "Did you mean '2024-03-01.csv'?" in found["2024-03-01.CSV"].reason
    assert (found["vists"].source, found["2024-03-01.CSV"].source) == ("", "visits")
    assert [one.status for one in arrivals(project_of(ONE), work, only=ONE)][-1] == "unexpected"
    assert all(one.source for one in arrivals(project_of(ONE), work, only=ONE))


@pytest.mark.parametrize("content", ["id,at\n1,never\n2,never\n", "", '"'], ids=["rows", "empty", "broken"])
def test_a_refused_delivery_is_not_offered_again(work, content):
    file = put(work, f"{DAY}.csv", [])
    file.write_text(content)
    assert statuses(work, ONE)[DAY] == "new"
    try:
        assert load(work, ONE, DAY).stopped
    except SourceError:
        assert content in {"", '"'}
    assert statuses(work, ONE)[DAY] == "refused"
    mended = replace(ONE, max_rejected_share=1.0)
    assert statuses(work, mended)[DAY] == "new"
    put(work, f"{DAY}.csv", [1])
    assert statuses(work, ONE)[DAY] == "new"


def test_a_token_is_one_delivery(work):
    def token(source=ONE):
        return next(one.token for one in look(work, source) if one.partition == DAY)

    put(work, f"{DAY}.csv", [1])
    first = token()
    assert first == token()
    load(work, ONE, DAY)
    assert token() == first
    assert token(replace(ONE, max_rejected_share=0.4)) != first
    put(work, f"{DAY}.csv", [2])
    assert token() != first


def test_a_source_without_cadence(work):
    source = replace(ONE, cadence=None, event_time=None, name="shops")
    file = work.platform.landing / "shop/shops.csv"
    file.parent.mkdir(parents=True)
    file.write_text("id,at\n1,2024-01-01T00:00:00Z\n")
    (found,) = arrivals(project_of(ONE), work, only=source)
    assert (found.partition, found.status) == (WHOLE, "new")
    load(work, source, WHOLE)
    (found,) = arrivals(project_of(ONE), work, only=source)
    assert found.status == "up to date"


def test_a_place_that_cannot_be_listed_is_asked(work):
    @dataclass(frozen=True)
    class Asked:
        kind = "asked"

        def place(self, feed, key):
            return key

        def state(self, feed, key):
            return Files().state(feed, key)

        def fetch(self, feed, key):
            return Files().fetch(feed, key)

    source, declared = replace(ONE, origin=Asked()), replace(ONE, origin=None)
    put(work, f"{DAY}.csv", [1])
    put(work, f"{NEXT}.csv", [2])
    load(work, declared, DAY)
    put(work, f"{NEXT}.csv", [3])
    load(work, declared, NEXT)
    put(work, f"{NEXT}.csv", [4])
    assert [(one.partition, one.status) for one in arrivals(project_of(ONE), work, only=source)] == [
        (DAY, "up to date"),
        (NEXT, "changed"),
        (AFTER, "awaited"),
    ]


class Killed(DeltaTables):
    """A machine that stops when the table itself would be written."""

    def commit(self, table, partitions, stamp):
        if table == "shop/visits":
            os._exit(9)
        return super().commit(table, partitions, stamp)


def killed(folder, source, keys):
    work = work_in(folder)
    platform = replace(work.platform, tables=Killed(folder / "tables"))
    materialize_source(source, keys, work=replace(work, platform=platform), stamp=stamp())


def test_a_run_that_is_killed_loses_nothing_and_loads_nothing_twice(tmp_path):
    work = work_in(tmp_path)
    put(work, f"{DAY}/a.csv", [1])
    load(work, MANY, DAY)
    put(work, f"{NEXT}/a.csv", [2, "x", 3])
    put(work, f"{NEXT}/b.csv", [4])
    before = look(work, MANY)
    assert [one.partition for one in before if one.due] == [NEXT]
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(tmp_path, MANY, [NEXT]))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert look(work_in(tmp_path), MANY) == before
    load(work_in(tmp_path), MANY, NEXT, token=2)
    assert statuses(work_in(tmp_path), MANY) == {DAY: "up to date", NEXT: "up to date", AFTER: "awaited"}
    assert [row["id"] for row in rows_of(work_in(tmp_path), MANY)] == [1, 2, 3, 4]


def fetched_of(source, key, work):
    with source.origin.fetch(feed_of(source, work), key) as fetched:
        return fetched


def test_a_thousand_partitions_that_are_up_to_date_are_not_read(work):
    source = replace(ONE, cadence=Daily(first=date(2021, 1, 1), last=date(2023, 9, 27)))
    keys = source.cadence.keys()
    assert len(keys) == 1_000
    for key in keys:
        put(work, f"{key}.csv", [1])
    rows = pa.table({"id": [1], "at": [datetime(2021, 1, 1, tzinfo=UTC)]})
    manifests = {key: fetched_of(source, key, work).manifest for key in keys}
    loaded = {key: Content(rows=rows, inputs=one[0].sha256, manifest=one) for key, one in manifests.items()}
    work.platform.tables.commit("shop/visits", loaded, stamp())
    for key in keys[:-1]:  # the same size and time, and nothing that could be read
        file = work.platform.landing / f"shop/visits/{key}.csv"
        state = file.stat()
        file.write_bytes(b"\0" * state.st_size)
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    put(work, f"{keys[-1]}.csv", [2])
    start = time.perf_counter()
    found = look(work, source)
    assert time.perf_counter() - start < 5
    assert [(one.partition, one.status) for one in found if one.status != "up to date"] == [(keys[-1], "changed")]
