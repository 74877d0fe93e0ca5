"""A project as a Dagster component: Dagster's own loader makes of the file what Python would declare."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

import platform_ml
from platform_ml.documents import yaml_projects
from platform_ml.documents.tabular_project import read
from platform_ml.orchestration.build import definitions, project_assets
from platform_ml.orchestration.component import TabularProject
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects import PROJECTS
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.model_card import ModelCard

SHOP = Path(__file__).parents[1] / "documents" / "shop.yaml"

pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # Dagster 1.13's loader of YAML


def graph(assets):
    return {
        spec.key: (spec.code_version, spec.partitions_def, sorted(spec.deps, key=lambda dep: dep.asset_key))
        for made in assets
        for spec in ([made] if isinstance(made, dg.AssetSpec) else made.specs)
    }


def checks(assets):
    return {spec.key: spec for made in assets if isinstance(made, dg.AssetsDefinition) for spec in made.check_specs}


@pytest.fixture
def loaded(tmp_path):
    """Dagster's loader on a folder that holds this text as defs.yaml."""

    def load(text):
        (tmp_path / "defs.yaml").write_text(text)
        return platform_ml.TabularProject.from_yaml_path(tmp_path / "defs.yaml")

    return load


def made_by(component):
    return component.build_defs(dg.ComponentTree.for_test().load_context)


def test_a_file_is_the_project_that_python_declares(loaded):
    made = made_by(loaded(SHOP.read_text()))
    declared = project_assets(read(SHOP.read_text(), "shop.yaml"))
    assert graph(made.assets) == graph(declared)
    assert checks(made.assets) == checks(declared) != {}
    assert {job.name for job in made.jobs} == {"shop_daily", "shop_catalog", "shop_lapse"}
    dg.Definitions.validate_loadable(made)


def test_errors_name_file_line_and_key(loaded, tmp_path):
    with pytest.raises(Exception, match="is no Family") as caught:
        loaded(SHOP.read_text().replace("XGBoost", "XGBost"))
    assert f"{tmp_path}/defs.yaml:38: attributes.model.family: " in str(caught.value)


def test_attributes_without_a_file_are_read_the_same_way():
    attributes = yaml.safe_load(SHOP.read_text())["attributes"]
    component = TabularProject.from_attributes_dict(attributes=attributes)
    assert fingerprint(component.project) == fingerprint(read(SHOP.read_text(), "shop.yaml"))
    with pytest.raises(DeclarationError, match="needs 'owner'"):
        TabularProject.from_attributes_dict(attributes={"name": "shop", "description": "A shop."})


def test_no_template_is_rendered(loaded):
    component = loaded(SHOP.read_text().replace("title: Customers who lapse", 'title: "{{ env.HOME }}"'))
    assert component.project.all(ModelCard)[0].title == "{{ env.HOME }}"


def test_dagsters_tools_see_what_may_stand_there():
    shown = TabularProject.get_model_cls().model_json_schema()
    assert "gates" in shown["required"]
    assert "XGBoost" in str(shown["$defs"]["Family"])


def test_projects_of_this_checkout_may_be_yaml(tmp_path):
    (tmp_path / "shop.yaml").write_text(SHOP.read_text())
    made = definitions([*PROJECTS, *yaml_projects(tmp_path)], PlatformResource())
    assert dg.AssetKey(["shop", "lapse"]) in graph(made.assets)
