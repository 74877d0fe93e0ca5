from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml.spec.automation import Automation
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import shop


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"attempts": 0}, "attempts of 0 would do nothing. Use 1 or more, or running=False"),
        ({"max_runs_per_tick": 0}, "max_runs_per_tick of 0"),
        ({"max_partitions_per_run": -1}, "max_partitions_per_run of -1"),
        ({"settle": timedelta(-1)}, "settle is negative"),
        ({"retry_after": timedelta(-1)}, "retry_after is negative"),
        ({"every": timedelta(0)}, "every 0:00:00 is too often"),
    ],
)
def test_what_could_not_run_is_refused(wrong, said):
    with pytest.raises(DeclarationError, match=f"Automation: {said}"):
        Automation(**wrong)


def test_how_it_runs_changes_nothing_of_what_is_made():
    assert not Automation().running
    assert fingerprint(replace(shop, automation=Automation(running=True))) == fingerprint(shop)
