import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest

from platform_ml.formats import CSV
from platform_ml.origins import Files
from platform_ml.origins.files import unclaimed
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.origin import Feed
from platform_ml.spec.window import WHOLE
from platform_ml.testing.origins import DAY, NEXT, OriginContract, visits
from platform_ml_tests.origins import s3

HOUR = timedelta(hours=1)


def csv(ids, day=DAY):
    return "".join(f"{line}\n" for line in ["id,at", *(f"{n},{day}T12:00:00Z" for n in ids)]).encode()


def write(place, content):
    """Put a file where any of the tests' places is."""
    if str(place).startswith("s3://"):
        s3.put(place, content)
    elif "://" in str(place):
        fsspec.filesystem("memory").pipe(str(place), content)
    else:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_bytes(content)


@pytest.fixture(scope="module", autouse=True)
def server():
    with s3.server() as started:
        yield started


@pytest.fixture(params=["folder", "memory", "s3"])
def landing(request, tmp_path):
    if request.param == "folder":
        return tmp_path / "landing"
    return s3.bucket() if request.param == "s3" else f"memory://{tmp_path}/landing"


class TestFiles(OriginContract):
    @pytest.fixture
    def landing(self, landing):
        return landing

    @pytest.fixture(params=[{}, {"pattern": "{key}/*.csv"}, {"pattern": "{key:%Y}/visits_{key:%Y%m%d}.csv"}], ids=str)
    def origin(self, request):
        return Files(settle=timedelta(0), **request.param)

    def deliver(self, feed, key, ids):
        write(feed.source.origin.place(feed, key).replace("*", "one"), csv(ids, key))

    def test_says_what_it_is(self, origin, feed):
        assert fingerprint(origin) == fingerprint(Files())
        assert origin.place(feed, "<day>").startswith(str(feed.landing))


def feed_of(landing, source=visits, **options):
    return Feed(project="shop", source=replace(source, origin=Files(**options)), landing=landing)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "s3://me:pass@bucket/in"}, r"^Files: the root of s3://bucket/in holds a password or a query"),
        ({"root": "https://x.org/in?token=1"}, r"^Files: the root of https://x.org/in holds a password or a query"),
        ({"root": ""}, "root '' is no place"),
        ({"root": "s3://{bucket}/in"}, r"root 's3://\{bucket\}/in' is no place.*\{NAME\} is an environment variable"),
        ({"pattern": "{kye}.csv"}, r"'\{kye\}' is no field of .* Did you mean '\{key\}'\?"),
        ({"pattern": "{key"}, r"'\{key' is no field"),
        ({"pattern": "{key:%Y-%j}.csv"}, "%j in .* is not known. A day is written with %Y, %m and %d"),
        ({"pattern": "{key:%Y/%m}/*.csv"}, "reaches over several names"),
        ({"pattern": "../{key}.csv"}, "leads nowhere"),
        ({"pattern": "/{key}.csv"}, "leads nowhere"),
        ({"pattern": "{key}/**/a.csv"}, "leads nowhere"),
        ({"settle": timedelta(seconds=-1)}, "settle .* is less than nothing"),
        ({"gone": "remvoe"}, r"gone 'remvoe' is not known\. Did you mean 'remove'\?"),
    ],
)
def test_a_wrong_place_cannot_be_declared(options, message):
    with pytest.raises(DeclarationError, match=message) as error:
        Files(**options)
    assert "pass@" not in str(error.value)
    assert "token" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "pattern", "message"),
    [
        ({}, "*.csv", r"'visits': the pattern '\*\.csv' does not say the day of a file\. Put \{key\} into it"),
        ({}, "{key:%Y-%m}/*.csv", "does not say the day"),
        ({"cadence": None, "event_time": None}, "{key}.csv", "has a key, but the source has no cadence"),
    ],
)
def test_a_pattern_has_to_fit_its_source(changes, pattern, message):
    with pytest.raises(DeclarationError, match=message):
        replace(visits, origin=Files(pattern=pattern), **changes)


