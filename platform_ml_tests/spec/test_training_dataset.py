from dataclasses import replace
from datetime import date, timedelta

import pytest

from platform_ml.features import Exists, Recency
from platform_ml.outcomes import NoEvent
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint, meaning
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.spec.splitter import RowSQL
from platform_ml.spec.window import Daily, Monthly, Weekly
from platform_ml.splitters import ByEntity, ByGroupAndTime, ByHash, ByTime, Stratified
from platform_ml.testing.declarations import CUTOFF, customer_profile, lapse_dataset, lapse_view, lapsed

OVERLAP = "It is used that way."


def with_gap(days, **others):
    return replace(lapse_dataset, splitter=ByTime(validation_days=14, gap_days=days), **others)


def test_a_gap_shorter_than_the_horizon_leaks_whatever_is_said():
    message = (
        "Training dataset 'lapse_dataset' leaks: labels look 14 days ahead, but its splits are only 13 days apart, so "
        "outcomes of one split happen inside the next. Use gap_days=14 or more"
    )
    for why in (None, OVERLAP):
        with pytest.raises(DeclarationError, match=message):
            with_gap(13, windows_may_overlap=why)
    assert with_gap(14, windows_may_overlap=OVERLAP).gap_days == 14


def test_a_gap_shorter_than_the_look_back_leaks_unless_somebody_says_why():
    message = (
        "Training dataset 'lapse_dataset' leaks: features look back 28 days, but its splits are only 27 days apart. "
        "Use gap_days=28 or more, or say in windows_may_overlap why"
    )
    for why in (None, ""):
        with pytest.raises(DeclarationError, match=message):
            with_gap(27, windows_may_overlap=why)
    assert with_gap(27, windows_may_overlap=OVERLAP).gap_days == 27
    assert with_gap(28).gap_days == 28
    assert with_gap(40).gap_days == 40


@pytest.mark.parametrize(
    ("horizon", "lookback", "why", "gap"),
    [(14, 28, None, 28), (40, 28, None, 40), (14, 28, OVERLAP, 14), (1, 1, None, 1)],
)
def test_without_one_the_gap_is_what_labels_and_windows_demand(horizon, lookback, why, gap):
    group = replace(lapse_view.features[0], features=(Recency(days=lookback),))
    view = replace(lapse_view, label=replace(lapsed, outcome=NoEvent(days=horizon)), features=(group,))
    assert replace(lapse_dataset, view=view, windows_may_overlap=why).gap_days == gap


@pytest.mark.parametrize("days", [56, 0, -1])
def test_a_history_that_is_all_gap(days):
    message = f"'lapse_dataset': history_days={days} leaves nothing to train on between gaps of 28 days. Use more"
    with pytest.raises(DeclarationError, match=message):
        replace(lapse_dataset, history_days=days)


def test_a_name_is_a_name():
    with pytest.raises(DeclarationError, match=r"Training dataset 'Lapse': a name is .* Try 'lapse'"):
        replace(lapse_dataset, name="Lapse")


def test_no_column_is_called_like_the_split():
    helpers = (replace(customer_profile, features=(Exists(called="split"),)),)
    with pytest.raises(DeclarationError, match=r"'lapse_dataset' declares column 'split' 2 times. Rename or drop one"):
        replace(lapse_dataset, view=replace(lapse_view, helpers=helpers))


def test_it_is_made_of_the_moments_up_to_the_cutoff():
    keys = lapse_dataset.view_keys(CUTOFF)
    assert (keys[0], keys[-1], len(keys)) == ("2024-02-05", "2024-06-10", 19)
    assert replace(lapse_dataset, history_days=70).view_keys(CUTOFF)[0] == "2024-04-01"
    assert lapse_dataset.view_keys(date(2024, 5, 20))[-1] == "2024-05-20"
    # Further back than there are moments: from the first one on.
    assert replace(lapse_dataset, history_days=500).view_keys(CUTOFF)[0] == "2024-01-29"


ROW = RowSQL(entity="who", key=("who", "at"), event_time="at", label="lapsed", cutoff="TIMESTAMPTZ '2024-06-10'")


def test_the_split_is_cut_by_its_gap():
    sql = lapse_dataset.split_sql(ROW, CUTOFF)
    assert "at < TIMESTAMPTZ '2024-06-10' + INTERVAL 1 DAY THEN 'test'" in sql
    assert "INTERVAL 28 DAY" in sql


def test_folds_go_by_the_splitters_own_rule_and_leave_test_rows_alone():
    folds = lapse_dataset.fold_sql(ROW, CUTOFF, 5)
    own = lapse_dataset.splitter.folds(5)
    split = lapse_dataset.split_sql(ROW, CUTOFF)
    assert len(folds) == 5
    for n, sql in enumerate(folds):
        assert sql == f"CASE WHEN ({split}) IS DISTINCT FROM 'test' THEN {own.sql(ROW, fold=n, gap_days=28)} END"


@pytest.mark.parametrize("days", [56, 69])
def test_a_history_that_ends_before_training_begins(days):
    """Validation and two gaps take 70 days."""
    with pytest.raises(DeclarationError, match=f"history_days={days} leaves nothing to train on"):
        replace(lapse_dataset, history_days=days)
    assert replace(lapse_dataset, history_days=70).history_days == 70
    longer = ByTime(validation_days=14, test_days=2, embargo_days=3)
    with pytest.raises(DeclarationError, match="history_days=73 leaves nothing to train on"):
        replace(lapse_dataset, splitter=longer, history_days=73)
    assert replace(lapse_dataset, splitter=longer, history_days=74).history_days == 74


RANDOM = (ByHash(), ByEntity(), Stratified())


