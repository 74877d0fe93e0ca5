from dataclasses import replace

import pytest

from platform_ml.explainers import PermutationShap
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.explanation import Explanation
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import lapse_evaluation


@pytest.mark.parametrize(
    ("field", "least"), [("rows", 1), ("background", 2), ("repeats", 1), ("features", 1), ("worst", 0), ("seed", 0)]
)
def test_counts_have_a_least_value(field, least):
    assert getattr(Explanation(**{field: least}), field) == least
    with pytest.raises(DeclarationError, match=rf"{field} is {least - 1}\. It has to be {least} or more"):
        Explanation(**{field: least - 1})


def test_an_evaluation_means_what_it_meant_unless_it_is_explained_otherwise():
    silent = lapse_evaluation
    assert fingerprint(replace(silent, explanation=Explanation())) == fingerprint(silent)
    others = (Explanation(rows=5), Explanation(entities=False), Explanation(method=PermutationShap()))
    assert len({fingerprint(replace(silent, explanation=one)) for one in others} | {fingerprint(silent)}) == 4