def test_several_files_are_read_in_name_order(landing):
    feed = feed_of(landing, pattern="{key}/*.csv")
    root = f"{landing}/shop/visits"
    for name, ids in (("b.csv", [3]), ("a.csv", [1, 2]), ("c.txt", [9]), (".d.csv", [8])):
        write(f"{root}/{DAY}/{name}", csv(ids))
    write(f"{root}/{NEXT}/a.csv", csv([7], NEXT))
    with feed.source.origin.fetch(feed, DAY) as fetched:
        assert {name: path.read_bytes() for name, path in fetched.files.items()} == {
            f"{DAY}/a.csv": csv([1, 2]),
            f"{DAY}/b.csv": csv([3]),
        }
        assert list(fetched.files) == [one.name for one in fetched.manifest]
    state = feed.source.origin.state(feed, DAY)
    write(f"{root}/{DAY}/e.csv", csv([3]))
    assert feed.source.origin.state(feed, DAY) != state


def test_a_source_without_cadence(landing):
    whole = replace(visits, cadence=None, event_time=None)
    feed = feed_of(landing, whole, settle=timedelta(0))
    write(f"{landing}/shop/visits.csv", csv([1]))
    assert feed.source.origin.place(feed, WHOLE) == f"{landing}/shop/visits.csv"
    assert list(feed.source.origin.listing(feed).partitions) == [WHOLE]
    many = feed_of(landing, whole, settle=timedelta(0), pattern="part-?.csv")
    for n in range(3):
        write(f"{landing}/shop/visits/part-{n}.csv", csv([n]))
    assert [one.name for one in many.source.origin.listing(many).partitions[WHOLE]] == [
        f"part-{n}.csv" for n in range(3)
    ]


def test_a_place_of_its_own(tmp_path, monkeypatch):
    feed = feed_of(tmp_path / "landing", root="{VISITS_AT}/visits")
    assert feed.source.origin.place(feed, DAY) == f"{{VISITS_AT}}/visits/{DAY}.csv"
    with pytest.raises(SourceError, match="shop/visits: the environment variable VISITS_AT is not set"):
        feed.source.origin.state(feed, DAY)
    write(f"memory://{tmp_path}/supplier/visits/{DAY}.csv", csv([1]))
    monkeypatch.setenv("VISITS_AT", f"memory://{tmp_path}/supplier")
    with feed.source.origin.fetch(feed, DAY) as fetched:
        assert fetched.path.read_bytes() == csv([1])
    assert not fetched.path.exists()
    monkeypatch.setenv("VISITS_AT", "sftp://someone:s3cret@host/visits")
    assert feed.source.origin.place(feed, DAY) == f"sftp://host/visits/visits/{DAY}.csv"


def test_what_lies_where_nothing_should(landing):
    feed = feed_of(landing, settle=timedelta(0))
    names = {
        "2024-03-01.CSV": "fits no partition. Did you mean '2024-03-01.csv'?",
        "20240302.csv": "fits no partition. Did you mean '2024-03-02.csv'?",
        "2024-3-3.csv": "fits no partition. Did you mean '2024-03-03.csv'?",
        "2024-03-04.csv.gz": "fits no partition. Did you mean '2024-03-04.csv'?",
        "2024-04-01.csv": "Partition '2024-04-01' is outside of the declared range 2024-03-01 to 2024-03-31. "
        "Choose a key inside it.",
        "2024-02-31.csv": "Partition '2024-02-31' is not a day like '2024-03-01'. Write it that way.",
        "readme": "fits no partition: names are like 2024-03-01.csv",
    }
    for name in names:
        write(f"{landing}/shop/visits/{name}", b"")
    write(f"{landing}/shop/visits/2024-03-05.csv/part.csv", b"")
    write(f"{landing}/shop/visits/.2024-03-06.csv.part", b"")
    listing = feed.source.origin.listing(feed)
    assert listing.strays == names | {"2024-03-05.csv": "is a folder, not a file"}
    assert (listing.partitions, listing.growing) == ({}, {"2024-03-06": ".2024-03-06.csv.part is being written"})


