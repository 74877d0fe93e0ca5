"""A project as YAML: the same declarations as in Python, and errors that name file, line and key."""

from dataclasses import replace
from pathlib import Path

import pytest

from platform_ml.documents import yaml_projects
from platform_ml.documents.tabular_project import read
from platform_ml.features import Count, Recency, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import Project
from platform_ml.spec.space import Whole
from platform_ml.testing import declarations as shop

FILE = Path(__file__).with_name("shop.yaml")
TEXT = FILE.read_text()


def in_python():
    """The shop of `platform_ml.testing` without what only Python can declare: its helpers, and slices by them."""
    dataset = replace(shop.lapse_dataset, view=replace(shop.lapse_view, helpers=()))
    evaluation = replace(shop.lapse_evaluation, model=replace(shop.lapse_model, dataset=dataset), slices=())
    lapse = replace(shop.lapse, card=replace(shop.lapse_card, evaluation=evaluation), gates=shop.lapse.gates[:2])
    return replace(shop.shop, outputs=(lapse,))


def changed(old, new):
    assert TEXT.count(old) == 1
    return read(TEXT.replace(old, new), "shop.yaml")


class TestTheSame:
    def test_project_and_every_noun_have_the_fingerprints_of_python(self):
        project = read(TEXT, "shop.yaml")
        assert isinstance(project, Project)
        assert fingerprint(project) == fingerprint(in_python())
        pairs = zip(project.nouns, in_python().nouns, strict=True)
        assert [one.name for one, other in pairs if fingerprint(one) != fingerprint(other)] == []

    def test_what_is_prose_has_a_default_or_is_taken_over(self):
        source, *_, card, registration = read(TEXT, "shop.yaml").nouns
        assert source.description == "What customers bought."
        assert card.ethics == "Nobody is harmed by a letter."
        assert registration.description == "The model of shop that may be used."

    def test_a_list_of_days_is_a_feature_for_each(self):
        group = changed(
            "Total: {days: 28, of: amount}", "Total: {days: [7, 28], of: amount}\n      - Count: {days: [3]}"
        )
        (found,) = [noun for noun in group.nouns if noun.name == "order_history"]
        assert found.features == (*Total.over(7, 28, of="amount"), Count(days=3), Recency(days=28))

    def test_names_follow_from_the_projects(self):
        project = changed("  view: {name: lapse_view}\n", "")
        assert "shop_view" in [noun.name for noun in project.nouns]

    def test_values_are_read_as_the_field_declares_them(self):
        project = changed("family: XGBoost\n", "family: {XGBoost: {max_depth: {Whole: {low: 2, high: 9}}}}\n")
        (model,) = [noun for noun in project.nouns if noun.name == "lapse_model"]
        assert model.family.max_depth == Whole(2, 9)
        yes = changed("unit: EUR", "unit: no")
        assert yes.nouns[0].column("amount").unit == "no"


WRONG = [
    ("family: XGBoost\n", "family: XGBost\n", 38, "model.family: 'XGBost' is no Family. Did you mean 'XGBoost'?"),
    ("event_time:", "event_tme:", 17, "source.event_tme: there is no such key. Did you mean 'event_time'?"),
    (
        "history_days: 126",
        "history_days: many",
        35,
        "split.history_days: 'many' is wrong: it has to be a whole number.",
    ),
    (
        "history_days: 126",
        'history_days: "126"',
        35,
        "split.history_days: '126' is wrong: it has to be written without",
    ),
    ("limit: 0.7", "limit: high", 57, "gates[0].AtLeast.limit: 'high' is wrong: it has to be a number."),
    ("limit: 0.7", "limt: 0.7", 57, "gates[0].AtLeast.limt: there is no such key. Did you mean 'limit'?"),
    (", limit: 0.7", "", 57, "gates[0].AtLeast: AtLeast needs 'limit'."),
    ("metric: RocAuc\n", "metric: RocAuc\n    metric: Brier\n", 41, "model.metric: it stands here twice. Drop one."),
    ("    entity: customer_id\n    features:", "    entity: client_id\n    features:", 20, "no column 'client_id'"),
    (
        "first: 2024-01-29",
        "first: last week",
        30,
        "label.cadence.Weekly.first: 'last week' is wrong: it has to be a day",
    ),
    ("validation_days: 14", "validation_days: 14, gap_days: 7", 33, "split: Training dataset 'lapse_dataset' leaks"),
    ("  owner: team:shop\n", "", 3, "attributes: needs 'owner'."),
    ("owner: team:shop", "owner: nobody", 3, "owner 'nobody' is no e-mail address or 'team:name'"),
    ("key: [order_id]", "key: order_id", 16, "source.key: needs a list"),
    ("key: [order_id]", "key: [order_id", 17, "this is no YAML"),
    ("type: platform_ml.TabularProject", "type: platform_ml.Tabular", 1, "'platform_ml.Tabular' is not known"),
]


@pytest.mark.parametrize(("old", "new", "line", "said"), WRONG, ids=[new.strip() or old for old, new, *_ in WRONG])
def test_what_is_wrong_is_said_with_file_line_and_key(old, new, line, said):
    with pytest.raises(DeclarationError) as caught:
        changed(old, new)
    text = str(caught.value)
    assert type(caught.value) is DeclarationError
    assert text.startswith(f"shop.yaml:{line}: ")
    assert said in text


SINISTER = [
    ("name: shop\n", 'name: !!python/object/apply:os.system ["true"]\n', "the tag"),
    ("description: An invented shop.", "description: !include other", "the tag"),
    ("gates:\n", "gates: &some\n    - *some\n", "write the value out"),
    ("family: XGBoost\n", "family: os.system\n", "is no Family"),
    ("family: XGBoost\n", "family: __import__\n", "is no Family"),
    ("name: order_history\n", "name: order_history\n    derived: []\n", "there is no such key"),
    (
        "key: [order_id]",
        "key: [order_id]\n    checks: [{Rule: {called: a, sql: '1 = 1'}}]",
        "Rule is for Python: it holds SQL",
    ),
    (
        "key: [order_id]",
        "key: [order_id]\n    checks: [{PanderaRule: {called: a, schema: os:x}}]",
        "it names code to import",
    ),
    ("key: [order_id]", "key: [order_id]\n    origin: {SQL: {url: x}}", "there is no such key"),
]


@pytest.mark.parametrize(("old", "new", "said"), SINISTER, ids=[said for *_, said in SINISTER])
def test_nothing_can_run(old, new, said):
    with pytest.raises(DeclarationError, match=said):
        changed(old, new)


def test_templates_are_text():
    assert changed("title: Customers who lapse", 'title: "{{ 7 * 7 }}"').nouns[-2].title == "{{ 7 * 7 }}"


class TestFolder:
    def test_every_file_is_a_project(self, tmp_path):
        (tmp_path / "b.yaml").write_text(TEXT)
        (tmp_path / "a.yaml").write_text(TEXT.replace("name: shop\n", "name: bazaar\n"))
        assert [project.name for project in yaml_projects(tmp_path)] == ["bazaar", "shop"]
        assert yaml_projects(tmp_path / "none") == ()
