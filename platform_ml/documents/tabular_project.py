"""One source, its rolling features, one label, one model and its gates: a simple project as one YAML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.documents.reading import Reader, WrongKindError
from platform_ml.documents.shape import Named, Several
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.project import Project
from platform_ml.spec.registration import Registration
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    import yaml

TYPE = "platform_ml.TabularProject"
SECTIONS: dict[str, type[Any]] = {
    "source": Source,
    "features": FeatureGroup,
    "label": Label,
    "view": FeatureView,
    "split": TrainingDataset,
    "model": TunedModel,
    "evaluation": Evaluation,
    "card": ModelCard,
    "registration": Registration,
}
"""The keys of the file that are declarations, in the order of the data's path."""
FILLED_IN: dict[str, frozenset[str]] = {
    "source": frozenset(),
    "features": frozenset({"source"}),
    "label": frozenset({"source"}),
    "view": frozenset({"label", "features", "helpers", "knowledge"}),
    "split": frozenset({"view"}),
    "model": frozenset({"dataset", "features"}),
    "evaluation": frozenset({"model"}),
    "card": frozenset({"evaluation"}),
    "registration": frozenset({"card", "gates"}),
}
"""Their fields that follow from the file itself."""
MAY_BE_LEFT_OUT = {"view", "registration"}
OWN = ("name", "description", "owner", "demo_cutoff")
"""The keys of the project itself."""
DESCRIPTIONS = {
    "features": "What is known of each {entity}.",
    "view": "Each {entity}, with what was known at that moment.",
    "split": "The rows of {name}, up to a cutoff.",
    "model": "The model of {name}.",
    "evaluation": "How good the model of {name} is.",
    "registration": "The model of {name} that may be used.",
}
SUFFIXES = {"features": "_history", "split": "_dataset", "registration": ""}


def read(text: str, file: str) -> Project:
    """A project from the text of its file.

    Raises:
        DeclarationError: with file, line and key, where YAML or declarations are wrong.
    """
    try:
        return _read(Reader(file), text)
    except WrongKindError as error:  # no other reading of the field was left to try
        raise DeclarationError(str(error)) from None


def _read(reader: Reader, text: str) -> Project:
    root = reader.document(text)
    top = reader.mapping(root, "", dict.fromkeys(("type", "attributes")))
    if "type" not in top or "attributes" not in top:
        reader.fail(root, "", f"needs `type: {TYPE}` and `attributes:`.")
    if top["type"][1].value != TYPE:
        reader.fail(top["type"][1], "type", f"{top['type'][1].value!r} is not known. Write {TYPE}.")
    return _project(reader, top["attributes"][1])


def _project(reader: Reader, node: yaml.Node) -> Project:
    path = "attributes"
    found = reader.mapping(node, path, dict.fromkeys((*OWN, *SECTIONS, "gates")))
    needed = [*(one for one in OWN if one != "demo_cutoff"), *SECTIONS, "gates"]
    if missing := [key for key in needed if key not in found and key not in MAY_BE_LEFT_OUT]:
        reader.fail(node, path, f"needs {missing[0]!r}.")
    own = {
        key: reader.value(found[key][1], Named("date" if key == "demo_cutoff" else "str"), f"{path}.{key}")
        for key in OWN
        if key in found
    }
    empty = _empty(node)
    made: dict[str, Any] = {"name": own["name"]}

    def section(key: str, given: dict[str, Any], **more: Any) -> Any:
        where = found[key][1] if key in found else empty
        defaults = {"name": own["name"] + SUFFIXES.get(key, f"_{key}")} | more
        if key in DESCRIPTIONS:
            entity = made["label"].entity if "label" in made else ""
            defaults["description"] = DESCRIPTIONS[key].format(name=own["name"], entity=entity or own["name"])
        return reader.fields(SECTIONS[key], where, f"{path}.{key}", given, defaults)

    made["source"] = section("source", {})
    made["label"] = section("label", {"source": made["source"]})
    made["features"] = section("features", {"source": made["source"]}, cadence=made["source"].cadence)
    made["view"] = section("view", {"label": made["label"], "features": (made["features"],)})
    made["split"] = section("split", {"view": made["view"]})
    made["model"] = section("model", {"dataset": made["split"], "features": None})
    made["evaluation"] = section("evaluation", {"model": made["model"]})
    made["card"] = section("card", {"evaluation": made["evaluation"]})
    gates = reader.value(found["gates"][1], Several((Named("Gate"),), any_number=True), f"{path}.gates")
    registration = section("registration", {"card": made["card"], "gates": gates})
    return reader.declare(Project, node, path, own | {"outputs": (registration,)})


def _empty(node: yaml.Node) -> yaml.Node:
    import yaml

    return yaml.MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)
