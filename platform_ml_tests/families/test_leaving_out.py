from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.aggregations import EventSequence
from platform_ml.engine.tuned_model import fitted, save, train
from platform_ml.families import Average, LeavingOut, Linear, Recurrent, XGBoost
from platform_ml.families.epochs import DEVICE
from platform_ml.features import Windowed
from platform_ml.spec.choice import Choice, Rival
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.history import History
from platform_ml.spec.intervals import Conformal
from platform_ml.spec.space import Between, ranges, settings
from platform_ml.spec.task import REGRESSION
from platform_ml.testing import declarations
from platform_ml.testing.declarations import spend_model
from platform_ml.testing.families import RegressionFamilyContract, invented
from platform_ml.tuners import TPE

LINEAR = LeavingOut(family=Linear(penalty=0.1), features=("noise",))


class TestLeavingOut(RegressionFamilyContract):
    @pytest.fixture
    def family(self):
        return LINEAR

    def fit(self, family, train, validation, seed=7):
        return family.fit(train, validation, params=settings(family), seed=seed)

    def test_bad_features_are_refused_by_name(self, family, train, validation):
        """Those that it sees; what it leaves out may be anything."""
        odd = pa.array([float("inf")] + [0.0] * 399)
        place = train.features.column_names.index
        with pytest.raises(RowsError, match=r"'amount'.*infinite"):
            self.fit(
                family,
                replace(train, features=train.features.set_column(place("amount"), "amount", odd), cache={}),
                validation,
            )
        fine = replace(train, features=train.features.set_column(place("noise"), "noise", odd), cache={})
        assert np.isfinite(self.fit(family, fine, validation).predict(validation.features)).all()

    def test_what_is_left_out_moves_nothing(self, fitted, validation):
        features = validation.features
        at = features.column_names.index("noise")
        other = features.set_column(at, "noise", pa.array(np.arange(200.0)))
        assert fitted.predict(other).tolist() == fitted.predict(features).tolist()
        assert not fitted.contributions(features)[:, at].any()

    def test_there_has_to_be_such_a_feature(self, train, validation):
        with pytest.raises(RowsError, match=r"no feature 'noize' to leave out.* Did you mean 'noise'"):
            self.fit(replace(LINEAR, features=("noize",)), train, validation)


def test_its_ranges_are_those_of_the_family():
    assert ranges(LeavingOut(family=Linear(), features=("x",))).keys() == {f"family.{n}" for n in ranges(Linear())}
    assert LINEAR.complexity is Complexity.WEIGHTS
    assert isinstance(ranges(Linear())["penalty"], Between)


@pytest.mark.parametrize(("family", "features"), [(Linear(), ()), (Average(), ("x",))])
def test_nothing_to_leave_out_is_refused(family, features):
    with pytest.raises(DeclarationError, match="LeavingOut"):
        LeavingOut(family=family, features=features)


last_orders = FeatureGroup(
    name="last_orders",
    description="One by one.",
    source=declarations.orders,
    entity="customer_id",
    cadence=declarations.orders.cadence,
    features=Windowed.each(*EventSequence.over("amount", last=5), window=timedelta(days=28)),
    history=History(ties="last"),
)
view = replace(spend_model.dataset.view, features=(declarations.order_history, last_orders))
LISTS = tuple(feature.name for feature in last_orders.features)
SPENT, RECENCY = spend_model.dataset.view.feature_names
NETWORK = Recurrent(width=8, dropout=0.0, learning_rate=0.02, weight_decay=0.01, batch_rows=64, max_epochs=6)
TREES = LeavingOut(family=XGBoost(max_depth=3, max_rounds=30, early_stopping_rounds=5), features=LISTS)
CONTEST = replace(
    spend_model,
    dataset=replace(spend_model.dataset, view=view),
    family=NETWORK,
    rivals=(Rival(family=TREES, name="trees"),),
    choice=Choice(resamples=100),
    tuner=TPE(trials=1),
    intervals=Conformal(coverage=0.8, min_rows=20),
)


def events(seed, count=300):
    """A number that is the product of what is known of the row and the mean of what happened last."""
    draw = np.random.default_rng(seed)
    spent, lengths = draw.uniform(1, 5, count), draw.integers(1, 6, count)
    amounts = [draw.uniform(0, 2, n).tolist() for n in lengths]
    days = [np.sort(draw.uniform(0, 28, n))[::-1].tolist() for n in lengths]
    columns = {SPENT: spent, RECENCY: draw.integers(0, 28, count), LISTS[0]: days, LISTS[1]: amounts}
    label = spent * np.array([np.mean(one) for one in amounts])
    return replace(
        invented(seed, rows=count, task=REGRESSION),
        features=pa.table({name: columns[name] for name in view.feature_names}),
        label=label,
        entity=np.arange(count) // 2,
    )


@pytest.fixture(scope="module")
def contest():
    """Both families on one dataset, on a CPU."""
    splits = {"train": events(1), "validation": events(2)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(DEVICE, "cpu")
        return splits, train(CONTEST, splits, progress=lambda _: None)


def test_a_network_on_sequences_and_trees_without_them_compete_on_one_dataset(contest):
    splits, made = contest
    scores = {one.name: one.found.score.value for one in made.contest.entrants}
    usual = np.abs(splits["validation"].label - splits["train"].label.mean()).mean()
    assert scores["recurrent"] < scores["trees"] < usual  # what happened last is only in the lists
    assert made.name == "recurrent"
    assert {one.name: one.out for one in made.contest.entrants} == {"recurrent": "", "trees": ""}


@pytest.mark.parametrize("name", ["recurrent", "trees"])
def test_whoever_wins_is_stored_and_read_back(contest, tmp_path, name):
    splits, made = contest
    if name == "trees":
        made = train(replace(CONTEST, choice=Choice(resamples=100, complexity=Complexity.TREES)), splits, progress=str)
    artifact = Folders(tmp_path).publish("m", "a" * 64, {}, lambda folder: save(made, folder))
    predictor, _ = fitted(CONTEST, artifact)
    features = splits["validation"].features
    assert predictor.predict(features).tolist() == made.predictor.predict(features).tolist()
    assert made.name == name
    assert made.intervals.widths[0].rows > 80
