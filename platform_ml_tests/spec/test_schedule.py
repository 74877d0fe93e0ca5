from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schedule import Schedule
from platform_ml.testing.declarations import lapse, lapse_model, lapsed, order_history, orders, shop, spent


def schedule(cron="0 3 * * mon", **other):
    return Schedule(**{"name": "often", "cron": cron, "of": (order_history,)} | other)


@pytest.mark.parametrize(
    "cron", ["* * * * *", "*/15 0-23/2 1,15 jan-mar 1-5", "59 23 31 12 7", "0 0 1 * *", "5 4 * * sun,SAT"]
)
def test_what_cron_knows_may_be_said(cron):
    assert schedule(cron).cron == cron


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 3 * *", "cron '0 3 \\* \\*' has 4 fields, not 5. Write minute, hour"),
        ("@daily", "has 1 fields, not 5"),
        ("60 3 * * *", "'60' is no minute. Use 0 to 59."),
        ("0 24 * * *", "'24' is no hour"),
        ("0 3 0 * *", "'0' is no day of the month. Use 1 to 31"),
        ("0 3 * 13 *", "'13' is no month. Use 1 to 12 or one of jan, feb"),
        ("0 3 * * 8", "'8' is no day of the week"),
        ("0 3 * * monday", "'monday' is no day of the week. Use 0 to 7 or one of sun, mon"),
        ("0 5-3 * * *", "hour '5-3' ends before it begins. Exchange its ends"),
        ("*/0 3 * * *", "'0' is no step of the minute"),
        ("0 3- * * *", "'3-' is no hour. Use \\*, a number, a range like 0-23"),
        ("0 ? * * *", "'\\?' is no hour"),
    ],
)
def test_a_time_that_never_comes_is_refused(cron, said):
    with pytest.raises(DeclarationError, match=f"Schedule 'often': .*{said}"):
        schedule(cron)


def test_the_usual_ones_have_a_name():
    assert Schedule.weekly(name="w", of=(orders,), day="sunday", hour=5).cron == "0 5 * * sun"
    monthly = Schedule.monthly(name="m", of=(orders, lapse), timezone="Europe/Vienna")
    assert (monthly.cron, monthly.timezone) == ("0 3 1 * *", "Europe/Vienna")
    with pytest.raises(DeclarationError, match=r"there is no day 'sonday'. Did you mean 'sunday'"):
        Schedule.weekly(name="w", of=(orders,), day="sonday")
    with pytest.raises(DeclarationError, match=r"not every month has a day 31. Use 1 to 28"):
        Schedule.monthly(name="m", of=(orders,), day=31)


def test_a_schedule_is_of_something_that_can_be_made_alone():
    with pytest.raises(DeclarationError, match="of is empty"):
        schedule(of=())
    with pytest.raises(DeclarationError, match="'lapse_model' is a TunedModel, which cannot be scheduled alone"):
        schedule(of=(lapse_model,))
    with pytest.raises(DeclarationError, match="declares noun 'orders' 2 times"):
        schedule(of=(orders, orders))
    with pytest.raises(DeclarationError, match=r"no timezone 'Vienna'. Use a name like 'Europe/Vienna'"):
        schedule(timezone="Vienna")


def test_a_project_schedules_what_it_has():
    assert replace(shop, schedules=(schedule(of=(lapsed, lapse)),)).schedules
    with pytest.raises(DeclarationError, match="schedule 'often' is of 'spent', which the project does not have"):
        replace(shop, schedules=(schedule(of=(spent,)),))
    with pytest.raises(DeclarationError, match="declares schedule 'often' 2 times"):
        replace(shop, schedules=(schedule(), schedule()))
