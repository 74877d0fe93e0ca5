"""Who saw what: held against a ledger that is kept by hand while partitions are made."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from platform_ml.engine.content import file_sha256
from platform_ml.engine.feed import landing_file
from platform_ml.engine.lineage import Logs, Published, listed, pins, sources, steps, tree
from platform_ml.engine.lineage_files import trace
from platform_ml.engine.maintenance import maintain
from platform_ml.engine.ports import WHOLE, Artifact
from platform_ml.engine.provenance import tables_seen, tables_used
from platform_ml.engine.tracked import RegisteredVersion
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.engine.upstream import upstream
from platform_ml.outcomes import NoEvent
from platform_ml.spec.errors import PlatformError, SourceError
from platform_ml.spec.history import AsOf, ValidTime
from platform_ml.spec.window import Daily, Weekly
from platform_ml.splitters import ByTime
from platform_ml_tests.engine import rides, shop
from platform_ml_tests.engine.shop import (
    DAYS,
    customers,
    deliver,
    deliver_customers,
    invented,
    keys_of,
    make,
    project_of,
    work_in,
)
from platform_ml_tests.engine.test_knowledge import ASKED, CORRECTED, HISTORY, LOADED, MENDED, VIEW, last, windows

DAYS = DAYS[:77]
orders = replace(shop.orders, cadence=Daily(first=DAYS[0], last=DAYS[-1]))
order_history = replace(shop.order_history, source=orders, cadence=orders.cadence)
order_weeks = replace(shop.order_weeks, source=orders, cadence=Weekly(first=DAYS[0], last=DAYS[-7]))
lapsed = replace(
    shop.lapsed, source=orders, outcome=NoEvent(days=7), cadence=Weekly(first=date(2024, 1, 17), last=date(2024, 3, 6))
)
lapse_view = replace(shop.lapse_view, label=lapsed, features=(order_history, order_weeks))
lapse_dataset = replace(shop.lapse_dataset, view=lapse_view, splitter=ByTime(validation_days=7))
SHOP = project_of(lapse_dataset)
MENDED_DAY, LATE_DAY = date(2024, 2, 12), DAYS[-1]
PROFILE = lapse_view.groups[-1]


@dataclass
class Ledger:
    """Which bytes each partition came from, written down whenever one is made, by hand."""

    work: object
    behind: dict = field(default_factory=dict)
    datasets: dict = field(default_factory=dict)

    def make(self, noun, keys=None, token=1):
        """What comes out as it was before stays what it was, so it came from what it came from."""
        cadence = (lapsed if noun is lapse_view else noun).cadence
        keys = keys or (cadence.keys() if cadence else [WHOLE])
        before = self.commits(noun)
        assert not [found for done in make(self.work, noun, keys, token=token) for found in done.stopped]
        for key in [key for key in keys if self.commits(noun).get(key) != before.get(key)]:
            read = upstream(noun, key)
            own = {(noun.name, key, file_sha256(landing_file(noun, key, self.work)))} if not read else set()
            self.behind[noun.name, key] = own.union(*(self.behind[one.name, day] for one, days in read for day in days))

    def commits(self, noun):
        snapshot = self.work.platform.tables.snapshot(f"shop/{noun.name}")
        return dict(snapshot.commits) if snapshot else {}

    def build(self, name, cutoff):
        done = materialize_training_dataset(lapse_dataset, cutoff, work=self.work, made_by={})
        keys = lapse_dataset.view_keys(lapsed.cadence.day(cutoff))
        self.datasets[name] = done.artifact.digest, set().union(*(self.behind[lapse_view.name, key] for key in keys))
        record = {"model": "lapse_model", "cutoff": cutoff, "dataset": done.artifact.digest}
        place = f"models/shop/lapse_model/{cutoff}"
        self.work.platform.artifacts.publish(place, f"{name:x<64}", record, lambda _: None)

    def saw(self, file):
        return {name for name, (_, files) in self.datasets.items() if file in files}


def registered(number, model, *aliases, **tags):
    return RegisteredVersion(
        name="lapse", version=number, aliases=aliases, status="READY", registered=datetime.now(UTC), run_id="run",
        tags={"model_digest": f"{model:x<64}"} | tags,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """A dataset, a backfill of some weeks, a correction, a late file, another dataset after each; then a vacuum."""
    found = Ledger(work_in(tmp_path_factory.mktemp("lineage")))
    deliver(found.work, invented(), DAYS)
    deliver_customers(found.work)
    for noun in (customers, PROFILE):
        found.make(noun)
    days, weeks, moments = (keys_of(noun) for noun in (orders, order_weeks, lapsed))
    parts = {"before": (days[:60], weeks[:8], moments[:6]), "backfilled": (days[60:], weeks[8:], moments[6:])}
    for token, (name, (some, few, at)) in enumerate(parts.items(), 1):
        for noun, keys in ((orders, some), (order_history, some), (order_weeks, few), (lapsed, at), (lapse_view, at)):
            found.make(noun, keys, token)
        found.build(name, at[-1])
    for seed in (5, 6):  # corrected twice; nobody reads what was there in between
        deliver(found.work, invented(seed=seed), [MENDED_DAY])
        found.make(orders, [str(MENDED_DAY)], token=seed)
    found.make(order_weeks, [str(MENDED_DAY)], token=7)  # the group of days is not made again
    found.make(lapsed, token=7)
    found.make(lapse_view, token=7)
    found.build("mended", moments[-2])
    deliver(found.work, invented(seed=7), [LATE_DAY])
    found.make(orders, [str(LATE_DAY)], token=8)
    kept = list(maintain(SHOP, work=found.work, upkeep=found.work.platform.tables, keep_days=0))
    assert sum(one.vacuumed.files for one in kept) > 0
    return found


@pytest.fixture
def published(ledger):
    versions = [
        registered(1, "before"),
        registered(2, "backfilled", "champion"),
        registered(3, "lost", "challenger", dataset_digest=ledger.datasets["backfilled"][0]),
    ]
    logs = Logs(work_in(ledger.work.platform.tables.root.parent).platform.tables)
    return Published(ledger.work.platform.artifacts, versions, logs)


def test_every_model_that_saw_a_file_and_none_that_did_not(ledger, published):
    loads = [
        (load, (load.table.partition("/")[2], load.partition, file.sha256))
        for noun in (orders, customers)
        for key in (keys_of(noun) if noun.cadence else [WHOLE])
        for load in published.logs.loads(f"shop/{noun.name}", key)
        for file in load.files
    ]
    assert len(loads) == len(DAYS) + 1 + 3  # one customers' file, two corrections, one late file
    answers = set()
    for load, file in loads:
        (seen,) = published.seen([load])
        names = {by.models[0].digest.rstrip("x") for by in seen.by}
        assert names == ledger.saw(file), file
        answers.add(frozenset(names))
    every = {"before", "backfilled", "mended"}
    assert answers == {frozenset(some) for some in ((), every, every - {"before"}, {"backfilled"}, {"mended"})}
    assert published.doubts == []


def test_down_from_a_dataset_to_the_same_files(ledger):
    artifacts = {one.digest: one for one in ledger.work.platform.artifacts.versions("datasets")}
    for digest, expected in ledger.datasets.values():
        found = steps(artifacts[digest], ledger.work.platform.tables)
        assert not any(step.problem for step in found)
        files = listed(found)
        assert {(one["table"].removeprefix("shop/"), one["partition"], one["sha256"]) for one in files} == expected
        assert {one.table: one.files for one in sources(found)} == {
            f"shop/{name}": len({file for file in expected if file[0] == name}) for name in ("orders", "customers")
        }
        assert all(one["size"] > 0 and one["received"] > "2026" for one in files)
    branches = tree(found)
    assert (branches[0].table, branches[0].depth) == ("shop/lapse_view", 0)
    assert [one.table for one in branches if one.again] == ["shop/orders"] * 2
    assert {one.table for one in branches if one.depth == 2} == {"shop/orders", "shop/customers"}


def test_aliases_and_a_model_that_is_not_published_here_any_more(ledger, published):
    (load,) = published.logs.loads("shop/customers", WHOLE)
    (seen,) = published.seen([load])
    names = [(one.name, one.version, tuple(one.aliases)) for by in seen.by for one in by.registered]
    assert sorted(names) == [("lapse", 1, ()), ("lapse", 2, ("champion",)), ("lapse", 3, ("challenger",))]


def test_loads_of_a_partition_say_when_they_were_there(published):
    old, between, new = published.logs.loads("shop/orders", str(MENDED_DAY))
    assert (old.until, old.replaced, new.until) == (between.version, between.received, None)
    assert old.version < between.version < new.version
    assert published.logs.load("shop/orders", str(MENDED_DAY), new.version - 1) == between
    assert published.logs.load("shop/orders", str(LATE_DAY), old.version) is None
    assert published.logs.loads("shop/orders", "2030-01-01") == published.logs.loads("shop/nothing", WHOLE) == []


def test_each_log_is_opened_once(ledger):
    asked = []

    class Counting:
        def snapshot(self, table):
            asked.append(table)
            return ledger.work.platform.tables.snapshot(table)

    logs = Logs(Counting())
    found = Published(ledger.work.platform.artifacts, [], logs)
    found.seen([load for key in keys_of(orders) for load in logs.loads("shop/orders", key)])
    for sighting in found.sightings:
        steps(sighting.dataset, Counting(), logs=logs)
    assert len(asked) == len(set(asked)) > 7


def test_a_table_that_was_written_anew_is_not_mistaken_for_the_one_that_was_read(ledger, tmp_path):
    (artifact, *_) = ledger.work.platform.artifacts.versions("datasets")
    other = work_in(tmp_path)
    deliver(other, invented(seed=9), DAYS[:1])
    make(other, orders, [str(DAYS[0])])
    found = steps(artifact, other.platform.tables)
    assert all("was removed or written anew" in step.problem for step in found)
    assert listed(found) == []
    published = Published(ledger.work.platform.artifacts, [], Logs(other.platform.tables))
    (seen,) = published.seen(published.logs.loads("shop/orders", str(DAYS[0])))
    assert seen.by == ()
    assert any("shop/orders" in doubt for doubt in published.doubts)


def ask(work, text):
    return trace(text, [SHOP], lambda _: work, Logs(work.platform.tables))


def test_a_file_is_found_by_any_name_that_people_give_it(ledger, monkeypatch):
    file = landing_file(orders, str(MENDED_DAY), ledger.work)
    found = ask(ledger.work, str(file))
    assert [load.until is None for load in found.loads] == [False, False, True]
    assert found.notes == ()
    monkeypatch.chdir(file.parent)
    assert ask(ledger.work, file.name) == replace(found, path=file.name)
    below = f"shop/orders/{file.name}"
    assert ask(ledger.work, below).loads == found.loads
    with pytest.raises(PlatformError, match=r"No source of shop has ever read '.*'\. Did you mean '/.*orders/2024-"):
        ask(ledger.work, f"{file.parent}/{file.name}x")


def test_what_was_refused_replaced_or_never_loaded_is_said(tmp_path):
    work = work_in(tmp_path)
    first, second, third = (str(day) for day in DAYS[:3])
    deliver(work, invented(), DAYS[:3])
    make(work, orders, [first, second])
    file = landing_file(orders, first, work)
    good = file.read_bytes()
    file.write_bytes(b"no parquet")
    with pytest.raises(SourceError):
        make(work, orders, [first], token=2)
    (load,), notes = ask(work, str(file)).loads, ask(work, str(file)).notes
    assert load.files[0].size == len(good)
    assert notes[0].startswith("Refused on 20")
    assert "so no model saw these 10 bytes" in notes[0]
    assert "is another file than was loaded: no model saw it" in notes[1]
    file.write_bytes(good)
    assert len(ask(work, str(file)).notes) == 1  # of the bytes that were refused
    waiting = ask(work, str(landing_file(orders, third, work)))
    assert waiting.loads == ()
    assert waiting.notes == (
        f"It is delivered for partition {third} of shop/orders, which was not loaded from it: no model saw it.",
    )
    stray = file.with_name("2024-1-9.parquet")
    stray.write_bytes(good)
    assert "It belongs to no partition of shop/orders" in ask(work, str(stray)).notes[0]


def test_rows_that_were_kept_out_are_counted_with_the_file_that_held_them(tmp_path):
    work, day = work_in(tmp_path), DAYS[0]
    lenient = replace(orders, max_rejected_share=0.9)
    for token, amounts in enumerate(((1, -1, -2), (1, 2, -3), (1, 2, 3)), 1):
        at = shop.naive(day.year, day.month, day.day)
        bought = [shop.Order(n, n, Decimal(amount), at) for n, amount in enumerate(amounts)]
        deliver(work, bought, [day])
        make(work, lenient, [str(day)], token=token)
    loads = Logs(work.platform.tables).loads("shop/orders", str(day))
    assert [(load.rows, load.rejected) for load in loads] == [(1, 2), (2, 1), (3, 0)]


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Rides that were loaded on the fifth and mended on the sixth, in groups that know what was known when."""
    clock = rides.Clock(LOADED)
    work = rides.rides_in(tmp_path_factory.mktemp("corrected"), clock=clock)
    rides.deliver(work, *HISTORY, *ASKED)
    for noun in (rides.rides, last, windows, rides.late):
        assert rides.make(work, noun) == []
    clock.now = CORRECTED
    rides.deliver(work, *MENDED, days=["2024-03-02"])
    for noun in (rides.rides, last, windows, rides.late):
        assert rides.make(work, noun, ["2024-03-02"], token=2) == []
    return work


