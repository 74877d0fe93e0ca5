import pytest

from platform_ml import variant
from platform_ml.spec.errors import DeclarationError
from platform_ml_tests.engine.shop import SHOP

(registered,) = SHOP.outputs


def test_every_noun_has_a_name_of_its_own_and_the_rest_is_as_it_was():
    made = variant(registered, "other", card={"title": "Another title"}, model={"seed": 99})
    evaluation = made.card.evaluation
    names = [made.name, made.card.name, evaluation.name, evaluation.model.name, evaluation.model.dataset.name]
    assert names == ["other", "other_card", "other_evaluation", "other_model", "other_dataset"]
    assert evaluation.model.dataset.view.name == "other_view"
    assert (made.card.title, evaluation.model.seed) == ("Another title", 99)
    assert made.gates == registered.gates
    assert made.card.limits == registered.card.limits


def test_what_is_no_noun_of_the_path_is_refused():
    with pytest.raises(DeclarationError, match="Did you mean 'model'"):
        variant(registered, "other", modle={})
