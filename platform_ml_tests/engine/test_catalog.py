import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from platform_ml.engine.catalog import catalog
from platform_ml.engine.catalog_state import state
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.source import materialize_source
from platform_ml.outliers import Tukey
from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import Project
from platform_ml.spec.quality import Quality
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.shop import (
    DAYS,
    FIRST,
    SHOP,
    customers,
    deliver,
    deliver_customers,
    lapsed,
    order_history,
    orders,
    stamp,
)

DAY = date(2024, 5, 1)
BRIEF = replace(orders, cadence=Daily(first=FIRST, last=DAYS[39]))
KEYS = BRIEF.cadence.keys()
SCORED = replace(order_history, source=BRIEF, cadence=BRIEF.cadence, quality=Quality(outliers=Tukey(), min_values=5))


def listed(work, project=SHOP):
    return catalog([project], lambda _: work, day=DAY)


def project_of(*groups):
    return Project(name="shop", description="A shop.", owner="team:shop", outputs=groups)


def make_current(work, noun, keys, steps):
    """Materialize with the fingerprint that the declaration has."""
    for done in steps(noun, keys, work=work, stamp=stamp(1, fingerprint(noun))):
        assert not done.stopped


def test_everything_that_is_declared_is_listed_also_before_anything_was_made(work):
    found = listed(work)
    assert [(item.name, item.kind) for item in found.items] == [
        ("orders", "source"),
        ("lapsed", "label"),
        ("order_history", "feature group"),
        ("order_weeks", "feature group"),
        ("customers", "source"),
        ("customer_profile", "feature group"),
        ("lapse_view", "feature view"),
        ("lapse_dataset", "training dataset"),
        ("lapse_model", "model"),
        ("lapse", "registered model"),
    ]
    assert {(item.made, item.status, item.trouble) for item in found.items} == {(None, "not materialized yet", "")}
    nouns = {noun.name: noun for noun in SHOP.nouns}
    for item in found.items:
        assert item.version == fingerprint(nouns[item.name])
        assert (item.owner, item.description) == (SHOP.owner, nouns[item.name].description)
        assert item.facts


def test_who_uses_what(work):
    found = {item.name: item for item in listed(work).items}
    assert found["orders"].consumers == ("lapsed", "order_history", "order_weeks")
    assert found["order_history"].upstream == ("orders",)
    assert found["order_history"].consumers == ("lapse_view",)
    assert found["customers"].downstream == (
        "customer_profile", "lapse_view", "lapse_dataset", "lapse_model", "lapse",
    )  # fmt: skip
    assert found["lapse_dataset"].consumers == ("lapse_model",)
    assert (found["lapse"].upstream, found["lapse"].consumers) == (("lapse_model",), ())


def test_what_is_there(work, bought):
    deliver(work, bought, DAYS[:40])
    make_current(work, BRIEF, KEYS[:38], materialize_source)
    make_current(work, SCORED, KEYS[:35], materialize_feature_group)
    found = {item.name: item for item in listed(work, project_of(SCORED)).items}
    source, group = found["orders"], found["order_history"]
    assert source.made.rows == sum(str(order.day) in KEYS[:38] for order in bought)
    assert (source.made.partitions, source.made.first, source.made.last) == (38, KEYS[0], KEYS[37])
    assert source.freshness.due == len(KEYS)
    assert (source.freshness.latest, source.freshness.expected) == (KEYS[37], KEYS[-1])
    assert (source.freshness.missing, source.freshness.behind) == (len(KEYS) - 38, len(KEYS) - 38)
    assert (source.status, group.status) == (f"{len(KEYS) - 38} behind", f"{len(KEYS) - 35} behind")
    assert source.trouble == (
        f"{len(KEYS) - 38} of {len(KEYS)} partitions due are missing, "
        f"{len(KEYS) - 38} of them after {KEYS[37]}, the latest one."
    )
    assert source.quality is None
    kept = work.platform.tables.statistics(work.read(SCORED, []))
    assert group.quality.partition == KEYS[34]
    assert (group.quality.score, group.quality.ready_share) == (
        kept[KEYS[34]].quality.score, kept[KEYS[34]].quality.ready_share
    )  # fmt: skip
    assert [key for key, *_ in group.quality.scores] == [key for key in KEYS[5:35] if kept[key].rows]


def test_a_gap_is_told_from_being_late(work, bought):
    deliver(work, bought, DAYS[:40])
    make_current(work, BRIEF, [*KEYS[:5], *KEYS[8:]], materialize_source)
    (source, _) = listed(work, project_of(SCORED)).items
    assert (source.status, source.freshness.missing, source.freshness.behind) == ("3 missing", 3, 0)
    assert source.trouble == f"3 of {len(KEYS)} partitions due are missing."


