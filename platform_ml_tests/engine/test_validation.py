from dataclasses import replace

import pytest

from platform_ml.checks import PSI, Complete, InRange, PanderaRule, References, Rule, Volume
from platform_ml.engine.validation import reported
from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import referred
from platform_ml_tests.engine.shop import (
    DAYS,
    SHOP,
    customers,
    deliver,
    deliver_customers,
    lapsed,
    make,
    orders,
    work_in,
)
from platform_ml_tests.engine.shop import order_history as history

KEYS = [str(day) for day in DAYS]


def judged(*checks, noun=orders):
    return replace(noun, checks=checks)


def findings(done, name):
    return {found.partition: found for one in done for found in one.findings if found.check.name == name}


def test_declared_checks_are_shown():
    (check,) = reported(judged(Complete("amount", blocking=True)))
    assert (check.name, check.blocking, check.description) == (
        "complete_amount",
        True,
        "At most 0.00% of the rows have no amount.",
    )
    assert reported(lapsed) == ()


@pytest.mark.parametrize("noun", [orders, history, lapsed])
def test_what_rows_are_held_against_changes_no_fingerprint(noun):
    column = next(iter(noun.types if noun is orders else noun.columns))
    assert fingerprint(judged(Complete(column), noun=noun)) == fingerprint(noun)


@pytest.mark.parametrize("noun", [orders, history, lapsed])
def test_checks_fit_their_table(noun):
    with pytest.raises(DeclarationError, match="has no column 'nothing'"):
        judged(Complete("nothing"), noun=noun)
    with pytest.raises(DeclarationError, match="every table has a check 'volume' already"):
        judged(Rule("volume", "TRUE"), noun=noun)
    with pytest.raises(DeclarationError, match="'rich' 2 times"):
        judged(Rule("rich", "TRUE"), Rule("rich", "FALSE"), noun=noun)


def test_a_warning_lets_rows_in_and_a_blocking_check_does_not(work, bought):
    deliver(work, bought)
    wary = judged(InRange("amount", maximum=1))
    done = make(work, wary, KEYS[:10])
    assert not done[0].stopped
    assert not all(found.passed for found in findings(done, "in_range_amount").values())
    version = work.read(orders, []).version
    strict = judged(InRange("amount", maximum=1, blocking=True))
    (stopped, *_) = make(work, strict, KEYS[:10], token=2)[0].stopped
    assert stopped.check.name == "in_range_amount"
    assert "amount above 1" in stopped.reason
    assert work.read(orders, []).version == version


def test_another_threshold_makes_no_new_version(work, bought):
    deliver(work, bought)
    first = make(work, judged(InRange("amount", maximum=1)), KEYS)[-1].snapshot
    again = make(work, judged(InRange("amount", maximum=2), Volume()), KEYS, token=2)[-1].snapshot
    assert again.version == first.version


def test_orphans(work, bought):
    deliver(work, bought)
    linked = judged(References("customer_id", customers, max_share=0.5))
    (found, *_) = findings(make(work, linked, KEYS[:1]), "customer_id_in_customers").values()
    assert not found.passed
    assert "shop/customers was never materialized. Run: dagster asset materialize" in found.reason

    deliver_customers(work)
    make(work, customers)
    known = {n for n in range(1_000) if n % 3}
    found = findings(make(work, linked, KEYS, token=2), "customer_id_in_customers")
    for day in DAYS:
        who = [order.customer_id for order in bought if order.day == day]
        assert found[str(day)].numbers["orphans"] == sum(one not in known for one in who), day


def test_what_only_checks_read_belongs_to_the_project():
    linked = judged(References("customer_id", customers))
    assert referred(linked) == (customers,)
    project = replace(SHOP, outputs=(replace(history, source=linked),))
    assert [noun.name for noun in project.nouns] == ["customers", "orders", "order_history"]


def test_history_is_the_same_in_pieces_and_at_once(work, bought, tmp_path):
    checks = (Volume(partitions=20), PSI("amount", 0.1, partitions=20))
    whole, pieces = work_in(tmp_path / "whole"), work_in(tmp_path / "pieces")
    deliver(whole, bought)
    deliver(pieces, bought)
    at_once = make(whole, judged(*checks), KEYS)
    in_pieces = [one for at in (0, 7, 40) for one in make(pieces, judged(*checks), KEYS[at : {0: 7, 7: 40}.get(at)])]
    for name in ("volume_as_before", "psi_amount", "volume"):
        one, other = findings(at_once, name), findings(in_pieces, name)
        assert {key: found.reason for key, found in one.items()} == {key: found.reason for key, found in other.items()}


def test_a_rule_in_pandera_sees_each_partition_by_itself(work, bought, tmp_path, monkeypatch):
    (tmp_path / "shop_schemas.py").write_text(
        "import pandera.pandas as pa\n"
        "cheap = pa.DataFrameSchema({'amount': pa.Column(checks=pa.Check.le(100))}, strict='filter')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    deliver(work, bought)
    found = findings(make(work, judged(PanderaRule("cheap", "shop_schemas:cheap")), KEYS[:20]), "cheap")
    for day in DAYS[:20]:
        dear = [order for order in bought if order.day == day and order.amount > 100]
        one = found[str(day)]
        assert (one.passed, one.numbers["rows"] if one.numbers else 0) == (not dear, len(dear)), one
        assert not dear or f"(order_id={min(order.order_id for order in dear)})" in one.reason


def test_a_rule_that_cannot_be_computed_says_so(work, bought):
    deliver(work, bought)
    with pytest.raises(PlatformError, match="amont"):
        make(work, judged(Rule("dear", "amont > 1")), KEYS[:1])
