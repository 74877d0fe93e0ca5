from dataclasses import replace
from datetime import date

import pytest

from platform_ml.spec.backtest import Backtest
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import upstream
from platform_ml.testing.declarations import lapse, lapse_dataset, lapse_evaluation, shop

months = Backtest(name="lapse_backtest", description="Half a year.", of=lapse, cutoffs=6, slices=("country",))


def test_it_is_of_a_registration_or_of_an_evaluation_alone():
    assert (months.evaluation, months.registration, months.dataset) == (lapse_evaluation, lapse, lapse_dataset)
    bare = replace(months, of=lapse_evaluation)
    assert (bare.evaluation, bare.registration, bare.dataset) == (lapse_evaluation, None, lapse_dataset)
    assert (upstream(months), upstream(bare)) == ((lapse,), (lapse_evaluation,))
    assert replace(shop, outputs=(months,)).nouns[-2:] == (lapse, months)


def test_a_project_may_show_it_without_its_demonstration():
    project = replace(shop, outputs=(lapse, months), demo_without=(months,))
    assert months in project.nouns
    assert months not in project.demo.nouns


def test_words_change_nothing():
    assert fingerprint(replace(months, description="Other.", remarks="Look at May.")) == fingerprint(months)
    assert fingerprint(replace(months, may_worsen=0.1)) != fingerprint(months)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("cutoffs", 2, "'lapse_backtest': 2 cutoffs show nothing over time. Use 3 or more"),
        ("cutoffs", (date(2024, 5, 1), date(2024, 5, 1)), "first cutoff 2024-05-01 is not before its last one 2024-05"),
        ("slices", ("contry",), "has no slices by 'contry'. Did you mean 'country'"),
        ("slices", ("country", "country"), "slices by 'country' 2 times"),
        ("may_worsen", -0.1, "may_worsen -0.1 is no limit. Use 0 or more"),
        ("may_worsen", float("nan"), "may_worsen nan is no limit"),
        ("name", "Lapse", "a name is"),
    ],
)
def test_what_cannot_be(field, value, message):
    with pytest.raises(DeclarationError, match=message):
        replace(months, **{field: value})