def test_all_there_is_current(work, bought):
    deliver(work, bought, DAYS[:40])
    make_current(work, BRIEF, KEYS, materialize_source)
    (source, _) = listed(work, project_of(SCORED)).items
    assert (source.status, source.trouble) == ("current", "")


def test_another_declaration_is_said(work, bought):
    deliver(work, bought, DAYS[:40])
    deliver_customers(work)
    make_current(work, BRIEF, KEYS, materialize_source)
    make_current(work, customers, ["all"], materialize_source)
    longer = replace(SCORED, description="In other words.")
    other = replace(BRIEF, max_rejected_share=0.5)
    (same, _) = listed(work, project_of(longer)).items
    (stale, _) = listed(work, project_of(replace(longer, source=other))).items
    assert same.status == "current"
    assert stale.status == "stale"
    assert stale.trouble == (
        f"Stale: {len(KEYS)} of {len(KEYS)} partitions came from another declaration ({fingerprint(BRIEF)[:8]}) "
        f"than today's ({fingerprint(other)[:8]}). Materialize again."
    )


def test_partitions_that_are_not_due_are_not_missed(work):
    running = replace(orders, cadence=Daily(first=FIRST))
    waiting = replace(lapsed, source=running, cadence=replace(lapsed.cadence, last=None))
    today = datetime.now(UTC).date()
    for noun, horizon in ((running, 1), (waiting, lapsed.horizon_days)):
        known = [key for key in noun.cadence.keys() if date.fromisoformat(key) + timedelta(days=horizon) <= today]
        fresh = state(noun, fingerprint(noun), SHOP, work).freshness
        assert (fresh.expected, fresh.due, fresh.missing, fresh.latest) == (known[-1], len(known), len(known), "")


def carded(work, registration, *, approved, declared):
    """Publish a card as far as the catalog reads it."""

    def fill(folder):
        status = "Approved: all 1 gates passed." if approved else "Not approved: roc_auc is 0.5."
        (folder / "card.json").write_text(json.dumps({"approved": approved, "status": status}))

    record = {"card": registration.card.name, "cutoff": "2024-04-10", "fingerprint": declared}
    work.platform.artifacts.publish(
        f"cards/shop/{registration.card.name}/2024-04-10", f"{approved}{declared}", record, fill
    )


def test_a_model_that_did_not_pass_its_gates_is_not_current(work):
    (registration,) = SHOP.outputs
    declared = fingerprint(registration)
    carded(work, registration, approved=True, declared=declared)
    good = listed(work).item("lapse")
    assert (good.status, good.trouble, good.made.rows) == ("current", "", None)
    assert [version.made for version in good.made.versions] == ["Approved: all 1 gates passed."]
    carded(work, registration, approved=False, declared=declared)
    bad = listed(work).item("lapse")
    assert (bad.status, bad.trouble) == ("not approved", "Not approved: roc_auc is 0.5.")
    assert (bad.made.partitions, bad.made.parts) == (2, "versions")
    carded(work, registration, approved=True, declared="f" * 64)
    assert listed(work).item("lapse").status == "stale"


def test_one_is_found_by_name(work):
    other = replace(project_of(order_history), name="other")
    both = catalog([SHOP, other], lambda _: work, day=DAY)
    assert both.item("lapse_view").key == "shop/lapse_view"
    assert both.item("other/orders").project == "other"
    with pytest.raises(PlatformError, match=r"More than one project has 'orders'. Write one of: shop/orders, other/or"):
        both.item("orders")
    with pytest.raises(PlatformError, match=r"shop, other declares no 'lapse_veiw'. Did you mean 'lapse_view'\?"):
        both.item("lapse_veiw")


def test_it_is_plain_json(work, bought):
    deliver(work, bought, DAYS[:40])
    make_current(work, BRIEF, KEYS[:10], materialize_source)
    make_current(work, SCORED, KEYS[:10], materialize_feature_group)
    plain = json.loads(json.dumps(listed(work, project_of(SCORED)).to_json(), allow_nan=False))
    (project,) = plain["projects"]
    assert (plain["format"], plain["day"], project["owner"]) == (1, "2024-05-01", "team:shop")
    group = project["items"][1]
    assert (group["name"], group["kind"], group["status"]) == ("order_history", "feature group", "30 behind")
    assert group["quality"]["scores"][-1][0] == KEYS[9]
    feature = next(column for column in group["columns"] if column["name"] == "amount_sum_28d")
    assert (feature["unit"], feature["lookback_days"], feature["missing"]) == ("EUR", 28, 0.0)


def test_no_declaration_is_called_like_the_catalog():
    with pytest.raises(DeclarationError, match="'catalog' lists what is declared"):
        project_of(replace(order_history, name="catalog"))
