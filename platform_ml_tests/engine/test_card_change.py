from dataclasses import replace

import pytest

from platform_ml.engine.card_change import UNKNOWN, Previous, change
from platform_ml.spec.evaluation import BaselineScore, Estimate
from platform_ml.spec.evidence import Evidence
from platform_ml_tests.engine.test_model_card import PLAIN, PROVENANCE, near, rendered, with_test

OLD = "f0" * 32


@pytest.fixture(scope="module")
def old():
    return rendered(result=PLAIN).json


def compared(old, result=PLAIN, provenance=PROVENANCE):
    return rendered(result=result, provenance=provenance, previous=Previous(registered="lapse@3", model=OLD, card=old))


@pytest.fixture(scope="module")
def card(old):
    splits = dict(PROVENANCE.dataset.splits)
    splits["train"] = replace(splits["train"], rows=50_001, first="2023-07-10")
    provenance = replace(
        PROVENANCE,
        dataset=replace(PROVENANCE.dataset, digest="77" * 32, splits=splits),
        model=replace(
            PROVENANCE.model,
            params={"max_depth": 6, "learning_rate": 0.0512345, "missing": float("nan"), "added": 3},
            not_used={"days_since_last_28d": "It says nothing."},
        ),
        code=replace(PROVENANCE.code, git_commit="fedcba987654"),
    )
    result = replace(with_test(PLAIN, roc_auc=near(0.9)), cutoff="2024-07-08", dataset_digest="77" * 32)
    return compared(old, result, provenance)


def test_nothing_before_is_said_to_be_nothing(old):
    assert old["change"] is None
    assert "No other version was registered" in rendered(result=PLAIN).html


def test_numbers_of_both_versions_stand_beside_each_other(card):
    said = card.json["change"]
    auc, loss = said["metrics"]
    assert (auc["before"]["value"], auc["now"]["value"]) == (0.8743, 0.9)
    assert auc["difference"] == pytest.approx(0.0257)
    assert loss["difference"] == 0.0
    assert said["same_rows"] is False
    for text in (card.markdown, card.html):
        assert "+0.0257" in text
        assert "on its own test rows" in text
        assert "lapse@3" in text


def test_parameters_features_data_and_code_say_only_what_differs(card):
    said = card.json["change"]
    assert {one["name"]: (one["before"], one["now"]) for one in said["params"]} == {
        "max_depth": (4, 6),
        "added": (None, 3),
    }
    assert said["features"] == {"added": [], "removed": ["days_since_last_28d"], "changed": []}
    assert [one["name"] for one in said["data"]] == ["Cutoff", "train rows"]
    assert said["data"][1]["now"] == "2023-07-10 to 2024-04-15, 50,001 rows"
    assert [one["name"] for one in said["code"]] == ["Git commit"]
    for text in (card.markdown.replace("\\", ""), card.html.replace("<wbr>", "")):
        assert "No longer used: " in text
        assert "50,001 rows" in text
        assert "fedcba987654" in text


def test_only_a_lead_over_that_very_version_is_called_paired(old):
    lead = BaselineScore(metrics={"roc_auc": near(0.86)}, lead={"roc_auc": near(0.0143, 0.01)})
    baselines = dict(PLAIN.baselines) | {"champion": lead}
    against, other = (
        compared(old, replace(PLAIN, baselines=baselines, evidence=Evidence(champion=digest)))
        for digest in (OLD, "ab" * 32)
    )
    assert against.json["change"]["metrics"][0]["lead"]["value"] == 0.0143
    assert "+0.0143 [+0.0043, +0.0243]" in against.markdown.split("## Change")[1]
    assert other.json["change"]["metrics"][0]["lead"] is None


def test_a_metric_and_a_gate_of_one_side_only(old):
    before = old | {"gates": [*old["gates"][1:], old["gates"][0] | {"name": "gone", "waiver": {"author": "Ada"}}]}
    splits = {"test": {"metrics": {"roc_auc": old["evaluation"]["splits"]["test"]["metrics"]["roc_auc"]}}}
    card = compared(before | {"evaluation": old["evaluation"] | {"splits": splits}})
    said = card.json["change"]
    assert {one["name"]: (one["before"], one["now"]) for one in said["gates"]} == {
        "gone": (f"{old['gates'][0]['outcome']}, waived", "not declared"),
        old["gates"][0]["name"]: ("not declared", old["gates"][0]["outcome"]),
    }
    assert said["metrics"][1]["before"] is None
    assert said["metrics"][1]["difference"] is None
    assert "not measured" in card.markdown.split("## Change")[1]


def test_an_undefined_number_has_no_difference(old):
    card = compared(old, with_test(PLAIN, roc_auc=Estimate(value=None)))
    assert card.json["change"]["metrics"][0]["difference"] is None


def test_a_card_that_is_gone_and_a_registry_that_is_down_are_said():
    gone = rendered(result=PLAIN, previous=Previous(registered="lapse@3", model=OLD, card=None))
    assert "Its card is not here any more" in gone.html
    assert "Its card is not here any more" in gone.markdown
    silent = rendered(result=PLAIN, previous=UNKNOWN)
    assert "The registry did not answer" in silent.html
    assert silent.json["change"] == change(UNKNOWN, {})
