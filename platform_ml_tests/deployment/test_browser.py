"""What a person sees: the pages of a deployment in a browser, clicked through as one would."""

import os
import shutil

import pytest

from platform_ml.orchestration.build import EXECUTOR, IN_PROCESS
from platform_ml_tests.deployment.harness import ROOT, Deployment
from platform_ml_tests.orchestration import shop
from platform_ml_tests.orchestration.shop import CUTOFF, Checkout, failures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ALL = os.environ.get("PLATFORM_ML_ALL_TESTS") == "1"
pytestmark = pytest.mark.skipif(CHROMIUM is None and not ALL, reason="Chromium is not installed")

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A browser that asks nobody but the server that is tested."""
PICTURES = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """The shop with a model and its card, and one product of a later run that is still to be made."""
    folder = tmp_path_factory.mktemp("browser") / "home"
    made = Deployment(folder, locations=("shop",), module=shop.__name__)
    try:
        checkout = Checkout(folder)
        checkout.land()
        checkout.materialize_all()
        run = checkout.materialize([shop.lapse_model, shop.lapse_evaluation, shop.lapse_card], partition=CUTOFF)
        assert run.success, failures(run)
        checkout.instance.dispose()
        for name in ("shop", "daemon", "webserver"):
            made.start(name, **{EXECUTOR: IN_PROCESS})
        made.ready("shop")
        yield made
    finally:
        made.close()
