"""What a person sees: the pages of a deployment in a browser, clicked through as one would."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from platform_ml.orchestration.build import EXECUTOR, IN_PROCESS
from platform_ml.orchestration.layers import DATASETS, FEATURES, MODELS, OVERVIEW, SOURCES
from platform_ml_tests.deployment.harness import PATIENCE, ROOT, Deployment
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


DAY = str(shop.DAYS[-1])
"""The partition that is made again from its page."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """The shop, with a model and its card."""
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


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(request, deployment, browser):
    """A fresh tab, and a picture of how it ended."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{deployment.ports['webserver']}", viewport={"width": 1500, "height": 950}
    )
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    opened, raised = context.new_page(), []
    opened.on("pageerror", lambda error: raised.append(error))  # noqa: PLW0108 - Playwright calls back no built-in
    yield opened
    opened.screenshot(path=PICTURES / f"{request.node.name.removeprefix('test_')}.png")
    context.close()
    assert not raised


def test_the_graph_opens_as_layers_and_a_layer_opens_as_assets(page):
    page.goto("/asset-groups")
    groups = [f"shop_{name}" for name in (SOURCES, FEATURES, DATASETS, MODELS, OVERVIEW)]
    for name in groups:
        expect(page.get_by_text(name).first).to_be_visible()
    page.goto(f"/locations/shop/asset-groups/shop_{MODELS}")
    for noun in (shop.lapse_model, shop.lapse_evaluation, shop.lapse_card, shop.lapse):
        expect(page.get_by_text(noun.name, exact=True).first).to_be_visible()


def test_an_asset_says_what_it_is_and_how_it_is(page):
    page.goto(f"/assets/shop/{shop.order_history.name}")
    for said in (
        shop.order_history.description,
        f"shop_{FEATURES}",
        "duckdb",
        "amount_sum_7d",
        "Latest materialization",
    ):
        expect(page.get_by_text(said).first).to_be_visible()
    expect(page.get_by_text(shop.order_history.features[0].meaning).first).to_be_visible()


def test_checks_of_an_asset_say_what_they_look_at(page):
    page.goto(f"/assets/shop/{shop.orders.name}?view=checks")
    for name in ("schema", "not_null", "unique_key", "volume"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    page.get_by_text("unique_key", exact=True).first.click()
    expect(page.get_by_text("Evaluation result").first).to_be_visible()


def test_a_partition_is_made_from_its_page_and_succeeds(page, deployment):
    before = deployment.runs()
    page.goto(f"/assets/shop/{shop.orders.name}?view=partitions&partition={DAY}&default_range={DAY}")
    expect(page.get_by_text("dagster/row_count").first).to_be_visible()
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Launch 1 run").click()
    [made] = deployment.wait("the run is there", lambda: deployment.runs()[len(before) :])
    page.goto(f"/runs/{made['id']}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    assert deployment.ended(made["id"]) == "SUCCESS"
    assert made["tags"]["dagster/partition"] == DAY


def test_a_card_is_found_on_the_page_of_its_asset_and_opens(page):
    page.goto(f"/assets/shop/{shop.lapse_card.name}")
    shown = page.get_by_text("/card.html").first
    expect(shown).to_be_visible()
    page.goto(f"file://{shown.inner_text().strip()}")
    expect(page.get_by_role("heading", name=shop.lapse_card.title).first).to_be_visible()
    expect(page.get_by_text(shop.lapse_card.intended_use).first).to_be_visible()
