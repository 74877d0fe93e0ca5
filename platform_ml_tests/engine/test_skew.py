"""Features at inference are those of training, bit for bit; and what is said when they are not."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.aggregations import Count
from platform_ml.aggregations import Total as Sum
from platform_ml.engine.rescoring import rescore
from platform_ml.engine.scores import newest, seen_by_model
from platform_ml.engine.serving import load
from platform_ml.engine.skew import compare
from platform_ml.families import XGBoost
from platform_ml.features import Exists, Field, Total, Windowed
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import Committed, History
from platform_ml.spec.scores import Scores
from platform_ml.spec.training_dataset import SPLITS
from platform_ml.tuners import TPE
from platform_ml_tests.engine.rides import (
    LAST,
    Clock,
    arrivals,
    at,
    deliver,
    late,
    make,
    make_all,
    project_of,
    ride,
    rides,
    rides_in,
)
from platform_ml_tests.engine.shelf import champion, on_shelf, score, train
from platform_ml_tests.engine.shop import rows_of
from platform_ml_tests.orchestration.shop import swapped

CUTOFF = str(LAST)
SMALL = XGBoost(
    max_depth=3, learning_rate=0.3, min_child_weight=1.0, subsample=1.0, colsample_bytree=1.0, reg_lambda=1.0,
    reg_alpha=0.01, max_rounds=15, early_stopping_rounds=5,
)  # fmt: skip
COMMITTED = Committed(since=at(5).date())
rules = replace(arrivals.history, sequence="number")
mended = replace(
    arrivals,
    name="mended",
    features=(Field(of="kilometres", called="last_km"), Field(of="origin", called="from_there"), Exists(called="rode")),
    history=replace(rules, known=COMMITTED),
)
windows = replace(
    mended,
    name="windows",
    features=(
        *Windowed.over(timedelta(days=3), how=Count()),
        *Windowed.over(timedelta(days=3), how=Sum(of="kilometres")),
    ),
)
snapshots = FeatureGroup(
    name="snapshots",
    description="Kilometres of a week, every day.",
    source=rides,
    entity="car",
    cadence=rides.cadence,
    features=(Total(days=7, of="kilometres"),),
    history=History(known=COMMITTED),
)
changing = replace(
    arrivals,
    name="changing",
    features=(Field(of="kilometres", called="newest_km"), Field(of="origin", called="newest_origin")),
    history=rules,
)
shown = replace(late, attributes=("number",))
view = FeatureView(
    name="rides_view",
    description="Rides two hours before they begin.",
    label=shown,
    features=(mended, windows, snapshots, changing),
)
registration = project_of(view).outputs[0]
model = registration.card.evaluation.model
registration = swapped(registration, model, replace(model, family=SMALL, tuner=TPE(trials=1)))
model = registration.card.evaluation.model
ride_scores = Scores(name="ride_scores", description="Rides that may be late.", registration=registration)


def driven(seed=5, a_day=30):
    """Rides of five cars and of none, many at the same minute, some over midnight, some without kilometres."""
    draw, found = np.random.default_rng(seed), []
    for day in range(1, 11):
        for _ in range(a_day):
            leaves = at(day, int(draw.integers(0, 24)), 30 * int(draw.integers(0, 2)))
            arrives = leaves + timedelta(minutes=30 * int(draw.integers(1, 5)))
            car = [None, "a", "b", "c", "d", "e"][draw.integers(6)]
            kilometres = None if draw.random() < 0.2 else int(draw.integers(1, 60))
            number = len(found)
            found.append(ride(number, leaves, arrives, car, kilometres=kilometres, number=number, origin="x"))
    return found


def corrected(found, days, by):
    """Some rides of these days are told again, others, and one more came late."""
    told = [
        one | {"kilometres": by + one["ride_id"], "origin": str(by)}
        if one["leaves_at"].day in days and one["ride_id"] % 2
        else one
        for one in found
    ]
    moment = at(days[0], 22, 45)
    return [*told, ride(1_000 + by, moment, moment + timedelta(hours=3), "a", kilometres=by, number=by)]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Rides were loaded, corrected, learned from, and corrected once more after all moments; then all are scored."""
    clock = Clock(now=at(5, 9))
    work = on_shelf(rides_in(tmp_path_factory.mktemp("rides"), clock=clock))
    found = driven()
    deliver(work, *found)
    made = (rides, *view.groups)
    for noun in made:
        assert make(work, noun) == []
    clock.now = at(6, 12)
    found = corrected(found, (2, 3), by=100)
    deliver(work, *found)
    make_all(work, view)
    trained = train(work, model, CUTOFF)
    champion(work, registration, trained)
    clock.now = at(20)
    deliver(work, *corrected(found, (7, 8), by=200))
    for noun in (rides, mended, windows, snapshots):
        assert make(work, noun, token=2) == []
    findings, stopped = score(work, ride_scores)
    assert stopped == []
    return work, findings


