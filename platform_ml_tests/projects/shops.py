"""The retail project's data folders, cut down to what a test can wait for."""

import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_ml import Project
from platform_ml.engine import landing
from platform_ml.engine.ports import Files
from platform_ml.gates import AtLeast, AtMost, BeatsBaseline
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects.retail import retail
from platform_ml.projects.retail.churn import churn, churn_card, churn_evaluation, churn_model, churn_scores
from platform_ml.projects.retail.coupons import coupon_card, coupon_evaluation, coupon_model, coupon_response
from platform_ml.projects.retail.features import product_performance
from platform_ml.projects.retail.spend import spend, spend_card, spend_evaluation, spend_model
from platform_ml.tuners import TPE

ROOT = Path(__file__).resolve().parents[2]
CUTOFF = "2017-12-02"


class Shop:
    """A data folder and a Dagster instance."""

    def __init__(self, folder: Path) -> None:
        self.platform = PlatformResource(data=str(folder / "data"))
        shutil.copy(ROOT / "dagster.yaml", folder)
        self.instance = dg.DagsterInstance.local_temp(str(folder))
        self.work = self.platform.work("retail", lambda _: None)

    def run(self, project, names, *, partition=None, span=None):
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return dg.materialize(
            list(project_assets(project)),
            selection=[dg.AssetKey(["retail", name]) for name in names],
            partition_key=partition,
            tags=dict(zip(ends, span, strict=True)) if span else None,
            resources={"platform": self.platform},
            instance=self.instance,
            raise_on_error=False,
        )

    def failure(self, result):
        return "\n".join(
            event.step_failure_data.user_failure_data.description or str(event.step_failure_data.error)
            if event.step_failure_data.user_failure_data
            else str(event.step_failure_data.error)
            for event in result.get_step_failure_events()
        )


def land(work, source, chosen=None) -> None:
    """Deliver a source of the package, or of each partition only the chosen rows."""
    landing.deliver(source, work=work)
    for file in sorted(Path(work.platform.landing, work.project, source.name).glob("*.parquet")) if chosen else ():
        rows = pq.read_table(file)
        pq.write_table(rows.filter(chosen(rows)), file)


def of_an_eighth(rows):
    return pc.equal(pc.bit_wise_and(rows["household_id"], 7), 3)


def rows(shop, sql, *names):
    tables = {name: shop.work.platform.tables.snapshot(f"retail/{name}") for name in names}
    files = {name: Files(paths=found.paths(), schema=found.schema) for name, found in tables.items()}
    return shop.work.platform.compute.query(sql, files).table().to_pylist()


def cut(*gates) -> Project:
    """The project as declared, but for a short search and the gates."""
    model = replace(churn_model, tuner=TPE(trials=3))
    card = replace(churn_card, evaluation=replace(churn_evaluation, model=model, resamples=200))
    registration = replace(churn, card=card, gates=gates)
    scores = replace(churn_scores, registration=registration)
    outputs = (registration, short_spend(), short_coupons(), product_performance, scores)
    return replace(retail, outputs=outputs, demo_without=(), schedules=())


def short_spend():
    """The spend model as declared, but for a short search and the limit."""
    model = replace(spend_model, tuner=TPE(trials=2), family=replace(spend_model.family, max_rounds=60))
    card = replace(spend_card, evaluation=replace(spend_evaluation, model=model, resamples=200))
    return replace(
        spend,
        card=card,
        gates=(AtMost(metric="mae", limit=100.0), BeatsBaseline(baseline="average", metric="mae", by=20.0)),
    )


def short_coupons():
    """Coupon response as declared, but for a short search and the gates."""
    model = replace(coupon_model, tuner=TPE(trials=3))
    card = replace(coupon_card, evaluation=replace(coupon_evaluation, model=model, resamples=200))
    gates = (AtLeast(metric="roc_auc", limit=0.6), BeatsBaseline(baseline="majority", metric="roc_auc", by=0.05))
    return replace(coupon_response, card=card, gates=gates)


PASSING = cut(AtLeast(metric="roc_auc", limit=0.75), BeatsBaseline(baseline="majority", metric="roc_auc", by=0.1))
FAILING = cut(AtLeast(metric="roc_auc", limit=0.9999), BeatsBaseline(baseline="majority", metric="roc_auc", by=0.1))
