from dataclasses import replace
from datetime import date

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import Project
from platform_ml.spec.scores import Scores
from platform_ml.spec.window import Weekly
from platform_ml.testing.declarations import lapse, order_history, shop, spend
from platform_ml_tests.engine.searches import of_classes, of_rankings

LATER = Weekly(first=date(2024, 6, 17), last=date(2024, 6, 24))
SCORES = Scores(name="lapse_scores", description="Who may lapse.", registration=lapse, moments=LATER)


def test_the_view_is_that_of_the_model_at_the_moments_of_the_scores():
    trained = lapse.card.evaluation.model.dataset.view
    assert SCORES.view.label.cadence == SCORES.cadence == LATER
    assert replace(SCORES.view, label=trained.label, helpers=trained.helpers) == trained
    assert replace(SCORES, moments=None).view == replace(trained, helpers=())
    assert replace(SCORES, moments=None).cadence == trained.label.cadence


@pytest.mark.parametrize(
    ("registration", "said"),
    [
        (lapse, ["customer_id", EVENT_TIME, "score"]),
        (spend, ["customer_id", EVENT_TIME, "score"]),
        (of_classes, ["result_id", "search_id", EVENT_TIME, "predicted", "score", "probabilities"]),
        (of_rankings, ["result_id", "search_id", EVENT_TIME, "score", "rank"]),
    ],
)
def test_what_a_row_says_depends_on_what_was_learned(registration, said):
    scores = Scores(name="scores_of_it", description="Scores.", registration=registration)
    assert list(scores.columns) == [*said, "model_version", "model_digest"]
    assert {name for name in said if name not in scores.label.key} <= {*scores.meanings, scores.label.entity}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Lapse scores"}, r"Try 'lapse_scores'"),
        ({"version": 0}, r"version 0: the registry counts from 1"),
        ({"max_psi": 0.0}, r"max_psi 0.0 is no limit"),
        ({"max_unseen": 2.0}, r"max_unseen is a share from 0 to 1, not 2.0"),
        ({"registration": of_classes}, r"label 'action_taken' is of events.*no moments to choose"),
    ],
)
def test_a_wrong_one_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(SCORES, **changes)


def test_what_is_only_judged_makes_no_other_scores():
    assert fingerprint(replace(SCORES, max_psi=0.5, max_unseen=0.5, description="Other.")) == fingerprint(SCORES)
    assert fingerprint(replace(SCORES, version=2)) != fingerprint(SCORES)


def test_a_project_finds_all_that_scores_are_made_of():
    project = Project(name="shop", description="A shop.", owner="team:shop", outputs=(SCORES,))
    assert project.nouns == (*shop.nouns, SCORES)
    assert order_history in project.nouns
    assert project.demo.all(Scores) == (SCORES,)
    assert replace(project, outputs=(lapse, SCORES), demo_without=(SCORES,)).demo.all(Scores) == ()
