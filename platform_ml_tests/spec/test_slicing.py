import math
from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.slicing import Bands, WeakSlices, name_of
from platform_ml.testing.declarations import lapse_evaluation


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Bands("age", 1), "Bands of 'age': count is 1; it is 2 or more"),
        (lambda: Bands("age", edges=(3, 1)), "edges are numbers, the least first"),
        (lambda: Bands("age", edges=(1, 1)), "edges are numbers, the least first"),
        (lambda: Bands("age", edges=(1, math.nan)), "edges are numbers, the least first"),
        (lambda: WeakSlices(depth=0), "depth is 0; a readable rule has 1 to 5 conditions"),
        (lambda: WeakSlices(most=0), "most is 0; it is 1 or more"),
        (lambda: WeakSlices(leaf_rows=0), "leaf_rows is 0; it is 1 or more"),
    ],
)
def test_what_makes_no_slices_cannot_be_declared(made, message):
    with pytest.raises(DeclarationError, match=message):
        made()


def test_slices_are_called_by_their_columns():
    declared = replace(lapse_evaluation, slices=("country", ("country", Bands("amount_sum_28d"))))
    assert declared.sliced_by == ["country", "country and amount_sum_28d"]
    assert name_of(Bands("age")) == "age"
    assert fingerprint(declared) != fingerprint(
        replace(declared, slices=("country", ("country", Bands("amount_sum_28d", 5))))
    )
