import shutil

import pytest

from platform_ml_tests.engine.shop import invented, make_all, work_in


@pytest.fixture
def work(tmp_path):
    """An empty platform."""
    return work_in(tmp_path)


@pytest.fixture(scope="session")
def bought():
    return invented()


@pytest.fixture(scope="session")
def built(tmp_path_factory, bought):
    """The whole shop, up to the view; nobody may change it."""
    work = work_in(tmp_path_factory.mktemp("shop"))
    make_all(work, bought)
    return work


@pytest.fixture
def shop(tmp_path, built):
    """A copy of the whole shop that a test may change."""
    folder = tmp_path / "shop"
    shutil.copytree(built.platform.landing.parent, folder)
    return work_in(folder)
