"""A project as a Dagster component: Dagster's own loader makes of the file what Python would declare."""

import importlib
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException

from platform_ml.documents import yaml_projects
from platform_ml.documents.tabular_project import read
from platform_ml.orchestration.build import definitions, project_assets
from platform_ml.orchestration.component import TabularProject
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects import PROJECTS
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint

SHOP = Path(__file__).parents[1] / "documents" / "shop.yaml"

# Dagster 1.13's own loader uses what Dagster and pydantic mark as young or old.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]


def graph(assets):
    return {
        spec.key: (spec.code_version, spec.partitions_def, sorted(spec.deps, key=lambda dep: dep.asset_key))
        for made in assets
        for spec in specs(made)
    }


def specs(made):
    return [made] if isinstance(made, dg.AssetSpec) else made.specs


def checks(assets):
    found = [spec for made in assets if isinstance(made, dg.AssetsDefinition) for spec in made.check_specs]
    return {spec.key: (spec.blocking, spec.description) for spec in found}


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Dagster's loader on a package of definitions, one of which is this text."""

    def load(text):
        folder = tmp_path / "bazaar" / "defs"
        (folder / "shop").mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "shop" / "defs.yaml").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if name.split(".")[0] == "bazaar"]:
            monkeypatch.delitem(sys.modules, name)
        return dg.ComponentTree.from_module(importlib.import_module("bazaar.defs"), tmp_path).build_defs()

    return load


def test_a_file_is_the_project_that_python_declares(loaded):
    made = loaded(SHOP.read_text())
    declared = project_assets(read(SHOP.read_text(), "shop.yaml"))
    assert graph(made.assets) == graph(declared)
    assert checks(made.assets) == checks(declared) != {}
    assert {job.name for job in made.jobs} == {"shop_daily", "shop_catalog", "shop_lapse"}
    dg.Definitions.validate_loadable(made)


def test_errors_name_file_line_and_key(loaded, tmp_path):
    with pytest.raises(ComponentTreeException) as caught:
        loaded(SHOP.read_text().replace("XGBoost", "XGBost"))
    file = tmp_path / "bazaar" / "defs" / "shop" / "defs.yaml"
    assert f"{file}:38: attributes.model.family: 'XGBost' is no Family" in str(caught.value.__cause__)


def test_attributes_without_a_file_are_read_the_same_way():
    attributes = yaml.safe_load(SHOP.read_text())["attributes"]
    component = TabularProject.from_attributes_dict(attributes=attributes)
    assert fingerprint(component.project) == fingerprint(read(SHOP.read_text(), "shop.yaml"))
    with pytest.raises(DeclarationError, match="needs 'owner'"):
        TabularProject.from_attributes_dict(attributes={"name": "shop", "description": "A shop."})


def test_no_template_is_rendered(loaded):
    made = loaded(SHOP.read_text().replace("description: What customers bought.", 'description: "{{ env.HOME }}"'))
    (spec,) = [spec for one in made.assets for spec in specs(one) if spec.key == dg.AssetKey(["shop", "orders"])]
    assert "{{ env.HOME }}" in spec.description


def test_dagsters_tools_see_what_may_stand_there():
    shown = TabularProject.get_model_cls().model_json_schema()
    assert "gates" in shown["required"]
    assert "XGBoost" in str(shown["$defs"]["Family"])


def test_projects_of_this_checkout_may_be_yaml(tmp_path):
    (tmp_path / "shop.yaml").write_text(SHOP.read_text())
    made = definitions([*PROJECTS, *yaml_projects(tmp_path)], PlatformResource())
    assert dg.AssetKey(["shop", "lapse"]) in graph(made.assets)
