import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from platform_ml.engine.card_graph import graph, graph_plot
from platform_ml.testing.declarations import lapse_model
from platform_ml_tests.engine.test_model_card import PLAIN, PROVENANCE, rendered


@pytest.fixture(scope="module")
def good():
    return rendered(result=PLAIN)


def test_every_step_from_the_sources_to_the_model_is_there_in_order(good):
    shown = good.json["graph"]
    layers = {node["name"]: node["layer"] for node in shown["nodes"]}
    assert next(iter(layers.values())) == 0
    assert {name for name, layer in layers.items() if layer == 0} == {"orders", "customers"}
    assert max(layers, key=layers.get) == "lapse_model"
    assert ["orders", "lapsed"] in shown["edges"]
    assert ["order_history", "lapse_view"] in shown["edges"]
    assert all(layers[start] < layers[end] for start, end in shown["edges"])
    assert len({tuple(edge) for edge in shown["edges"]}) == len(shown["edges"])


def test_boxes_name_versions_and_digests(good):
    versions = {node["name"]: node["version"] for node in good.json["graph"]["nodes"]}
    assert versions["orders"] == "version 365"
    assert versions["lapse_dataset"] == "b2" * 6
    assert versions["lapse_model"] == "a1" * 6
    assert versions["order_history"] == ""  # the manifest of this card does not name it


def test_several_versions_of_a_table_are_counted():
    known = {
        "tables": [{"table": "shop/orders", "version": number} for number in (3, 4, 4, 9)],
        "dataset": {"digest": "b" * 64},
        "model": {"digest": "a" * 64},
    }
    nodes = {node["name"]: node for node in graph(lapse_model, known)["nodes"]}
    assert nodes["orders"]["version"] == "3 versions to 9"


def test_the_picture_is_well_formed_and_says_the_same_in_words(good):
    plot = graph_plot(good.json["graph"])
    tree = ET.fromstring(plot.svg)  # noqa: S314 - our own picture
    assert len(tree.findall("rect")) == len(good.json["graph"]["nodes"])
    assert len(tree.findall("path")) == len(good.json["graph"]["edges"])
    assert "lapse_view from lapsed, order_history, customer_profile" in plot.alt
    assert good.files["provenance_graph.svg"] == plot.svg
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', plot.svg).groups())
    for box in tree.findall("rect"):
        assert 0 <= float(box.get("x")) <= width - float(box.get("width"))
        assert 0 <= float(box.get("y")) <= height - float(box.get("height"))


def test_names_cannot_become_markup(good):
    nodes = [{"name": "<b>&", "kind": "source", "version": "", "layer": 0}]
    assert "&lt;b&gt;&amp;" in graph_plot({"nodes": nodes, "edges": []}).svg
    assert (
        rendered(result=PLAIN, provenance=replace(PROVENANCE, tables=())).json["graph"]["edges"]
        == good.json["graph"]["edges"]
    )
