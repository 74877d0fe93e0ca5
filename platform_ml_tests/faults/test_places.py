"""What places of delivery do wrong: the partition is refused, and the day before stays as it was."""

import os
import re
from dataclasses import replace
from datetime import timedelta

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from platform_ml.engine.arrivals import arrivals
from platform_ml.engine.quarantine import rejected_files, rejected_rows
from platform_ml.engine.source import materialize_source
from platform_ml.origins import Files
from platform_ml.spec.errors import SourceError
from platform_ml_tests.engine.feeds import DAY, MANY, NEXT, csv, project_of
from platform_ml_tests.engine.shop import contents, rows_of, stamp, work_in
from platform_ml_tests.origins import s3


class Shaky(MemoryFileSystem):
    """A store in which something happens between two requests."""

    protocol = "shaky"
    store, pseudo_dirs = {}, [""]
    cachable = False
    happens = None

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(str(path).replace("shaky://", "memory://"))

    def get_file(self, rpath, lpath, **options):
        if Shaky.happens:
            Shaky.happens(self, rpath)
        super().get_file(rpath, lpath, **options)
        if Shaky.happens is cut:
            os.truncate(lpath, 15)


def replaced(store, path):
    store.pipe(path, csv([7, 8], NEXT).encode())


def joined(store, path):
    store.pipe(f"{path.rpartition('/')[0]}/z.csv", csv([9], NEXT).encode())


def vanished(store, path):
    store.rm(path)


def cut(store, path):
    """The connection ends early, and nobody says so."""


@pytest.fixture(scope="module", autouse=True)
def server():
    fsspec.register_implementation("shaky", Shaky, clobber=True)
    with s3.server() as started:
        yield started


@pytest.fixture(params=["folder", "s3", "shaky"])
def work(request, tmp_path):
    work = work_in(tmp_path)
    place = {"s3": s3.bucket, "shaky": lambda: f"shaky://{tmp_path}/in"}.get(request.param)
    work = work if place is None else replace(work, platform=replace(work.platform, landing=place()))
    put(work, f"{DAY}/a.csv", csv([1, 2], DAY))
    materialize_source(MANY, [DAY], work=work, stamp=stamp())
    yield work
    Shaky.happens = None


def place_of(work, name):
    return f"{work.platform.landing}/shop/visits/{name}"


def put(work, name, content):
    place = place_of(work, name)
    if place.startswith("s3://"):
        s3.put(place, content.encode())
    elif "://" in place:
        fsspec.filesystem("shaky").pipe(place, content.encode())
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120 - of a place that may be a URL
        with open(place, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write(content)


def refused(work, why, source=MANY, key=NEXT):
    known = contents(work, source)
    with pytest.raises(SourceError, match=why) as error:
        materialize_source(source, [key], work=work, stamp=stamp(2))
    assert re.match(rf"(shop/visits, partition {key}: )?{re.escape(place_of(work, '')[:-1])}", str(error.value))
    assert s3.SECRET not in str(error.value)
    assert contents(work, source) == known == contents(work, source)
    assert rejected_files(source, work=work) == []


def test_nothing_is_there(work):
    refused(work, "was not delivered")


def test_only_other_things_are_there(work):
    put(work, f"{NEXT}/a.txt", csv([3], NEXT))
    put(work, f"{NEXT}/.a.csv", csv([3], NEXT))
    put(work, f"{NEXT}/a.csv.part", csv([3], NEXT))
    refused(work, "was not delivered")


def test_a_folder_is_called_like_a_file(work):
    put(work, f"{NEXT}/a.csv", csv([3], NEXT))
    put(work, f"{NEXT}/b.csv/part-0", csv([4], NEXT))
    refused(work, rf"{NEXT}/b\.csv is a folder\. Have the file itself delivered; nothing was read")
    found = [one for one in arrivals(project_of(MANY), work) if one.status == "unexpected"]
    assert [one.reason for one in found] == [f"{NEXT}/b.csv: is a folder, not a file"]


def test_two_files_hold_the_same_rows(work):
    for name in "ab":
        put(work, f"{NEXT}/{name}.csv", csv([3, 4], NEXT))
    (done,) = materialize_source(MANY, [NEXT], work=work, stamp=stamp(2))
    assert not done.stopped
    assert [row["id"] for row in rows_of(work, MANY, [NEXT])] == [3, 4]
    assert [row.file for row in rejected_rows(MANY, work=work)] == [f"{NEXT}/b.csv"] * 2


def test_one_of_two_files_cannot_be_read(work):
    put(work, f"{NEXT}/a.csv", csv([3], NEXT))
    put(work, f"{NEXT}/b.csv", "id,at\n4,")
    with pytest.raises(SourceError, match=rf"{NEXT}/b\.csv cannot be read: .*The file is kept in "):
        materialize_source(MANY, [NEXT], work=work, stamp=stamp(2))
    (kept,) = rejected_files(MANY, work=work)
    assert kept.path.read_text() == "id,at\n4,"
    assert NEXT not in contents(work, MANY)


def test_an_empty_object(work):
    put(work, f"{NEXT}/a.csv", "")
    with pytest.raises(SourceError, match="cannot be read: "):
        materialize_source(MANY, [NEXT], work=work, stamp=stamp(2))
    assert NEXT not in contents(work, MANY)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (replaced, "it was written while it was read"),
        (joined, "it was written while it was read"),
        (vanished, "a file was taken away while it was read"),
        (cut, r"15 of the \d+ bytes of 2024-03-02/a\.csv came"),
    ],
    ids=["replaced", "joined", "vanished", "cut"],
)
def test_something_happens_between_listing_and_reading(tmp_path, happens, why):
    work = work_in(tmp_path)
    work = replace(work, platform=replace(work.platform, landing=f"shaky://{tmp_path}/in"))
    put(work, f"{DAY}/a.csv", csv([1, 2], DAY))
    materialize_source(MANY, [DAY], work=work, stamp=stamp())
    put(work, f"{NEXT}/a.csv", csv([3, 4, 5], NEXT))
    Shaky.happens = happens
    try:
        refused(work, why)
    finally:
        Shaky.happens = None


