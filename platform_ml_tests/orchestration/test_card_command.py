"""The card of a model and the index of all, from the command line, after one run of the shop."""

import json
import shutil
from dataclasses import replace

import pytest

from platform_ml import cli
from platform_ml.engine import card_artifact, tuned_model
from platform_ml.gates import AtLeast
from platform_ml.orchestration import card_command
from platform_ml.orchestration.card_index import keep
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.tuners import TPE
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    failures,
    key,
    lapse,
    lapse_card,
    lapse_evaluation,
    lapse_model,
    shop,
)

model = replace(lapse_model, family=replace(lapse_model.family, max_rounds=5), tuner=TPE(trials=1), ablations=())
evaluation = replace(lapse_evaluation, model=model, resamples=20)
card = replace(lapse_card, evaluation=evaluation)
registration = replace(lapse, card=card, gates=(AtLeast(metric="roc_auc", limit=0.05),))
project = replace(shop, outputs=(registration,))


@pytest.fixture(scope="module")
def registered(tmp_path_factory, _built):
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("cards"), dirs_exist_ok=True))
    run = checkout.materialize([model, evaluation, card, registration], project=project, partition=CUTOFF)
    assert run.success, failures(run)
    yield checkout
    checkout.instance.dispose()


@pytest.fixture
def command(registered, monkeypatch, capsys):
    monkeypatch.chdir(registered.folder)
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (project,))

    def run(*arguments):
        code = cli.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def published(registered):
    return card_artifact.load(card, CUTOFF, work=registered.work)


@pytest.mark.parametrize("name", ["lapse@1", "lapse@champion", "lapse@latest", f"lapse_model@{CUTOFF}"])
def test_a_card_is_found_by_version_alias_cutoff_and_latest(command, published, name):
    code, said, _ = command("card", name)
    assert code == 0
    assert said == (published.folder / "README.md").read_text()


def test_it_is_written_as_a_page_and_printed_for_programs(command, published, tmp_path):
    page = tmp_path / "card.html"
    code, said, _ = command("card", "lapse@1", "--html", str(page))
    assert code == 0
    assert str(page) in said
    assert (
        page.read_text() == (published.folder / "card.html").read_text() == command("card", "lapse@1", "--html", "-")[1]
    )
    plain = json.loads(command("card", "lapse@1", "--json")[1])
    assert plain["owner"] == project.owner
    assert plain["training"]["cpu_seconds"] > 0
    assert plain["evaluation"]["model_digest"] == published.record["model"]


def test_people_read_it_in_the_terminal(command, monkeypatch):
    monkeypatch.setattr(card_command.sys.stdout, "isatty", lambda: True)
    said = command("card", "lapse@1")[1]
    assert "Intended use" in said
    assert "model-index" not in said
    assert "## " not in said


def test_what_cannot_be_shown_is_said(command, registered, tmp_path):
    code, _, said = command("card", "laps@1")
    assert code == 1
    assert "Did you mean 'lapse'?" in said
    assert "lapse@7: there is no such version" in command("card", "lapse@7")[2]
    assert "Name a file in a folder that is there" in command("card", "lapse@1", "--html", str(tmp_path / "a" / "b"))[2]
    other = replace(registration, name="other", card=replace(card, name="other_card"))
    missing = replace(project, outputs=(other,))
    reference = card_command.resolve_model("lapse_model@latest", [missing], registered.work.platform.artifacts, list)
    with pytest.raises(card_command.MissingInputError, match=r"has no card\. Materialize the card shop/other_card"):
        card_command._card(reference, registered.platform)


def test_the_index_is_kept_beside_the_data_and_written_where_it_is_wanted(command, registered, tmp_path):
    kept = registered.folder / "data" / "cards" / "index.html"
    digest = tuned_model.load(model, CUTOFF, work=registered.work).digest
    record = registered.instance.fetch_materializations(key(card), limit=1).records[0]
    assert record.asset_materialization.metadata["index"].value == str(kept)
    text = kept.read_text()
    assert "lapse@1" in text, "the registration wrote it again"
    assert digest[:12] in text
    code, said, _ = command("cards", "--html", str(tmp_path / "all.html"))
    assert code == 0
    assert said.strip() == str(tmp_path / "all.html")
    assert (tmp_path / "all.html").read_text().count("<tr>") == text.count("<tr>")


def test_an_index_that_cannot_be_written_stops_no_card(registered, tmp_path):
    broken = shutil.copytree(registered.folder / "data" / "artifacts", tmp_path / "artifacts")
    next(broken.rglob("card.json")).write_text("{")
    said = []
    assert keep(PlatformResource(data=str(tmp_path)), said.append) == "not written"
    assert "card.json cannot be read" in said[0]
    assert not (tmp_path / "cards").exists()