def test_what_belongs_to_no_source(landing):
    whole = replace(visits, name="shops", cadence=None, event_time=None)
    for name in ("shops.csv", "Shops.csv", "vistis/2024-03-01.csv", ".shops.csv.tmp", "visits/2024-03-01.csv"):
        write(f"{landing}/shop/{name}", b"")
    assert unclaimed(landing, "shop", [visits, whole]) == {
        "Shops.csv": "belongs to no source of shop. Did you mean 'shops.csv'?",
        "vistis": "belongs to no source of shop. Did you mean 'visits'?",
        ".shops.csv.tmp": "belongs to no source of shop. It will be 'shops.csv'.",
    }
    assert unclaimed(landing, "shop", [visits, whole]).keys() == {"Shops.csv", "vistis", ".shops.csv.tmp"}
    assert unclaimed(f"{landing}/nowhere", "shop", [visits]) == {}


def test_what_was_written_just_now_may_grow(landing):
    write(f"{landing}/shop/visits/{DAY}.csv", csv([1]))
    feed = feed_of(landing, settle=HOUR)
    assert list(feed.source.origin.listing(feed).growing) == [DAY]
    feed = feed_of(landing, settle=timedelta(0))
    assert feed.source.origin.listing(feed).growing == {}


def test_a_copy_that_keeps_its_old_time_may_grow_too(tmp_path):
    feed = feed_of(tmp_path, settle=HOUR)
    write(tmp_path / f"shop/visits/{DAY}.csv", csv([1]))
    os.utime(tmp_path / f"shop/visits/{DAY}.csv", (0, 0))
    assert list(feed.source.origin.listing(feed).growing) == [DAY]


def test_only_what_changed_is_read_again(tmp_path):
    feed = feed_of(tmp_path, pattern="{key}/*.csv")
    origin, root = feed.source.origin, tmp_path / "shop/visits" / DAY
    for n in range(3):
        write(root / f"{n}.csv", csv([n]))
    with origin.fetch(feed, DAY) as fetched:
        known = fetched.manifest
    files = origin.files(feed, DAY)
    for n in range(3):  # unreadable: a hash of any of them would fail
        (root / f"{n}.csv").unlink()
    assert origin.digest(feed, DAY, files, known) == fetched.state
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        origin.digest(feed, DAY, files, known[1:])


@pytest.mark.parametrize("gone", ["refuse", "remove"])
def test_files_that_are_there_no_more(landing, gone):
    feed = feed_of(landing, pattern="{key}/*.csv", gone=gone)
    origin = feed.source.origin
    write(f"{landing}/shop/visits/{DAY}/a.csv", csv([1]))
    known = [*origin.files(feed, DAY), replace(origin.files(feed, DAY)[0], name=f"{DAY}/b.csv")]
    other = replace(known[0], name="2024.csv")
    missed = [f"{DAY}/b.csv"] if gone == "refuse" else []
    assert origin.missed(feed, DAY, origin.files(feed, DAY), [*known, other]) == missed


