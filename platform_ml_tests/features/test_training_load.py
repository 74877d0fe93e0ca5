from platform_ml.features import training_habits, training_load


def test_the_four_are_called_as_charts_call_them():
    assert [one.name for one in training_load("load")] == ["ctl_42d", "atl_7d", "acwr", "tsb"]
    assert [one.lookback_days for one in training_load("load")] == [194, 33, 194, 194]
    assert all(one.columns() for one in training_load("load"))


def test_habits_are_of_six_weeks_unless_another_span_is_told():
    assert {one.lookback_days for one in training_habits()} == {7, 30, 42}
    assert {one.lookback_days for one in training_habits(28)} == {7, 28, 30}
