"""A simple project as a Dagster component: `type: platform_ml.TabularProject` in a folder of definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import BaseModel, RootModel

from platform_ml.documents.schema import schema
from platform_ml.documents.tabular_project import TYPE, read
from platform_ml.orchestration.build import project_assets, project_jobs
from platform_ml.orchestration.resources import PlatformResource

if TYPE_CHECKING:
    from dagster.components import ComponentLoadContext

    from platform_ml.spec.project import Project

PLATFORM = PlatformResource()
"""One for all components of a code location."""
FILES = ("defs.yaml", "component.yaml")


class Attributes(RootModel[dict[str, Any]]):
    """What stands below `attributes`: read by the platform itself, so that no template of it is ever rendered."""

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """What may stand there, for Dagster's tools."""
        whole = schema()
        return whole["properties"]["attributes"] | {"$defs": whole["$defs"]}


class TabularProject(dg.Component):
    """A project of one source, its rolling features, a label, a model and its gates."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @classmethod
    def get_model_cls(cls) -> type[Attributes]:
        """What the file is checked against."""
        return Attributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: ComponentLoadContext) -> TabularProject:
        """Read the project's own file, whose lines errors name."""
        file = next((path for name in FILES if (path := Path(context.path, name)).is_file()), None)
        if file is not None:
            return cls(read(file.read_text(encoding="utf-8"), str(file)))
        import yaml

        given = attributes.root if isinstance(attributes, Attributes) else {}
        return cls(read(yaml.safe_dump({"type": TYPE, "attributes": given}, sort_keys=False), str(context.path)))

    def build_defs(self, context: ComponentLoadContext) -> dg.Definitions:
        """The same assets, checks and jobs that the project would have if it was declared in Python."""
        return dg.Definitions(
            assets=project_assets(self.project),
            jobs=list(project_jobs(self.project)),
            resources={"platform": PLATFORM},
        )
