from dataclasses import replace

import pytest
import yaml

from platform_ml.spec.fingerprint import fingerprint
from platform_ml_tests.engine.test_model_card import CARD, PLAIN, PROVENANCE, rendered
from platform_ml_tests.spec.test_energy import ENERGY

COMPUTE = {"cpu_seconds": 3_600.0, "wall_seconds": 1_800.0, "elsewhere": False}


def block(card):
    return yaml.safe_load(card.markdown.split("---\n")[1])


@pytest.fixture(scope="module")
def told():
    model = replace(PROVENANCE.model, compute=COMPUTE, conditions={"device": "cpu", "processor": "A Xeon"})
    return rendered(replace(CARD, energy=ENERGY), PLAIN, provenance=replace(PROVENANCE, model=model))


def test_fields_are_those_that_the_hub_documents(told):
    metadata = block(told)
    assert metadata["datasets"] == ["lapse_dataset"]
    assert metadata["metrics"] == ["roc_auc", "log_loss"]
    assert metadata["model_name"] == "lapse_model"
    assert "xgboost" in metadata["tags"]
    (score, _) = metadata["model-index"][0]["results"][0]["metrics"]
    assert score == {"type": "roc_auc", "name": "ROC AUC", "value": 0.8743, "args": {"interval_95": [0.8572, 0.8914]}}
    assert metadata["model-index"][0]["results"][0]["task"]["type"] == "tabular-classification"


def test_emissions_are_in_grams_with_their_formula(told):
    said = block(told)["co2_eq_emissions"]
    assert said["emissions"] == pytest.approx(6.0)
    assert said["source"].startswith("A meter, 2024; kWh = CPU seconds / 3,600")
    assert said["hardware_used"] == "A Xeon"
    assert said["geographical_location"] == "AT"
    for text in (told.html, told.markdown):
        assert "6.000 g" in text
        assert "0.01500 kWh" in text


def test_without_declared_energy_there_are_no_emissions():
    assert "co2_eq_emissions" not in block(rendered(result=PLAIN))
    assert fingerprint(replace(CARD, energy=ENERGY)) == fingerprint(CARD)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("Of the house", {"license": "other", "license_name": "Of the house"}),
        ("", {}),
    ],
)
def test_a_license_is_one_that_the_hub_knows_or_other(name, says):
    metadata = block(rendered(replace(CARD, license=name), PLAIN))
    assert {key: value for key, value in metadata.items() if key.startswith("license")} == says
