import shutil
from dataclasses import replace
from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest

from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.feed import landing_file
from platform_ml.engine.label import materialize_label
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.source import materialize_source
from platform_ml.engine.staleness import CHANGED, DECLARED, NEVER, UPSTREAM, stale
from platform_ml.features import Total
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.label import Label
from platform_ml.spec.source import Source
from platform_ml.testing import declarations as small
from platform_ml_tests.engine import shop
from platform_ml_tests.engine.shop import (
    customer_profile,
    customers,
    deliver,
    deliver_customers,
    lapse_dataset,
    lapsed,
    order_weeks,
    orders,
    stamp,
    table,
    work_in,
    write,
)

order_history = replace(shop.order_history, source=orders)
lapse_view = replace(shop.lapse_view, features=(order_history, order_weeks))
LATE = date(2024, 2, 21)
TABLES = (orders, customers, order_history, order_weeks, customer_profile, lapsed, lapse_view)
STEPS = {
    Source: materialize_source,
    FeatureGroup: materialize_feature_group,
    Label: materialize_label,
    FeatureView: materialize_feature_view,
}


def project(view=lapse_view):
    model = replace(small.lapse_model, dataset=replace(lapse_dataset, view=view))
    card = replace(small.lapse_card, evaluation=replace(small.lapse_evaluation, model=model))
    return replace(small.shop, outputs=(replace(small.lapse, card=card),))


def keys(noun):
    cadence = noun.label.cadence if isinstance(noun, FeatureView) else noun.cadence
    return cadence.keys() if cadence else [WHOLE]


def make(work, noun, some=None):
    STEPS[type(noun)](noun, some or keys(noun), work=work, stamp=stamp(fingerprint=fingerprint(noun)))


def all_of(noun, reason):
    return dict.fromkeys(keys(noun), reason)


def days(first, last):
    return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]


@pytest.fixture(scope="module")
def _made(tmp_path_factory, bought):
    work = work_in(tmp_path_factory.mktemp("made"))
    deliver(work, bought)
    deliver_customers(work)
    for noun in TABLES:
        make(work, noun)
    return work.platform.landing.parent


@pytest.fixture
def made(tmp_path, _made):
    """Every table is made of what was delivered."""
    return work_in(shutil.copytree(_made, tmp_path / "shop"))


def without_one_order(work, bought, day):
    """The file of a day comes again, and is another one."""
    found = [order for order in bought if order.day == day]
    assert found
    write(work, orders, str(day), table(found[1:]))


def test_at_first_everything_was_never_made(work, bought):
    deliver(work, bought)
    assert stale(project(), work) == {noun.name: all_of(noun, NEVER) for noun in TABLES}


def test_what_is_up_to_date_is_not_named(made):
    assert stale(project(), made) == {}


def test_prose_makes_nothing_stale(made):
    said = replace(lapse_view, label=replace(lapsed, description="In other words."))
    assert stale(project(said), made) == {}


def test_a_changed_declaration_makes_its_table_stale_and_what_reads_it(made):
    history = replace(order_history, features=(*order_history.features, Total(days=14, of="amount")))
    view = replace(lapse_view, features=(history, order_weeks))
    assert stale(project(view), made) == {
        "order_history": all_of(order_history, DECLARED),
        "lapse_view": all_of(lapse_view, DECLARED),
    }
    make(made, history)
    assert stale(project(view), made) == {"lapse_view": all_of(lapse_view, DECLARED)}
    make(made, view)
    assert stale(project(view), made) == {}


def test_a_late_file_reaches_as_far_as_windows_look_back(made, bought):
    without_one_order(made, bought, LATE)
    history = days(LATE, LATE + timedelta(days=27))
    week = [key for key in keys(order_weeks) if key <= str(LATE)][-1:]
    labels = [key for key in keys(lapsed) if date.fromisoformat(key) + timedelta(days=14) > LATE]
    known = {
        "order_history": dict.fromkeys(history, UPSTREAM),
        "order_weeks": dict.fromkeys(week, UPSTREAM),
        "lapsed": dict.fromkeys(labels, UPSTREAM),
        "lapse_view": dict.fromkeys(labels, UPSTREAM),
    }
    assert 0 < len(labels) < len(keys(lapsed))
    assert stale(project(), made) == {"orders": {str(LATE): CHANGED}} | known

    make(made, orders, [str(LATE)])
    changed = {name: dict.fromkeys(found, CHANGED) for name, found in known.items() if name != "lapse_view"}
    assert stale(project(), made) == changed | {"lapse_view": known["lapse_view"]}
    make(made, order_history, history)
    make(made, order_weeks, week)
    make(made, lapsed, labels)
    assert "lapsed" not in stale(project(), made)
    make(made, lapse_view, labels)
    assert stale(project(), made) == {}


def test_a_file_with_the_same_rows_is_read_again_and_nothing_else(made):
    file = landing_file(orders, str(LATE), made)
    pq.write_table(pq.read_table(file), file, compression="none", use_dictionary=False)
    assert stale(project(), made)["orders"] == {str(LATE): CHANGED}
    make(made, orders, [str(LATE)])
    assert stale(project(), made) == {}


def test_a_reference_file_makes_stale_all_that_looks_at_it(made):
    deliver_customers(made, [{"customer_id": 1, "country": "AT", "student": None}])
    assert stale(project(), made) == {
        "customers": {WHOLE: CHANGED},
        "customer_profile": {WHOLE: UPSTREAM},
        "lapse_view": all_of(lapse_view, UPSTREAM),
    }


def test_a_partition_that_was_never_made_is_stale_and_so_is_what_reads_it(work, bought):
    deliver(work, bought)
    deliver_customers(work)
    make(work, customers)
    make(work, customer_profile)
    make(work, orders, keys(orders)[:60])
    make(work, order_history, keys(order_history)[:50])
    found = stale(project(), work)
    assert found["orders"] == dict.fromkeys(keys(orders)[60:], NEVER)
    assert found["order_history"] == dict.fromkeys(keys(order_history)[50:], NEVER)
    assert set(found) == {"orders", "order_history", "order_weeks", "lapsed", "lapse_view"}


def test_a_lost_upstream_table_is_found_out(made):
    shutil.rmtree(made.platform.tables.root / "shop" / "customer_profile")
    assert stale(project(), made) == {
        "customer_profile": {WHOLE: NEVER},
        "lapse_view": all_of(lapse_view, UPSTREAM),
    }
