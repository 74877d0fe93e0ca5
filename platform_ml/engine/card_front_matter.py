"""The block of metadata above a card's Markdown, as model hubs read it (Hugging Face, Model Cards, metadata)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB_LICENSES = {
    "apache-2.0", "mit", "openrail", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "c-uda", "cc", "cc0-1.0",
    "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0",
    "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "ecl-2.0", "epl-1.0",
    "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl",
    "lgpl-2.1", "lgpl-3.0", "isc", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by", "ofl-1.1", "osl-3.0", "pddl",
    "postgresql", "unlicense", "wtfpl", "zlib",
}  # fmt: skip
"""Licenses that the hub has a word for, less those of single models."""
NO_PIPELINE = "other"
"""The task that has no page of models on the hub."""


def front_matter(shown: Mapping[str, Any]) -> str:
    """YAML between two lines of dashes; `shown` is what `content` gave.

    It has no base_model: no model of this platform is fine-tuned from a published one.
    """
    import yaml

    model, task, dataset = shown["model"], shown["task"], shown["dataset"]["name"]
    metadata = {
        **_license(shown["card"]["license"]),
        "library_name": model["library"],
        **({} if task == NO_PIPELINE else {"pipeline_tag": task}),
        "tags": [*([] if task == NO_PIPELINE else [task]), "tabular", model["library"], "dagster", "platform_ml"],
        "datasets": [dataset],
        "metrics": list(shown["evaluation"]["splits"]["test"]["metrics"]),
        **_emissions(shown["training"]),
        "model_name": model["name"],
        "model-index": [{"name": model["name"], "results": [_result(shown)]}],
    }
    return f"---\n{yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=120)}---\n\n"


def _license(name: str) -> dict[str, str]:
    if not name:
        return {}
    known = name.lower()
    return {"license": known} if known in HUB_LICENSES else {"license": "other", "license_name": name}


def _emissions(training: Mapping[str, Any] | None) -> dict[str, Any]:
    """In grams, as the hub wants them."""
    if training is None or training["energy"] is None:
        return {}
    energy = training["energy"]
    place = {"geographical_location": energy["location"]} if energy["location"] else {}
    hardware = {"hardware_used": training["processor"]} if training["processor"] else {}
    source = f"{energy['source']}; {training['formula']}"
    said = {"emissions": energy["grams_co2eq"], "source": source, "training_type": "training from scratch"}
    return {"co2_eq_emissions": said | place | hardware}


def _result(shown: Mapping[str, Any]) -> dict[str, Any]:
    evaluation, dataset = shown["evaluation"], shown["dataset"]["name"]
    scores = [
        {
            "type": name,
            "name": evaluation["titles"].get(name, name),
            "value": estimate["value"],
            **({} if estimate["low"] is None else {"args": {"interval_95": [estimate["low"], estimate["high"]]}}),
        }
        for name, estimate in evaluation["splits"]["test"]["metrics"].items()
        if estimate["value"] is not None
    ]
    return {
        "task": {"type": shown["task"], "name": shown["card"]["title"]},
        "dataset": {"type": dataset, "name": dataset, "split": "test", "revision": evaluation["dataset_digest"]},
        "metrics": scores,
    }
