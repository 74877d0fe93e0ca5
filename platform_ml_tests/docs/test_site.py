"""The documentation as pages: every link leads somewhere, and nothing is loaded from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from platform_ml_tests.architecture.files import ROOT

LOADED = re.compile(
    r"""(?:src|href)=["'](https?:)?//[^"']+\.(?:css|js|woff2?|png|svg)|url\(["']?(?:https?:)?//|@import"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert built.returncode == 0, "\n".join(line for line in built.stderr.splitlines() if not line.startswith("INFO"))
    return folder


def test_every_page_is_there(site):
    written = {page.relative_to(ROOT / "docs").with_suffix("") for page in (ROOT / "docs").rglob("*.md")}
    assert {page.relative_to(site).with_suffix("") for page in site.rglob("*.html")} == written | {Path("404")}


def test_the_first_page_leads_to_every_page_but_the_reference():
    linked = set(re.findall(r"\]\(([\w/-]+\.md)", (ROOT / "docs/index.md").read_text()))
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not page.startswith("reference/")} - linked == {"index.md"}


def test_the_reference_speaks_of_every_part(site):
    text = (site / "reference" / "gates.html").read_text()
    assert "BeatsChampion" in text
    assert "The saved model has at most so many bytes." in text


def test_nothing_is_loaded_from_elsewhere(site):
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(files) > 20
    assert [file.name for file in files if LOADED.search(file.read_text())] == []


def test_links_of_the_readme_lead_to_files():
    text = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    assert {"docs/tutorial.md", "docs/figures.md"} <= targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
    assert len(text.splitlines()) <= 250
