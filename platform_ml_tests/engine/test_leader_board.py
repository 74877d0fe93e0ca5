"""What competing families and folds look like on a card and on a leader board."""

from dataclasses import replace

import pytest

from platform_ml.engine import leader_board
from platform_ml.engine.contest import standings
from platform_ml.engine.cross_validation import CrossValidated
from platform_ml.engine.leader_board import markdown, materialize_leader_board
from platform_ml.engine.model_card import dagster_markdown
from platform_ml.engine.tuned_model import train
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml_tests.engine.shop import work_in
from platform_ml_tests.engine.test_contest import COMPETING, at
from platform_ml_tests.engine.test_model_card import CARD, PROVENANCE, RESULT, Page, rendered
from platform_ml_tests.engine.test_tuned_model import Splits, quiet

FOLDED = CrossValidated(
    metric="roc_auc",
    title="ROC AUC",
    rule="Two periods follow each other.",
    stopping="Nothing was stopped.",
    folds=(at(1, 0.81234), replace(at(2, None), reason="Of this fold all labels are 1 | <b>."), at(3, 0.8)),
)
BOARD = LeaderBoard(model=COMPETING)


@pytest.fixture(scope="module")
def contest():
    return standings(train(COMPETING, Splits(), progress=quiet).contest)


@pytest.fixture(scope="module")
def card(contest):
    said = {"family": "linear", "contest": contest, "cross_validation": FOLDED.to_plain(), "advice": "Trees first."}
    evaluation = replace(CARD.evaluation, model=COMPETING)
    found = replace(CARD, evaluation=evaluation)
    provenance = replace(PROVENANCE, model=replace(PROVENANCE.model, **said))
    return rendered(card=found, result=replace(RESULT, policy_digest=fingerprint(evaluation)), provenance=provenance)


def test_the_card_is_of_the_family_that_won(card):
    assert (card.json["model"]["family"], card.json["model"]["library"]) == ("Linear", "linear")
    assert "from platform_ml.families import Linear" in card.json["usage"]
    assert "| Family | Linear |" in card.markdown
    assert "| Kind of model | Trees first. |" in card.markdown


def test_the_card_has_the_leader_board_and_the_folds(card):
    page = Page(card.html)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert {"board", "folds"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for attrs in page.all("a")} <= set(ids)
    words = " ".join("".join(page.words).split())
    assert "linear is chosen. It has" in words
    assert "These rows will not do." in words
    assert "ROC AUC is 0.8062 on average, with a standard deviation of 0.0087 between folds." in words
    assert "Of this fold all labels are 1 | <b>." in words
    assert "0.8123" in words
    assert "### Leader board" in card.markdown
    assert "### Cross-validation" in card.markdown
    assert "Of this fold all labels are 1 \\| &lt;b&gt;." in card.markdown
    assert len(dagster_markdown(card).encode()) < 60_000


def test_every_table_of_markdown_is_whole(contest, card):
    for text in (markdown(contest), card.markdown):
        widths = 0
        for line in text.splitlines():
            count = line.replace("\\|", "").count("|") if line.startswith("|") else 0
            assert not (widths and count) or count == widths, line
            widths = count


def test_a_card_without_them_does_not_mention_them():
    said = rendered()
    for text in (said.markdown, said.html):
        assert "Leader board" not in text
        assert "Cross-validation" not in text


def test_a_leader_board_is_published_as_json_and_as_a_page(contest, tmp_path):
    work = work_in(tmp_path)
    place = work.place("models", COMPETING, "x")
    work.platform.artifacts.publish(place, "a" * 64, {"contest": contest}, lambda folder: None)
    artifact = materialize_leader_board(BOARD, "x", work=work)
    assert leader_board.load(BOARD, "x", work=work) == contest
    assert (artifact.record["model"], artifact.record["chosen"]) == ("a" * 64, "linear")
    page = (artifact.folder / "README.md").read_text()
    assert page.startswith("# lapse_model, cutoff x\n\n**linear is chosen.**")
    assert materialize_leader_board(BOARD, "x", work=work).digest == artifact.digest


def test_without_a_contest_there_is_no_leader_board(tmp_path):
    work = work_in(tmp_path)
    with pytest.raises(MissingInputError, match="lapse_model_leader_board has no partition"):
        leader_board.load(BOARD, "x", work=work)
    work.platform.artifacts.publish(work.place("models", COMPETING, "x"), "a" * 64, {}, lambda folder: None)
    with pytest.raises(MissingInputError, match="was made before families competed for it"):
        materialize_leader_board(BOARD, "x", work=work)
