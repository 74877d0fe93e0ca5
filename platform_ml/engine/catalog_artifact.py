"""The catalog of a project as a published folder: the page, and the same as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from platform_ml.engine.catalog import catalog
from platform_ml.engine.catalog_page import html
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.project import CATALOG

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from platform_ml.engine.catalog import Catalog
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.project import Project

KIND = "catalogs"
PAGE, DATA = "catalog.html", "catalog.json"


def materialize_catalog(project: Project, *, work: Work, day: date) -> tuple[Catalog, Artifact]:
    """Write the catalog; one that says the same is not written again."""
    found = catalog([project], lambda _: work, day=day)
    files = {PAGE: html(found), DATA: json.dumps(found.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"}

    def fill(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    place = f"{KIND}/{project.name}/{CATALOG}"
    artifact = work.platform.artifacts.publish(place, digest(files), {"catalog": project.name, "day": found.day}, fill)
    work.say(f"{project.name}/{CATALOG}: {artifact.folder / PAGE}")
    return found, artifact
