"""A small world in which a model is made for real, so that each fault can be planted where it would happen."""

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.engine import card_artifact, evaluation, training_dataset, tuned_model
from platform_ml.engine.leak_audit import audit_record, leak_findings
from platform_ml.engine.registration import materialize_registration
from platform_ml.families import SingleFeature, XGBoost
from platform_ml.gates import AtLeast, Calibrated, Latency, NoLeak, NotOverfitted, SliceGap
from platform_ml.spec.registration import Approved
from platform_ml.spec.stage import Actor
from platform_ml.spec.training_dataset import SPLIT
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing.declarations import CUTOFF as DAY
from platform_ml.testing.declarations import lapse, lapse_card, lapse_evaluation, lapse_model
from platform_ml.tuners import TPE
from platform_ml_tests.engine.searches import Notes
from platform_ml_tests.engine.shop import work_in

ADA = Actor(who="ada", run="a test")
CUTOFF = str(DAY)
VIEW = lapse_model.dataset.view
SPENT, RECENCY = VIEW.feature_names
MADE_BY = {"git_commit": "c" * 40, "git_dirty": "false", "lock_hash": "1" * 64, "platform_version": "0"}
MADE_BY |= {"python_version": "3.11.7", "dagster_run": "run"}
FAMILY = XGBoost(
    max_depth=2, learning_rate=0.2, min_child_weight=5.0, subsample=1.0, colsample_bytree=1.0, reg_lambda=1.0,
    reg_alpha=0.1, max_rounds=20, early_stopping_rounds=5,
)  # fmt: skip
GATES = (
    AtLeast(metric="roc_auc", limit=0.6),
    SliceGap(metric="roc_auc", difference=0.1),
    Calibrated(0.1),
    NoLeak(),
    NotOverfitted("roc_auc", 0.15),
    Latency(60_000.0),
)
LAYOUT = {"train": (600, 60), "validation": (300, 30), "test": (900, 0)}
"""Rows of a split, and the days before the cutoff at which they begin."""


def registration_of(family=FAMILY, gates=GATES, **model):
    """What is declared, with another family, gates or model."""
    declared = replace(
        lapse_model, family=family, tuner=TPE(trials=1), **model,
        baselines=(Baseline(name="recency", family=SingleFeature(feature=RECENCY)),),
    )  # fmt: skip
    measured = replace(lapse_evaluation, model=declared, slices=("country",), resamples=100)
    return replace(lapse, card=replace(lapse_card, evaluation=measured), gates=gates)


def rows(*, seed=0, noise=1.0, biased=False, leaks=False):
    """Customers whose outcome follows two features and luck; `biased`: of those in CH, luck alone, in the test rows."""
    draw, parts = np.random.default_rng(seed), []
    for split, (number, days) in LAYOUT.items():
        spent, recency = draw.normal(size=number), draw.normal(size=number)
        country = draw.choice(np.array(["AT", "CH"], dtype=object), size=number, p=[0.8, 0.2])
        chance = 1 / (1 + np.exp(-(2 * recency - spent) / noise))
        chance = np.where((country == "CH") & biased & (split == "test"), 0.5, chance)
        label = draw.random(number) < chance
        at = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - timedelta(days=days)
        parts.append(
            pa.table({
                SPLIT: [split] * number,
                "event_time": pa.array([at] * number, pa.timestamp("us", "UTC")),
                "known_time": pa.array([at + timedelta(days=14)] * number, pa.timestamp("us", "UTC")),
                VIEW.label.entity: np.arange(number) + 10_000 * len(parts),
                VIEW.label.name: label,
                SPENT: label + 0.001 * spent if leaks else spent,
                RECENCY: recency,
                "country": pa.array(country, pa.string()),
                "student": pa.nulls(number, pa.bool_()),
            })
        )  # fmt: skip
    return pa.concat_tables(parts)