def bits(column):
    """What a column is, down to the last bit."""
    column = column.combine_chunks()
    return column.view(pa.int64()).to_pylist() if pa.types.is_floating(column.type) else column.to_pylist()


def test_every_training_row_has_the_same_features_and_prediction_when_its_moment_is_scored(town):
    work, _ = town
    served = load(registration, work=work)
    keys = ride_scores.cadence.keys()
    seen = seen_by_model(ride_scores, keys, newest(ride_scores, keys, work), work=work).rows
    folder = work.platform.artifacts.newest(work.place("datasets", model.dataset, CUTOFF)).folder
    of_training = [pq.read_table(folder / f"{split}.parquet") for split in SPLITS]
    place = {ride_id: row for row, ride_id in enumerate(seen["ride_id"].to_pylist())}
    said = {row["ride_id"]: row["score"] for row in rows_of(work, ride_scores)}
    compared = 0
    for rows in of_training:
        ids = rows["ride_id"].to_pylist()
        asked = [place[one] for one in ids]
        for name in view.feature_names:
            assert bits(rows[name]) == bits(seen[name].take(pa.array(asked))), name
            assert rows[name].type == seen[name].type
        assert served.predictor.predict(rows.select(view.feature_names)).tolist() == [said[one] for one in ids]
        compared += len(ids)
    assert compared > 40
    assert {"last_km", "from_there", "newest_km"} <= {name for name in view.feature_names if seen[name].null_count}
    # The tables did change since, and more than once.
    assert max(len(states) for states in work.read(mended, []).replaced.values()) >= 1


def test_no_moment_is_skewed_by_what_became_known_after_it(town):
    _, findings = town
    said = [one for one in findings if one.check.name == "no_skew"]
    assert len(said) == 10
    assert all(one.passed for one in said), [one.reason for one in said if not one.passed]
    assert sum(one.numbers["rows"] for one in said) > 60


def test_rides_without_an_outcome_are_scored_and_those_of_nobody_are_not(town):
    work, _ = town
    scored = {row["ride_id"] for row in rows_of(work, ride_scores)}
    assert scored == {row["ride_id"] for row in rows_of(work, rides) if row["car"] is not None}


def test_a_group_that_changed_since_is_named_with_its_features(town):
    work, _ = town
    # Of `changing` nobody recorded when its rows became known, so the correction of day 7 reaches into the past.
    stale = work.platform.tables.snapshot("shop/changing").version
    assert make(work, changing, token=3) == []
    key = str(at(8).date())
    read = newest(ride_scores, [key], work)
    found = compare(view, key, read, seen_by_model(ride_scores, [key], read, work=work).rows, work=work)
    assert [one.feature for one in found.skewed] == ["newest_km", "newest_origin"]
    words = str(found.skewed[0])
    assert "partitions of changing that it reads changed after the training view was made" in words
    assert f"(training has version {stale}, served was {stale + 1}), last" in words
    assert "in training," in words
    findings, stopped = score(work, ride_scores, [key], token=4)
    (skew,) = (one for one in findings if one.check.name == "no_skew")
    assert (stopped, skew.passed) == ([], False)
    assert "newest_km differs in" in skew.reason
    (unseen,) = (one for one in findings if one.check.name == "unseen_categories")
    assert not unseen.passed
    assert unseen.numbers["newest_origin"] > 0
    # What was scored before can be made again all the same, from the versions of then.
    before = work.platform.tables.snapshot(work.table(ride_scores)).version - 1
    assert rescore(ride_scores, key, work=work, version=before).differences == []
    # And when training has caught up, it is those that differ.
    assert make(work, shown, token=3) == []
    assert make(work, view, token=3) == []
    assert compare(view, key, read, seen_by_model(ride_scores, [key], read, work=work).rows, work=work).skewed == ()
    (behind, *_) = rescore(ride_scores, key, work=work, version=before).skew.skewed
    assert f"changed after these rows were served (training has version {stale + 1}, served was {stale})" in str(behind)