@pytest.mark.parametrize(
    ("day", "knowledge", "seen"),
    [
        ("2024-03-05", None, {"old"}),
        ("2024-03-06", None, {"old", "new"}),
        ("2024-03-07", None, {"new"}),
        ("2024-03-05", ValidTime(), {"new"}),
        ("2024-03-07", AsOf(moment=CORRECTED), {"new"}),
        ("2024-03-07", AsOf(moment=LOADED), {"old"}),
    ],
)
def test_retracted_rows_were_seen_by_the_moments_that_knew_them_only(corrected, day, knowledge, seen):
    view = (
        VIEW
        if knowledge is None
        else replace(VIEW, knowledge=knowledge, name=f"{type(knowledge).__name__.lower()}_view")
    )
    assert rides.make(corrected, view, [day], token=3) == []
    version = corrected.read(view, [day]).version
    record = {
        "tables": tables_used(view, version, [day], corrected),
        "seen": tables_seen(view, version, [day], corrected),
    }
    artifact = Artifact(folder=corrected.platform.landing, digest="d", record=record)
    assert (record["seen"] is None) == isinstance(knowledge, ValidTime)
    assert {pin["table"] for pin in pins(artifact)} == {pin["table"] for pin in record["tables"]}
    old, new = Logs(corrected.platform.tables).loads("shop/rides", "2024-03-02")
    names = {old.files[0].sha256: "old", new.files[0].sha256: "new"}
    files = listed(steps(artifact, corrected.platform.tables))
    assert {names[one["sha256"]] for one in files if one["partition"] == "2024-03-02"} == seen