def test_a_link_leads_out_of_the_landing_zone(tmp_path):
    work = work_in(tmp_path)
    put(work, f"{DAY}/a.csv", csv([1, 2], DAY))
    materialize_source(MANY, [DAY], work=work, stamp=stamp())
    (tmp_path / "elsewhere.csv").write_text(csv([3], NEXT))
    put(work, f"{NEXT}/a.csv", csv([4], NEXT))
    link = work.platform.landing / f"shop/visits/{NEXT}/b.csv"
    link.symlink_to(tmp_path / "elsewhere.csv")
    refused(work, "is a link that leads out of the landing zone")
    link.unlink()
    link.symlink_to(link)
    refused(work, "is a link that leads nowhere")
    link.unlink()
    link.symlink_to(work.platform.landing / f"shop/visits/{NEXT}/a.csv")
    materialize_source(MANY, [NEXT], work=work, stamp=stamp(2))
    assert [row.file for row in rejected_rows(MANY, work=work)] == [f"{NEXT}/b.csv"]


def test_the_store_is_away(tmp_path, monkeypatch):
    work = work_in(tmp_path)
    work = replace(work, platform=replace(work.platform, landing=s3.bucket()))
    put(work, f"{DAY}/a.csv", csv([1, 2], DAY))
    materialize_source(MANY, [DAY], work=work, stamp=stamp())
    s3.away(monkeypatch)
    refused(work, "cannot be reached")
    with pytest.raises(SourceError, match="cannot be reached"):  # and nothing is said to have vanished
        arrivals(project_of(MANY), work)


def test_an_upload_in_parts_is_not_complete(tmp_path):
    work = work_in(tmp_path)
    work = replace(work, platform=replace(work.platform, landing=s3.bucket()))
    put(work, f"{DAY}/a.csv", csv([1, 2], DAY))
    materialize_source(MANY, [DAY], work=work, stamp=stamp())
    bucket, _, key = place_of(work, f"{NEXT}/a.csv").removeprefix("s3://").partition("/")
    upload = s3.client().create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3.client().upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=csv([3], NEXT).encode())
    refused(work, "was not delivered")


def test_an_object_replaces_another_of_its_size(tmp_path):
    work = work_in(tmp_path)
    work = replace(work, platform=replace(work.platform, landing=s3.bucket()))
    source = replace(MANY, origin=Files(settle=timedelta(0)))
    put(work, f"{DAY}.csv", csv([1], DAY))
    materialize_source(source, [DAY], work=work, stamp=stamp())
    put(work, f"{DAY}.csv", csv([1], DAY))  # the same bytes have the same entity tag
    assert next(one.status for one in arrivals(project_of(source), work)) == "up to date"
    put(work, f"{DAY}.csv", csv([2], DAY))
    assert next(one.status for one in arrivals(project_of(source), work)) == "changed"