def test_a_link_to_elsewhere_is_not_followed(tmp_path):
    feed = feed_of(tmp_path / "landing", pattern="{key}/*.csv")
    write(tmp_path / "secret.csv", csv([1]))
    folder = tmp_path / "landing/shop/visits" / DAY
    write(folder / "a.csv", csv([2]))
    (folder / "b.csv").symlink_to(tmp_path / "secret.csv")
    outside = "is a link that leads out of the landing zone"
    with pytest.raises(SourceError, match=rf"b\.csv {outside}"), feed.source.origin.fetch(feed, DAY):
        pass
    assert feed.source.origin.state(feed, DAY) is None
    assert "b.csv" in str(feed.source.origin.listing(feed).strays)
    (folder / "b.csv").unlink()
    folder.rename(tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    with pytest.raises(SourceError, match=rf"{DAY} {outside}"), feed.source.origin.fetch(feed, DAY):
        pass


def test_a_store_that_is_away(monkeypatch):
    s3.away(monkeypatch)
    feed = feed_of("s3://bucket-away/in")
    with pytest.raises(
        SourceError, match=rf"^s3://bucket-away/in/shop/visits/{DAY}\.csv cannot be reached \("
    ) as error:
        feed.source.origin.state(feed, DAY)
    assert s3.SECRET not in str(error.value)
    assert "?" not in str(error.value)


def test_a_bucket_that_is_not_there_is_no_empty_place():
    feed = feed_of("s3://no-such-bucket/in")
    with pytest.raises(
        SourceError, match=r"s3://no-such-bucket/in/shop/visits cannot be read: .*bucket.* Mend the name"
    ):
        feed.source.origin.listing(feed)


def test_a_protocol_that_is_not_installed_says_what_to_install():
    feed = feed_of("gs://bucket/in")
    with pytest.raises(
        SourceError, match=r"gs://bucket/in.* cannot be read: .*gcsfs.* Run: pip install 'platform_ml\[gcs\]'"
    ):
        feed.source.origin.state(feed, DAY)
    feed = feed_of("nope://bucket/in")
    with pytest.raises(SourceError, match="Protocol not known: nope"):
        feed.source.origin.state(feed, DAY)


def test_a_delivery_is_there_in_whole_or_not_at_all(landing, tmp_path):
    feed = feed_of(landing)
    (tmp_path / "made").write_bytes(csv([1]))
    feed.source.origin.deliver(feed, DAY, tmp_path / "made")
    assert list(feed.source.origin.listing(feed_of(landing, settle=timedelta(0))).partitions) == [DAY]
    with feed.source.origin.fetch(feed, DAY) as fetched:
        assert fetched.path.read_bytes() == csv([1])


def test_an_upload_that_is_not_complete_is_not_there():
    landing = s3.bucket()
    name, key = landing.removeprefix("s3://").split("/")[0], f"in/shop/visits/{DAY}.csv"
    upload = s3.client().create_multipart_upload(Bucket=name, Key=key)["UploadId"]
    tag = s3.client().upload_part(Bucket=name, Key=key, UploadId=upload, PartNumber=1, Body=csv([1]))["ETag"]
    feed = feed_of(landing, settle=timedelta(0))
    assert feed.source.origin.state(feed, DAY) is None
    assert feed.source.origin.listing(feed).partitions == {}
    s3.client().complete_multipart_upload(
        Bucket=name, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]}
    )
    assert list(feed.source.origin.listing(feed).partitions) == [DAY]


def test_a_thousand_files_are_listed_in_little_time(tmp_path):
    feed = feed_of(tmp_path, pattern="{key}/*.csv", settle=timedelta(0))
    for day in range(1, 21):
        for n in range(50):
            write(tmp_path / f"shop/visits/2024-03-{day:02}/{n}.csv", b"")
    start = time.perf_counter()
    assert sum(map(len, feed.source.origin.listing(feed).partitions.values())) == 1_000
    assert time.perf_counter() - start < 2


def test_threads_can_read_at_once(landing):
    feed = feed_of(landing)
    for day in range(1, 9):
        write(f"{landing}/shop/visits/2024-03-0{day}.csv", csv([day]))
    found = {}

    def fetch(key):
        with feed.source.origin.fetch(feed, key) as fetched:
            found[key] = fetched.path.read_bytes()

    threads = [threading.Thread(target=fetch, args=[f"2024-03-0{day}"]) for day in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {f"2024-03-0{day}": csv([day]) for day in range(1, 9)}


def test_a_suffix_comes_from_the_format():
    assert (
        feed_of("x", replace(visits, format=CSV())).source.origin.place(feed_of("x"), DAY) == f"x/shop/visits/{DAY}.csv"
    )
