import os
import shutil
from dataclasses import replace
from datetime import date, timedelta

import pytest

from platform_ml.engine.feed import landing_file
from platform_ml.engine.plan import UNTRAINED, plan, ranges
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.staleness import CHANGED, DECLARED, NEVER, UPSTREAM, stale
from platform_ml.features import Total
from platform_ml.origins import SQL, Files
from platform_ml.spec.window import Daily, Weekly
from platform_ml_tests.engine import shop
from platform_ml_tests.engine.shop import deliver, deliver_customers, table, work_in, write
from platform_ml_tests.engine.test_staleness import make
from platform_ml_tests.orchestration.shop import swapped

FIRST, LATE = date(2024, 1, 1), date(2024, 2, 6)
DAYS = [FIRST + timedelta(days=n) for n in range(56)]
NOW = Files(settle=timedelta(0))
orders = replace(shop.orders, origin=NOW, cadence=Daily(first=FIRST, last=DAYS[-1]))
customers = replace(shop.customers, origin=NOW)
order_history = replace(shop.order_history, source=orders, cadence=orders.cadence)
order_weeks = replace(shop.order_weeks, source=orders, cadence=Weekly(first=FIRST, last=DAYS[-7]))
customer_profile = replace(shop.customer_profile, source=customers)
lapsed = replace(shop.lapsed, source=orders, cadence=Weekly(first=date(2024, 1, 17), last=date(2024, 2, 7)))
lapse_view = replace(shop.lapse_view, label=lapsed, features=(order_history, order_weeks), helpers=(customer_profile,))
PROJECT = shop.project_of(replace(shop.lapse_dataset, view=lapse_view))
VIEW = ("lapsed", "order_history", "order_weeks", "customer_profile")


def work_off(work, project=PROJECT, **asked):
    """Run the ready steps until there are none; what was made, in order."""
    made = []
    nouns = {noun.name: noun for noun in project.nouns}
    while ready := plan(project, work, **asked).ready:
        for name in ready[0].made:
            make(work, nouns[name], list(ready[0].keys))
        made.append((ready[0].made, ready[0].keys))
    return made


@pytest.fixture(scope="module")
def _made(tmp_path_factory, bought):
    work = work_in(tmp_path_factory.mktemp("made"))
    deliver(work, bought, DAYS)
    deliver_customers(work)
    work_off(work)
    return work.platform.landing.parent


@pytest.fixture
def made(tmp_path, _made):
    return work_in(shutil.copytree(_made, tmp_path / "shop"))


def late(work, bought, day=LATE):
    found = [order for order in bought if order.day == day]
    write(work, orders, str(day), table(found[1:]))


def days(first, count):
    return tuple(str(first + timedelta(days=n)) for n in range(count))


def said(found):
    return [(step.nouns, step.then, step.keys[0], step.keys[-1], step.waits) for step in found.steps]


def test_the_first_plan_has_one_run_for_what_goes_together(work, bought):
    deliver(work, bought, DAYS)
    deliver_customers(work)
    found = plan(PROJECT, work)
    first, last = str(FIRST), str(DAYS[-1])
    assert said(found) == [
        (("orders",), ("order_history",), first, last, ()),
        (("customers",), ("customer_profile",), WHOLE, WHOLE, ()),
        (("order_weeks",), (), first, "2024-02-19", ("orders",)),
        (("lapsed",), (), "2024-01-17", "2024-02-07", ("orders",)),
        (("lapse_view",), (), "2024-01-17", "2024-02-07", VIEW),
    ]
    assert found.steps[0].reasons == {NEVER: 2 * len(orders.cadence.keys())}
    assert [step.made for step in found.ready] == [("orders", "order_history"), ("customers", "customer_profile")]
    assert found.held == ()


def test_working_the_plan_off_leaves_nothing(made):
    assert stale(PROJECT, made) == {}
    assert plan(PROJECT, made).steps == ()


def test_a_late_file_makes_exactly_what_can_see_it(made, bought):
    late(made, bought)
    found = plan(PROJECT, made)
    sees = tuple(
        key
        for key in lapsed.cadence.keys()
        if date.fromisoformat(key) + timedelta(days=14) > LATE  # who was seen before has no end, the horizon is 14 days
    )
    history, week = days(LATE, 20), ("2024-02-05",)
    expected = {"orders": (str(LATE),), "order_history": history, "order_weeks": week, "lapsed": sees}
    everything = expected | {"lapse_view": sees}
    assert {name: step.keys for step in found.steps for name in step.made} == everything
    assert {step.made: step.waits for step in found.steps}["orders",] == ()
    assert found.steps[0].reasons == {CHANGED: 1}
    assert set(found.steps[1].reasons) == {UPSTREAM}

    made_now = {(name, key) for nouns, keys in work_off(made) for name in nouns for key in keys}
    # Outcomes that came out the same make nothing of the view stale.
    spared = {(name, key) for name, keys in everything.items() for key in keys} - made_now
    assert made_now | spared == {(name, key) for name, keys in everything.items() for key in keys}
    assert {name for name, _ in spared} <= {"lapse_view"}
    assert stale(PROJECT, made) == {}