@dataclass
class World:
    """The stores, and the steps from a dataset to the registry; each reads what the one before has published."""

    folder: object
    work: object

    @classmethod
    def make(cls, folder):
        work = work_in(folder)
        return cls(folder, replace(work, platform=replace(work.platform, tracker=Tracker(), registry=Registry())))

    @property
    def registered(self):
        return self.work.platform.registry.versions

    def publish(self, found, name="d"):
        """A dataset of these rows with its audit, whatever that says."""
        dataset, compute = lapse_model.dataset, self.work.platform.compute
        audit = audit_record(leak_findings(dataset, found, CUTOFF, compute=compute))
        parts = {split: found.filter(pa.compute.equal(found[SPLIT], split)).drop_columns([SPLIT]) for split in LAYOUT}
        splits = {split: {"rows": part.num_rows, "first": CUTOFF, "last": CUTOFF} for split, part in parts.items()}
        kept = {"splits": splits, "gap_days": 0, "rule": "", "history_days": 126, "windows_may_overlap": None}
        record = {"dataset": dataset.name, "cutoff": CUTOFF, "tables": [], "split": kept, "audit": audit}
        record["content"] = name * 64
        record |= {"join": {"not_point_in_time": []}, "view": {"table": "shop/lapse_view", "version": 1}}

        def fill(folder):
            for split, part in parts.items():
                pq.write_table(part, folder / f"{split}.parquet")

        place = self.work.place("datasets", dataset, CUTOFF)
        return self.work.platform.artifacts.publish(place, name * 64, record, fill)

    def train(self, registration):
        model = registration.card.evaluation.model
        dataset = training_dataset.load(model.dataset, CUTOFF, work=self.work)
        return tuned_model.materialize_tuned_model(model, CUTOFF, dataset, work=self.work, made_by=MADE_BY)

    def evaluate(self, registration):
        declared = registration.card.evaluation
        dataset = training_dataset.load(declared.model.dataset, CUTOFF, work=self.work)
        model = tuned_model.load(declared.model, CUTOFF, work=self.work)
        return evaluation.materialize_evaluation(declared, CUTOFF, dataset, model, work=self.work)[0]

    def card(self, registration):
        """What the asset of the card does; returns the gates that stop the run."""
        declared = registration.card.evaluation
        result = evaluation.load(declared, CUTOFF, work=self.work)
        verdicts = registration.judge(result)
        dataset = training_dataset.load(declared.model.dataset, CUTOFF, work=self.work)
        model = tuned_model.load(declared.model, CUTOFF, work=self.work)
        card_artifact.materialize_model_card(
            registration, CUTOFF, result=result, verdicts=verdicts, dataset=dataset, model=model, work=self.work
        )
        return {verdict.gate: verdict for verdict in verdicts if verdict.stops}

    def run(self, registration):
        """One run over everything up to the registration; the gates that stop it."""
        self.train(registration)
        self.evaluate(registration)
        return self.card(registration)

    def register(self, registration, approved=None):
        """A later run of the registration alone: it finds what was published, and judges for itself."""
        declared = registration.card.evaluation
        approved = approved or Approved.by(registration, evaluation.load(declared, CUTOFF, work=self.work))
        model = tuned_model.load(declared.model, CUTOFF, work=self.work)
        return materialize_registration(registration, CUTOFF, approved, model, work=self.work, code=MADE_BY, actor=ADA)

    def newest(self, kind, noun):
        """The folder of what was published last."""
        return self.work.platform.artifacts.newest(self.work.place(kind, noun, CUTOFF)).folder


class Tracker(Notes):
    """Remembers runs in memory."""

    def find(self, experiment, key):
        return "run-1"


class Registry:
    """Remembers versions in memory."""

    def __init__(self):
        self.versions, self.entries = [], []

    def register(self, name, run_id, files, tags, *, once=()):
        self.versions.append(dict(tags))
        return str(len(self.versions))

    def find(self, name, tags):
        fits = [number for number, said in enumerate(self.versions, 1) if tags.items() <= said.items()]
        return str(fits[-1]) if fits else None

    def history(self, name):
        return self.entries

    def enter(self, name, entry, *, after):
        self.entries.append(entry)


@dataclass(frozen=True, kw_only=True)
class Slow(XGBoost):
    """The same model, which waits before it answers."""

    def load(self, file, features):
        return Waiting(super().load(file, features))


@dataclass
class Waiting:
    """A predictor that takes two milliseconds at least."""

    predictor: object

    def predict(self, features):
        time.sleep(0.002)
        return self.predictor.predict(features)

    def contributions(self, features):
        return self.predictor.contributions(features)

    def unseen(self, features):
        return {}


@dataclass(frozen=True)
class Broken:
    """A gate with a mistake in it."""

    name: str = "broken"
    rule: str = "Nothing."

    def check(self, evaluation):
        """It fits everything."""

    def judge(self, result):
        raise ZeroDivisionError("float division by zero")


def edit(file, change):
    """Change a file of plain JSON where it lies."""
    file.write_text(json.dumps(change(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")
