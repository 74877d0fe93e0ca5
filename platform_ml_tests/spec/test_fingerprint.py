import subprocess
import sys
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from platform_ml.features import Count, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE, digest, fingerprint, meaning
from platform_ml.spec.project import Project
from platform_ml.spec.schema import Column, Decimal, Double
from platform_ml.spec.window import Daily, Weekly
from platform_ml.splitters import ByTime
from platform_ml.testing import declarations
from platform_ml.testing.declarations import lapse, lapse_dataset, lapse_view, lapsed, order_history, orders, shop


@dataclass(frozen=True)
class Small:
    """Something to hash."""

    number: object
    note: str = field(default="", metadata=PROSE)


@dataclass(frozen=True)
class Other:
    """The same fields under another name."""

    number: object
    note: str = field(default="", metadata=PROSE)


def test_descriptions_change_nothing():
    for noun in shop.nouns:
        if "description" in {item.name for item in fields(noun)}:
            assert fingerprint(replace(noun, description="In other words.")) == fingerprint(noun)
    column = orders.columns[0]
    assert fingerprint(replace(column, description="In other words.")) == fingerprint(column)
    assert fingerprint(replace(shop, owner="team:other")) == fingerprint(shop)


def test_descriptions_upstream_change_nothing():
    source = replace(orders, description="In other words.")
    view = replace(lapse_view, label=replace(lapsed, source=source), features=(replace(order_history, source=source),))
    assert fingerprint(replace(lapse_dataset, view=view)) == fingerprint(lapse_dataset)


@pytest.mark.parametrize(
    "changed",
    [
        replace(orders, name="sales"),
        replace(orders, key=("order_id", "customer_id")),
        replace(orders, max_rejected_share=0.02),
        replace(orders, expected_rows=(1, 2)),
        replace(orders, cadence=Daily(first=date(2024, 1, 2), last=date(2024, 6, 30))),
        replace(orders, cadence=Daily(first=date(2024, 1, 1))),
        replace(orders, columns=orders.columns[::-1]),
        replace(
            orders,
            columns=(*orders.columns[:2], Column("amount", Decimal(9, 3), unit="EUR", minimum=0), *orders.columns[3:]),
        ),
        replace(
            orders,
            columns=(*orders.columns[:2], Column("amount", Decimal(9, 2), unit="USD", minimum=0), *orders.columns[3:]),
        ),
        replace(
            orders,
            columns=(*orders.columns[:2], Column("amount", Double(), unit="EUR", minimum=0), *orders.columns[3:]),
        ),
    ],
)
def test_any_meaning_of_a_source_changes_it(changed):
    assert fingerprint(changed) != fingerprint(orders)


@pytest.mark.parametrize(
    "features",
    [(Total(days=28, of="amount"),), order_history.features[::-1], (*order_history.features, Count(days=3))],
)
def test_any_feature_changes_its_group(features):
    assert fingerprint(replace(order_history, features=features)) != fingerprint(order_history)


def test_what_is_upstream_changes_everything_downstream():
    source = replace(orders, max_rejected_share=0.5)
    label = replace(lapsed, source=source)
    view = replace(lapse_view, label=label)
    before = [fingerprint(noun) for noun in (lapsed, lapse_view, lapse_dataset)]
    after = [fingerprint(noun) for noun in (label, view, replace(lapse_dataset, view=view))]
    assert not set(before) & set(after)


def test_every_noun_has_its_own():
    prints = [fingerprint(noun) for noun in shop.nouns]
    assert len(set(prints)) == len(prints)
    assert fingerprint(Small(1)) != fingerprint(Other(1))
    assert fingerprint(Daily(first=date(2024, 1, 1))) != fingerprint(Weekly(first=date(2024, 1, 1)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, 2),
        (True, 2),
        (None, ""),
        ("a", "b"),
        ((1, 2), (2, 1)),
        ((1,), 1),
        (0.1, 0.2),
        (0.1, "x"),
        ({}, ()),
    ],
)
def test_different_values_differ(one, other):
    assert fingerprint(Small(one)) != fingerprint(Small(other))


def test_the_order_of_a_mapping_and_the_kind_of_a_sequence_do_not_matter():
    assert fingerprint(Small({"a": 1, "b": 2})) == fingerprint(Small({"b": 2, "a": 1}))
    assert fingerprint(Small([1, 2])) == fingerprint(Small((1, 2)))


def test_times():
    assert meaning(date(2024, 1, 31)) == "2024-01-31"
    assert meaning(datetime(2024, 1, 31, tzinfo=UTC)) == "2024-01-31T00:00:00+00:00"
    assert meaning(timedelta(days=1, microseconds=1)) == 86_400_000_001


@pytest.mark.parametrize("value", [{1, 2}, object(), b"x", int])
def test_what_is_no_plain_value_is_refused(value):
    with pytest.raises(DeclarationError, match=r"A declaration cannot hold a \w+: .*Use plain values"):
        fingerprint(Small(value))


def test_numbers_that_are_none_are_refused_in_a_digest():
    with pytest.raises(ValueError, match="JSON"):
        digest({"a": float("nan")})


def test_a_field_that_was_added_later_says_nothing_at_its_default():
    assert meaning(ByTime(validation_days=14)) == {"is": "ByTime", "validation_days": 14, "gap_days": None}
    assert meaning(ByTime(validation_days=14, test_days=7))["test_days"] == 7
    assert fingerprint(ByTime(validation_days=14, test_days=7)) != fingerprint(ByTime(validation_days=14))


def test_every_field_of_the_nouns_is_plain():
    for noun in (*shop.nouns, shop):
        assert is_dataclass(noun)
        assert len(fingerprint(noun)) == 64


PRINT_ALL = """
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import shop
print(" ".join(fingerprint(noun) for noun in (*shop.nouns, shop)))
"""


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_gets_the_same(seed):
    command = [sys.executable, "-c", PRINT_ALL]
    ran = subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [fingerprint(noun) for noun in (*shop.nouns, shop)]


def test_it_is_the_same_forever():
    """Whoever changes this number makes every table of every project stale."""
    assert fingerprint(ByTime(validation_days=14)) == "41eb76b3c09a63c3378a6106f5493c0d58af1b9461349e20b65821f5feedca08"
    assert fingerprint(orders) == "81d42148a123a7ad9fdc220ba216d472b00c841ec5e0251816f051a0b2f9b1cb"
    assert isinstance(declarations.shop, Project)
    assert fingerprint(lapse) != fingerprint(lapse.card)
