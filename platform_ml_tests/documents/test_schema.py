"""What editors check a project's YAML file against is what the platform reads."""

import json
import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from platform_ml.documents.schema import FILE, text

UPDATE = "UPDATE_PROJECT_SCHEMA"
SHOP = Path(__file__).with_name("shop.yaml")


@pytest.fixture(scope="module")
def schema():
    return json.loads(FILE.read_text())


def test_it_is_that_of_the_declarations():
    if os.environ.get(UPDATE):
        FILE.write_text(text())
    assert FILE.read_text() == text(), f"run {UPDATE}=1 pytest on this file and commit {FILE.name}"


def as_editors_read(source):
    """Days are texts for them, as JSON has none."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith("timestamp")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(source, Loader=loader)  # noqa: S506 - it is a safe loader


def test_it_lets_a_project_in(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(as_editors_read(SHOP.read_text()), schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [("event_time:", "event_tme:"), ("family: XGBoost", "family: XGBost"), ("history_days: 126", "history_days: many")],
)
def test_it_marks_what_the_platform_refuses(schema, old, new):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_editors_read(SHOP.read_text().replace(old, new)), schema)
