import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from platform_ml.engine.catalog import catalog
from platform_ml.engine.catalog_page import counts, html, markdown
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.source import materialize_source
from platform_ml.outliers import Tukey
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import Project
from platform_ml.spec.quality import Quality
from platform_ml_tests.engine.shop import SHOP, deliver, order_history, orders, stamp, work_in

DAY = date(2024, 5, 1)
EVIL = "<script>alert(1)</script> \"><img src=x onerror=alert(2)> </style>{{ 7 * 7 }} & 'quoted'"
GROUP = replace(order_history, quality=Quality(outliers=Tukey(), min_values=5))
VOID = {"meta", "input", "wbr", "br", "img", "link", "polyline"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words, self.script = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" in self.open:
            self.script += data
        elif "style" not in self.open:
            self.words.append(data)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def items(self):
        return {found["id"]: found for found in self.all("article")}


@pytest.fixture(scope="module")
def work_of(tmp_path_factory):
    return work_in(tmp_path_factory.mktemp("catalog"))


@pytest.fixture(scope="module")
def made(work_of, bought):
    """The whole shop declared; orders and scored snapshots of 40 days are there."""
    deliver(work_of, bought)
    keys = orders.cadence.keys()[:40]
    for noun, step in ((orders, materialize_source), (GROUP, materialize_feature_group)):
        for done in step(noun, keys, work=work_of, stamp=stamp(1, fingerprint(noun))):
            assert not done.stopped
    group = Project(name="scored", description="Scores.", owner="team:scores", outputs=(GROUP,))
    return catalog([SHOP, group], lambda name: replace(work_of, project="shop" if name == "scored" else name), day=DAY)


@pytest.fixture(scope="module")
def page(made):
    return Page(html(made))


def test_every_declaration_has_its_place(made, page):
    assert list(page.items) == [f"{item.project}.{item.name}" for item in made.items]
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    targets = {found["href"] for found in page.all("a")}
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    assert targets >= {"#shop.lapse_view", "#scored.orders"}


def test_it_needs_nothing_from_elsewhere(made, page):
    text = html(made)
    assert not [found for _, found in page.elements if {"src", "srcset", "data", "action"} & set(found)]
    assert not re.search(r"https?:|url\(|@import", text.replace("http-equiv", ""))
    assert text == html(made)


def test_only_its_own_script_can_run(page):
    assert len(page.all("script")) == 1
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
    (policy,) = [found["content"] for found in page.all("meta") if "http-equiv" in found]
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]


def test_it_can_be_read_by_everyone(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert {found.get("scope") for found in page.all("th")} == {"col", "row"}
    fields = {found["id"] for found in page.all("input", "select")}
    assert fields == {found["for"] for found in page.all("label")} == {"q", "kind"}
    assert all(found.get("aria-label") for found in page.all("svg"))
    assert page.all("html") == [{"lang": "en"}]
    assert next(found["href"] for found in page.all("a")) == "#items"


def found_by(page, *words):
    return {name for name, item in page.items.items() if all(word in item["data-search"] for word in words)}


def test_what_the_search_finds(page):
    assert found_by(page, "eur") >= {"shop.orders", "shop.order_history", "shop.lapse_view"}
    assert "shop.customers" not in found_by(page, "eur")
    assert found_by(page, "feature_quality_score") == {"scored.order_history"}
    assert found_by(page, "sum of amount over the last 28 days") == {
        "shop.order_history", "shop.lapse_view", "scored.order_history",
    }  # fmt: skip
    assert found_by(page, "team:scores") == {"scored.orders", "scored.order_history"}
    assert found_by(page, "shop", "label") >= {"shop.lapsed"}
    assert found_by(page, fingerprint(orders)[:8]) == {"shop.orders", "scored.orders"}
    assert all(item["data-search"] == item["data-search"].lower() for item in page.items.values())
    kinds = {item["data-kind"] for item in page.items.values()}
    assert kinds == {
        "source",
        "label",
        "feature group",
        "feature view",
        "training dataset",
        "model",
        "registered model",
    }
    assert {found["data-item"] for _, found in page.elements if "data-item" in found} == set(page.items)


def test_what_it_says(page):
    text = " ".join(" ".join(page.words).split())
    assert "not materialized yet" in text
    assert "came from another declaration" in text  # order_history of shop, without the scores
    assert "80 behind 2024-04-29" in text
    assert "Ready to learn from" in text
    assert "over the latest 30 partitions" in text
    assert "None" not in text


def test_words_from_declarations_are_only_words(work_of):
    column = replace(orders.columns[2], description=EVIL, unit="<b>EUR</b>")
    source = replace(orders, description=EVIL, columns=(*orders.columns[:2], column, *orders.columns[3:]))
    group = replace(GROUP, source=source, description=EVIL)
    project = Project(name="evil", description=EVIL, owner=f"team:{EVIL}", outputs=(group,))
    found = catalog([project], lambda name: replace(work_of, project=name), day=DAY)
    page, text = Page(html(found)), html(found)
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert page.all("img") == page.all("b") == []
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert "<script>alert" not in text
    assert "{{ 7 * 7 }}" in text
    assert " ".join(EVIL.split()) in " ".join(page.words)
    assert "<b>eur</b>" in page.items["evil.orders"]["data-search"]
    assert EVIL.lower() in page.items["evil.order_history"]["data-search"]
    assert "<script>" not in markdown(found)
    assert json.loads(json.dumps(found.to_json()))["projects"][0]["description"] == EVIL


def test_a_short_text_for_dagster(made):
    lines = markdown(made).splitlines()
    assert lines[:2] == [
        "| name | kind | version | status | rows | latest | quality | ready |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    assert lines[2].startswith(rf"| shop/orders | source | {fingerprint(orders)[:8]} | 80 behind | ")
    assert any(line.startswith(r"* shop/order\_history: Stale: 40 of 40 partitions") for line in lines)
    assert counts(made) == {"declared": 12, "materialized": 4, "stale": 1, "incomplete": 4, "columns": 47}
