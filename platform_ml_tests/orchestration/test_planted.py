"""Faults that are planted between runs: the run that meets one fails, and so does a later one of the registration."""

import shutil
from dataclasses import dataclass, replace

import pytest

from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.registration import Registration
from platform_ml.spec.tuned_model import TunedModel
from platform_ml_tests.faults.planted import Broken
from platform_ml_tests.orchestration.shop import CUTOFF, Checkout, failures, key, lapse, lapse_model, shop, swapped


@pytest.fixture
def trained(tmp_path, _trained):
    """The shop with a registered model."""
    checkout = Checkout(shutil.copytree(_trained, tmp_path / "trained"))
    yield checkout
    checkout.instance.dispose()


@dataclass
class Declared:
    """The shop with a change, as runs see it."""

    checkout: Checkout
    project: object

    def run(self, *kinds):
        nouns = [noun for kind in kinds for noun in self.project.all(kind)]
        return self.checkout.materialize(nouns, project=self.project, partition=CUTOFF)


def versions(checkout):
    return [(one.version, list(one.aliases)) for one in checkout.platform.mlflow().registry().versions()]


def materialized(run):
    return {event.asset_key for event in run.get_asset_materialization_events()}


def test_a_gate_that_raises(trained):
    broken = Declared(trained, swapped(shop, lapse, replace(lapse, gates=(*lapse.gates, Broken()))))
    run = broken.run(ModelCard, Registration)
    assert not run.success
    assert materialized(run) == {key(noun) for noun in broken.project.all(ModelCard)}
    checks = {one.check_name: one for one in run.get_asset_check_evaluations()}
    assert [name for name, one in checks.items() if not one.passed] == ["broken"]
    assert "The gate raised ZeroDivisionError: float division by zero" in checks["broken"].description

    later = broken.run(Registration)
    assert not later.success
    assert "Not registered: 'lapse' did not pass its gates. broken: The gate raised ZeroDivisionError" in failures(
        later
    )
    assert versions(trained) == [(1, ["champion"])]


def test_a_stale_evaluation_of_an_older_model(trained):
    """The model is trained again, and nobody asks for its numbers."""
    newer = Declared(trained, swapped(shop, lapse_model, replace(lapse_model, seed=7)))
    run = newer.run(TunedModel, ModelCard, Registration)
    assert not run.success
    assert materialized(run) == {key(noun) for noun in newer.project.all(TunedModel)}
    assert "Model card 'lapse_card': the evaluation is of model" in failures(run)

    later = newer.run(Registration)
    assert not later.success
    assert "was evaluated by another declaration" in failures(later)
    # Nor with the declaration of before: the newest model is not the one that has numbers and card.
    before = Declared(trained, shop).run(Registration)
    assert not before.success
    assert "the gates approved model" in failures(before)
    assert versions(trained) == [(1, ["champion"])]
