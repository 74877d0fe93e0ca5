"""What the page of an evaluation says beside its numbers."""

from dataclasses import replace

from platform_ml.metrics import RocAuc
from platform_ml.orchestration.evaluation import _metadata
from platform_ml.spec.evaluation import Estimate, Meaning
from platform_ml.spec.slicing import FOUND
from platform_ml.testing.declarations import GOOD_SLICES, numbers, slice_of

RESULT = replace(
    numbers(slices=(*GOOD_SLICES, slice_of("LI", gap=Estimate(value=None), rows=9))),
    meanings={"roc_auc": Meaning(unit=RocAuc.unit, definition=RocAuc.definition)},
    min_rows=30,
    weak_slices=(replace(GOOD_SLICES[1], column=FOUND, value="amount_sum_28d above 40"),),
)


def test_units_and_definitions_are_told():
    assert f"| ROC AUC | maximize | share | {RocAuc.definition} |" in _metadata(RESULT)["meanings"].value


def test_a_slice_with_too_few_rows_is_not_enough_data():
    lines = _metadata(RESULT)["slices"].value.splitlines()
    assert "| country = AT | 400 | 0.8100 | 0.0100 [-0.0400, 0.0600] |" in lines
    assert "| country = LI | 9 | not enough data | not enough data |" in lines
    assert lines[-1] == "Fewer than 30 rows are not enough data."


def test_found_slices_and_periods_have_tables_where_there_are_any():
    found = _metadata(RESULT)
    assert "| amount_sum_28d above 40 | 400 | 0.7800 |" in found["weak_slices"].value
    assert "periods" not in found
    by_week = replace(RESULT, periods=(replace(GOOD_SLICES[0], column="week", value="2024-06-03"),))
    assert "| week = 2024-06-03 | 400 |" in _metadata(by_week)["periods"].value