def test_a_changed_declaration_is_told_from_new_data(made):
    history = replace(order_history, features=(*order_history.features, Total(days=14, of="amount")))
    project = swapped(PROJECT, order_history, history)
    found = plan(project, made)
    assert [set(step.reasons) for step in found.steps] == [{DECLARED}, {DECLARED}]
    assert [step.waits for step in found.steps] == [(), ("order_history",)]


def test_tokens_change_with_what_a_partition_is_made_of(made, bought):
    late(made, bought)
    before = plan(PROJECT, made).steps[0].tokens
    assert plan(PROJECT, made).steps[0].tokens == before
    late(made, bought[:-40])
    os.utime(landing_file(orders, str(LATE), made), (0, 0))
    assert plan(PROJECT, made).steps[0].tokens != before


def test_only_what_is_wanted_and_what_that_needs(made, bought):
    late(made, bought)
    late(made, bought, LATE + timedelta(days=10))
    wanted = plan(PROJECT, made, of=[order_weeks], between=("2024-02-05", "2024-02-05"))
    assert [(step.made, step.keys) for step in wanted.steps] == [
        (("orders",), (str(LATE),)),
        (("order_weeks",), ("2024-02-05",)),
    ]
    assert plan(PROJECT, made, outdated=False).steps == ()
    shutil.rmtree(made.platform.tables.root / "shop" / "order_weeks")
    made_of = ("orders", "order_weeks")
    missing = plan(PROJECT, made, outdated=False, between=("2024-02-05", "2024-02-12"))
    keys = {noun: [key for step in missing.steps if noun in step.made for key in step.keys] for noun in made_of}
    assert keys == {"orders": ["2024-02-06", "2024-02-16"], "order_weeks": ["2024-02-05", "2024-02-12"]}


def test_a_refused_file_holds_back_what_can_see_it_and_nothing_else(work, bought):
    deliver(work, bought, DAYS)
    deliver_customers(work)
    bad = landing_file(orders, str(LATE), work)
    bad.write_bytes(b"no parquet")
    keys = orders.cadence.keys()
    with pytest.raises(Exception, match="The file is kept in"):
        make(work, orders, keys)
    found = plan(PROJECT, work)
    loads = [step.keys for step in found.steps if "orders" in step.nouns]
    assert loads == [tuple(keys[: keys.index(str(LATE))]), tuple(keys[keys.index(str(LATE)) + 1 :])]
    (refused,) = [one for one in found.held if one.refused]
    assert (refused.noun, refused.keys) == ("orders", (str(LATE),))
    assert refused.why.startswith("refused: ")
    held = {key for one in found.held if one.noun == "order_history" for key in one.keys}
    assert held == set(days(LATE, 20))
    history = [order_history]
    work_off(work, of=history)
    again = plan(PROJECT, work, of=history)
    assert again.steps == ()
    assert {one.noun for one in again.held} == {"orders", "order_history"}
    assert len(work.platform.tables.snapshot("shop/order_history").partitions) == len(keys) - 20

    late(work, bought)
    assert [step.made for step in plan(PROJECT, work, of=history).ready] == [("orders",)]


def test_a_place_that_is_away_stops_no_other(made, bought, monkeypatch):
    monkeypatch.delenv("NOWHERE_URL", raising=False)
    gone = replace(customers, format=None, origin=SQL(url="env:NOWHERE_URL", table="customers"))
    late(made, bought)
    found = plan(swapped(PROJECT, customers, gone), made)
    assert "NOWHERE_URL" in found.away["customers"]
    assert found.steps[0].made == ("orders",)
    shutil.rmtree(made.platform.tables.root / "shop" / "customers")
    found = plan(swapped(PROJECT, customers, gone), made)
    assert "its place cannot be reached" in next(one.why for one in found.held if one.noun == "customers")
    assert found.steps[0].made == ("orders",)


def test_what_is_still_written_is_waited_for_unless_somebody_wants_it_now(work, bought):
    deliver(work, bought, DAYS)
    deliver_customers(work)
    patient = swapped(PROJECT, NOW, Files())
    found = plan(patient, work)
    assert found.steps == ()
    assert found.held[0].why.startswith("growing: ")
    assert "was written" in found.held[0].why
    assert plan(patient, work, settled=False).steps[0].made == ("orders", "order_history")


def test_vanished_files_make_nothing_stale(made):
    landing_file(orders, str(LATE), made).unlink()
    assert plan(PROJECT, made).steps == ()


def test_a_registration_is_trained_for_the_newest_cutoff_that_is_known(made, bought):
    (registration,) = PROJECT.outputs
    (step,) = plan(PROJECT, made, of=[registration]).steps
    assert (step.keys, step.waits, step.together) == (("2024-02-07",), (), True)
    assert step.made[0] == "lapse_dataset"
    assert step.made[-1] == "lapse"
    assert set(step.reasons) == {UNTRAINED}
    late(made, bought)
    found = plan(PROJECT, made, of=[registration])
    assert found.steps[-1].waits == ("lapse_view",)
    assert {name for one in found.steps[:-1] for name in one.made} >= {"orders", "lapsed", "lapse_view"}


def test_ranges_are_as_few_as_possible():
    assert ranges([], "abc") == []
    assert ranges("acb", "abc") == [("a", "b", "c")]
    assert ranges("abcdef", "abcdef", 4) == [("a", "b", "c", "d"), ("e", "f")]
    assert ranges("ac", "abc") == [("a",), ("c",)]
