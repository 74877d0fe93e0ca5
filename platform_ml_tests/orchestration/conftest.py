import shutil

import pytest

from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    failures,
    lapse,
    lapse_card,
    lapse_evaluation,
    lapse_model,
)


@pytest.fixture(scope="session")
def _landed(tmp_path_factory):
    checkout = Checkout.make(tmp_path_factory.mktemp("landed"))
    checkout.land()
    checkout.instance.dispose()
    return checkout.folder


@pytest.fixture(scope="session")
def _built(tmp_path_factory, _landed):
    checkout = Checkout(shutil.copytree(_landed, tmp_path_factory.mktemp("built"), dirs_exist_ok=True))
    checkout.materialize_all()
    checkout.instance.dispose()
    return checkout.folder


@pytest.fixture(scope="session")
def _trained(tmp_path_factory, _built):
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("trained"), dirs_exist_ok=True))
    run = checkout.materialize([lapse_model, lapse_evaluation, lapse_card, lapse], partition=CUTOFF)
    assert run.success, failures(run)
    checkout.instance.dispose()
    return checkout.folder


@pytest.fixture
def landed(tmp_path, _landed):
    """The shop's files are delivered, nothing is materialized."""
    checkout = Checkout(shutil.copytree(_landed, tmp_path / "checkout"))
    yield checkout
    checkout.instance.dispose()


@pytest.fixture
def built(tmp_path, _built):
    """Every table of the shop and the last dataset are there, with Dagster's history."""
    checkout = Checkout(shutil.copytree(_built, tmp_path / "checkout"))
    yield checkout
    checkout.instance.dispose()
