"""Each way in by numbers that are not a model's own, planted, in the same run and in a later one."""

import json
from dataclasses import replace
from datetime import date

import pytest

from platform_ml.engine import evaluation as evaluations
from platform_ml.engine.ports import Artifact
from platform_ml.engine.registration import register
from platform_ml.gates import AtLeast, Calibrated, HumanApproval, Latency, NoLeak, SliceGap
from platform_ml.spec.errors import MissingInputError, Refused
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.evidence import Evidence, Measured
from platform_ml.spec.registration import Approved
from platform_ml.spec.waiver import Approval, Waiver
from platform_ml.testing.declarations import beside, lapse, lapse_evaluation, numbers
from platform_ml_tests.engine.test_registration import ADA, CODE, Published, forged

SOUND = Evidence(
    compared=(beside("AT", 0.8, error=0.01), beside("CH", 0.79, error=0.01)),
    calibration=Measured(value=0.01, low=0.0, high=0.02),
    audit={"times": "", "copies": ""},
)
STRICT = replace(
    lapse,
    gates=(
        AtLeast(metric="roc_auc", limit=0.7),
        SliceGap(metric="roc_auc", difference=0.1),
        Calibrated(0.05),
        NoLeak(),
        Latency(5.0),
    ),
)


class Closed:
    """A registry that nothing may reach."""

    def register(self, *_args, **_kwargs):
        raise AssertionError("It was registered.")

    history = enter = register


class Sound(Published):
    """A model whose numbers pass every gate of `STRICT`."""

    def evaluate(self, **changes):
        super().evaluate(**{"evidence": SOUND} | changes)


@pytest.fixture
def published(tmp_path):
    return Sound(tmp_path / "published", registration=STRICT)


def planted(published, **changes):
    """The evaluation of this model, with a fault in it; and what an approval forged for it would be."""
    result = replace(published.result, **changes)
    (published.folder / evaluations.FILE).write_text(json.dumps(result.to_json()))
    return result, forged(published.approved, evaluation_digest=result.digest)


FAULTS = {
    "slice_gap_roc_auc": {"evidence": replace(SOUND, compared=(beside("CH", 0.5, error=0.01),))},
    "calibrated": {"evidence": replace(SOUND, calibration=Measured(value=0.2, low=0.15, high=0.25))},
    "no_leak": {"evidence": replace(SOUND, audit={"times": "'paid_at' lies after the row's moment."})},
    "latency_p95": {"latency_ms": {"p50": 1.0, "p95": 9.0, "p99": 9.0}},
    "roc_auc_at_least": {
        # Good on rows that it knew, poor on rows that it did not.
        "splits": {
            "train": replace(numbers().splits["train"], metrics={"roc_auc": Estimate(value=0.99)}),
            "test": replace(numbers().splits["test"], metrics={"roc_auc": Estimate(value=0.6, low=0.5, high=0.65)}),
        }
    },
}


@pytest.mark.parametrize("gate", FAULTS)
def test_a_planted_fault_is_stopped_when_it_is_judged_and_again_when_it_is_registered(published, gate):
    result, approved = planted(published, **FAULTS[gate])
    stopped = [verdict.gate for verdict in STRICT.judge(result) if verdict.stops]
    assert stopped == [gate]
    with pytest.raises(Refused, match=gate):
        Approved.by(STRICT, result)
    with pytest.raises(Refused, match=gate):
        published.register(Closed(), "run", approved=approved)


def test_the_evaluation_of_an_older_model_is_refused(published, tmp_path):
    older = Sound(tmp_path / "older", model=b"older trees", registration=STRICT)
    files = published.files | {evaluations.FILE: older.folder / evaluations.FILE}
    with pytest.raises(
        Refused, match=f"approved model {older.digest[:12]}, but these files are {published.digest[:12]}"
    ):
        published.register(Closed(), "run", approved=older.approved, files=files)
    with pytest.raises(Refused, match="model_digest is"):
        published.register(Closed(), "run", approved=older.approved)


def test_a_model_of_another_dataset_is_refused(published):
    result, _ = planted(published, dataset_digest="e" * 64)
    approved = Approved.by(STRICT, result)
    with pytest.raises(Refused, match="approved model"):
        published.register(Closed(), "run", approved=approved)


def test_a_model_of_another_dataset_is_not_even_evaluated(tmp_path):
    class Work:
        def table(self, noun):
            return noun.name

    dataset = Artifact(folder=tmp_path, digest="n" * 64, record={})
    model = Artifact(folder=tmp_path, digest="m" * 64, record={"dataset": "o" * 64})
    with pytest.raises(MissingInputError, match=r"another version of its dataset \(oooooooooooo, now nnnnnnnnnnnn\)"):
        evaluations.materialize_evaluation(lapse_evaluation, "2024-06-10", dataset, model, work=Work())


def test_an_approval_by_a_person_of_older_numbers_is_refused(published):
    given = Approval(
        author="ada",
        reason="Looked at it.",
        model=published.digest,
        dataset=published.result.dataset_digest,
        evaluation=published.result.digest,
    )
    asked = replace(STRICT, gates=(*STRICT.gates, HumanApproval(("ada",), (given,))))
    assert Approved.by(asked, published.result)
    later, approved = planted(published, size_bytes=2_000)
    with pytest.raises(
        Refused, match="human_approval: No approval is for these numbers: that by ada is for evaluation"
    ):
        Approved.by(asked, later)
    with pytest.raises(Refused, match="human_approval"):
        published.register(Closed(), "run", registration=asked, approved=approved)


def test_a_waiver_that_somebody_writes_into_an_approval_waives_nothing(published):
    result, _ = planted(published, **FAULTS["calibrated"])
    waiver = Waiver(gate="calibrated", author="eve", reason="Trust me.", expires=date(2999, 1, 1))
    lenient = Approved.by(replace(STRICT, waivers=(waiver,)), result)
    assert lenient.verdicts[2].waiver == waiver
    with pytest.raises(Refused, match="calibrated"):
        register(STRICT, lenient, registry=Closed(), run_id="run", files=published.files, tags=CODE, actor=ADA)


def test_verdicts_of_another_policy_are_refused(published):
    looser = replace(STRICT, gates=(AtLeast(metric="roc_auc", limit=0.1),))
    approved = Approved.by(looser, published.result)
    assert approved.verdicts[0].bound_to.policy != published.approved.verdicts[0].bound_to.policy
    with pytest.raises(Refused, match="policy_digest is"):
        published.register(Closed(), "run", approved=approved)


def test_what_may_be_registered_gets_as_far_as_the_registry(published):
    with pytest.raises(AssertionError, match="It was registered"):
        published.register(Closed(), "run")