@pytest.mark.parametrize("splitter", RANDOM)
@pytest.mark.parametrize("why", [None, ""])
def test_a_split_that_is_not_by_time_leaks_unless_somebody_says_why(splitter, why):
    message = (
        f"Training dataset 'lapse_dataset' leaks: labels look 14 days ahead, but {type(splitter).__name__} puts rows "
        "of the same days on both sides, .* or say in random_split_because why"
    )
    with pytest.raises(DeclarationError, match=message):
        replace(lapse_dataset, splitter=splitter, random_split_because=why)
    dataset = replace(lapse_dataset, splitter=splitter, random_split_because=OVERLAP, history_days=7)
    assert dataset.gap_days == 0


@pytest.mark.parametrize("splitter", [ByTime(validation_days=14), ByGroupAndTime(time=ByTime(validation_days=14))])
def test_a_split_by_time_has_nothing_to_say_about_random_ones(splitter):
    assert replace(lapse_dataset, splitter=splitter).gap_days == 28
    with pytest.raises(DeclarationError, match=f"random_split_because, but {type(splitter).__name__} splits by time"):
        replace(lapse_dataset, splitter=splitter, random_split_because=OVERLAP)


def test_what_was_added_later_means_nothing_at_its_default():
    assert meaning(lapse_dataset).keys() & {"random_split_because", "audit"} == set()
    strict = replace(lapse_dataset, audit=LeakAudit(too_good=0.9))
    assert meaning(strict)["audit"] == {
        "is": "LeakAudit",
        "too_good": "0.9",
        "copies": "0.01",
        "tells_apart": "0.98",
        "known_ahead": [],
    }
    assert fingerprint(strict) != fingerprint(lapse_dataset)


def test_a_column_that_is_known_ahead_is_a_column():
    audit = LeakAudit(known_ahead=("contry",))
    with pytest.raises(DeclarationError, match=r"has no column 'contry'. Did you mean 'country'"):
        replace(lapse_dataset, audit=audit)


def cut(cutoffs, **others):
    return replace(lapse_dataset, cutoffs=cutoffs, **{"windows_may_overlap": OVERLAP} | others)


MAY = Monthly(first=date(2024, 5, 1), last=date(2024, 6, 1))


def test_cutoffs_may_be_coarser_than_the_partitions_of_the_label():
    dataset = cut(MAY)
    assert dataset.cadence == MAY
    assert lapse_dataset.cadence == lapsed.cadence
    keys = dataset.view_keys(date(2024, 6, 1))
    assert (keys[0], keys[-1]) == ("2024-01-29", "2024-05-27"), "all that comes before the cutoff"
    assert dataset.view_keys(date(2024, 5, 1))[-1] == "2024-04-29"
    assert meaning(dataset)["cutoffs"] == {"is": "Monthly", "first": "2024-05-01", "last": "2024-06-01"}
    assert "cutoffs" not in meaning(lapse_dataset)
    assert fingerprint(dataset) != fingerprint(lapse_dataset)


@pytest.mark.parametrize(("cutoff", "days"), [(date(2024, 5, 1), 30), (date(2024, 6, 1), 31)])
def test_rows_since_the_cutoff_before_are_for_testing(cutoff, days):
    dataset = cut(MAY)
    assert dataset.splitter_at(cutoff).test_days == days
    assert dataset.last_day(cutoff) == cutoff - timedelta(days=1)
    assert dataset.rule(cutoff).startswith(f"Test on the {days} days that end with the cutoff's")
    assert dataset.rule(cutoff).endswith("those since the cutoff before; the last day is the one before the cutoff.")
    assert "at most those since" in dataset.rule()
    assert lapse_dataset.rule() == lapse_dataset.rule(CUTOFF) == lapse_dataset.splitter.says(28)


@pytest.mark.parametrize("cutoffs", [Weekly(first=date(2024, 5, 6), last=CUTOFF), Daily(first=date(2024, 5, 1))])
def test_cutoffs_as_fine_as_the_label_are_those_of_the_label(cutoffs):
    with pytest.raises(DeclarationError, match=r"no coarser than the partitions of label 'lapsed', .* Drop cutoffs"):
        cut(cutoffs)


def test_before_the_first_cutoff_there_is_something_to_train_on():
    message = "nothing to train on at its first cutoff 2024-05-01: test, validation and gaps take 93 days, and label"
    with pytest.raises(
        DeclarationError, match=f"{message} 'lapsed' begins on 2024-01-29. Begin on 2024-05-02 or later"
    ):
        cut(MAY, splitter=ByTime(validation_days=36))


@pytest.mark.parametrize(("last", "said"), [(date(2024, 8, 1), "2024-08-01"), (None, "any day")])
def test_every_cutoff_has_test_rows(last, said):
    assert cut(replace(MAY, last=date(2024, 7, 1))).view_keys(date(2024, 7, 1))[-1] == "2024-06-10"
    with pytest.raises(DeclarationError, match=f"cutoffs go on to {said}, but label 'lapsed' ends with 2024-06-10"):
        cut(replace(MAY, last=last))


@pytest.mark.parametrize("time", [ByTime(validation_days=14, test_days=7)])
def test_cutoffs_and_a_splitter_do_not_both_say_what_is_tested(time):
    for splitter in (time, ByGroupAndTime(time=time)):
        with pytest.raises(
            DeclarationError, match=r"test_days is 7, but a dataset with cutoffs of its own .* Drop one"
        ):
            cut(MAY, splitter=splitter)
    other = cut(MAY, splitter=ByGroupAndTime(time=ByTime(validation_days=14)))
    assert other.splitter_at(date(2024, 6, 1)).time.test_days == 31
    assert (
        cut(MAY, splitter=ByEntity(), random_split_because=OVERLAP, windows_may_overlap=None).splitter_at(
            date(2024, 6, 1)
        )
        == ByEntity()
    )
