import numpy as np
import pytest

from platform_ml.checks import PSI, BetweenSplits, JensenShannon
from platform_ml.spec.check import Seen
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Double, Text
from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics

COLUMNS = {"split": Text(), "amount": Double(), "brand": Text()}


def spread(n, shift=0.0, seed=1):
    values = np.quantile(np.random.default_rng(seed).normal(shift, 1, n), np.arange(101) / 100)
    column = ColumnStatistics(kind="number", nulls=0, distinct=n, quantiles=tuple(values))
    return PartitionStatistics(rows=n, sampled=n, columns={"amount": column})


def judged(check, **splits):
    whole = spread(10)
    return check.judge(Seen(partition="2024-01-01", numbers={}, statistics=whole, splits=splits))


def test_it_says_what_it_is():
    check = BetweenSplits(PSI("amount", 0.1))
    check.check("Table", COLUMNS)
    assert (check.name, check.blocking, check.looks_back) == ("psi_amount_between_splits", False, 0)
    assert (
        check.rule
        == "amount is spread in every split as in the training rows: PSI at most 0.1, or what chance explains."
    )


def test_splits_that_are_alike_pass():
    found = judged(
        BetweenSplits(PSI("amount", 0.1)), train=spread(5000), validation=spread(500, seed=2), test=spread(500)
    )
    assert found.passed, found
    assert "against 5,000 of the training rows." in found.reason


def test_one_that_is_not_fails_and_is_named():
    splits = {"train": spread(5000), "validation": spread(500, seed=2), "test": spread(500, shift=1.0)}
    found = judged(BetweenSplits(PSI("amount", 0.1)), **splits)
    assert not found.passed
    assert found.numbers["test/psi"] > 0.25 > found.numbers["validation/psi"]
    assert found.reason.startswith("validation: PSI of amount is ")
    assert " test: PSI of amount is " in found.reason


def test_earlier_cutoffs_do_not_matter():
    splits = {"train": spread(5000), "test": spread(500, seed=2)}
    far = {"2023-12-01": spread(5000, shift=5.0)}
    seen = Seen(partition="2024-01-01", numbers={}, statistics=spread(10), splits=splits, earlier=far)
    assert BetweenSplits(PSI("amount", 0.1)).judge(seen).passed


@pytest.mark.parametrize(
    ("check", "columns", "message"),
    [
        (BetweenSplits(PSI("amount", 0.1)), {"amount": Double()}, "is for training datasets"),
        (BetweenSplits(PSI("amuont", 0.1)), COLUMNS, "has no column 'amuont'. Did you mean 'amount'"),
        (BetweenSplits(JensenShannon("amount", 0.1)), COLUMNS, "is for text and booleans"),
    ],
)
def test_tables_that_do_not_fit(check, columns, message):
    with pytest.raises(DeclarationError, match=message):
        check.check("Table", columns)


def test_only_one_of_the_two_says_whether_it_is_blocking():
    with pytest.raises(DeclarationError, match="say blocking=True of BetweenSplits, not inside"):
        BetweenSplits(PSI("amount", 0.1, blocking=True))
