from dataclasses import replace

import pytest

from platform_ml.families import Majority, SingleFeature
from platform_ml.metrics import MAE
from platform_ml.preparations import Clip
from platform_ml.resamplings import Oversample
from platform_ml.selections import LanguageModel, MutualInformation, TreeGain
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import upstream
from platform_ml.testing.declarations import lapse_dataset, lapse_model, shop, spend_dataset, spend_model

CHOICE = FeatureSelection(
    name="lapse_features", description="The best one.", dataset=lapse_dataset, method=MutualInformation(), keep=1
)
SPENT, RECENCY = lapse_dataset.view.feature_names


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"keep": 0}, "keeps nothing: keep=0"),
        ({"keep": 3}, "keep=3, but feature view 'lapse_view' has 2 features"),
        ({"keep": None}, "mutual_information ranks features and drops none. Say keep="),
        ({"keep": None, "method": LanguageModel(otherwise=MutualInformation())}, "language_model ranks features"),
        ({"share": 0.5}, "says both keep and share"),
        ({"keep": None, "share": 0.0}, "share=0.0 has to be above 0"),
        ({"keep": None, "share": 1.5}, "share=1.5 has to be above 0"),
        ({"keep": None, "threshold": float("nan")}, "threshold=nan has to be a finite number"),
        ({"always": (SPENT[:-1],)}, f"has no feature '{SPENT[:-1]}'. Did you mean '{SPENT}'"),
        ({"always": (SPENT, SPENT)}, "declares always 'amount_sum_28d' 2 times"),
        ({"always": (SPENT, RECENCY)}, "keeps 1 features, but 2 are to be kept always"),
        ({"name": "No Name"}, "Feature selection 'No Name'"),
    ],
)
def test_a_wrong_one_cannot_be_made(change, complaint):
    with pytest.raises(DeclarationError) as error:
        replace(CHOICE, **change)
    assert complaint in str(error.value)


def test_a_method_that_decides_needs_no_limit():
    assert "The method says which are kept." in replace(CHOICE, keep=None, method=TreeGain()).rule


def test_the_rule_says_method_and_limits():
    assert replace(CHOICE, keep=None, share=0.4).most == 1
    assert "At most 1 are kept. Always kept: days_since_last_28d." in replace(CHOICE, always=(RECENCY,)).rule
    assert "score of 0.1 or more" in replace(CHOICE, keep=None, threshold=0.1).rule


def test_it_lies_between_dataset_and_model():
    model = replace(lapse_model, features=CHOICE)
    assert upstream(model) == (lapse_dataset, CHOICE)
    assert upstream(CHOICE) == (lapse_dataset,)
    (registration,) = shop.outputs
    evaluation = replace(registration.card.evaluation, model=model)
    output = replace(registration, card=replace(registration.card, evaluation=evaluation))
    project = replace(shop, outputs=(output,))
    nouns = project.nouns
    assert nouns.index(lapse_dataset) < nouns.index(CHOICE) < nouns.index(model)


def test_it_is_part_of_what_a_model_means():
    plain, chosen = lapse_model, replace(lapse_model, features=CHOICE)
    other = replace(lapse_model, features=replace(CHOICE, seed=1))
    assert len({fingerprint(one) for one in (plain, chosen, other)}) == 3
    reworded = replace(lapse_model, features=replace(CHOICE, description="Other words."))
    assert fingerprint(chosen) == fingerprint(reworded)
    assert fingerprint(replace(plain, features=None, resampling=None, ablations=())) == fingerprint(plain)


def test_a_model_of_another_dataset_is_refused():
    with pytest.raises(
        DeclarationError, match="'spend_model' learns from dataset 'spend_dataset' of view 'spend_view'"
    ):
        replace(spend_model, features=CHOICE)
    longer = replace(lapse_dataset, history_days=130)
    with pytest.raises(DeclarationError, match="or from another declaration of it"):
        replace(lapse_model, features=replace(CHOICE, dataset=longer))
    assert replace(CHOICE, dataset=spend_dataset).dataset is spend_dataset


def test_a_family_that_names_its_features_takes_no_choice():
    with pytest.raises(DeclarationError, match="says itself which features"):
        replace(lapse_model, family=SingleFeature(feature=RECENCY), features=CHOICE)
    with pytest.raises(DeclarationError, match="says itself which features"):
        replace(lapse_model, family=Majority(), features=CHOICE)


def test_rows_are_drawn_again_of_classes_only_and_not_weighed_besides():
    assert replace(lapse_model, resampling=Oversample()).resampling == Oversample()
    with pytest.raises(DeclarationError, match="resampling 'oversample' is for a binary label"):
        replace(spend_model, resampling=Oversample(), metric=MAE())
    with pytest.raises(DeclarationError, match="both resampling and positive_weight"):
        replace(lapse_model, resampling=Oversample(), positive_weight=2.0)


def test_preparations_of_what_is_dropped_may_be_declared():
    assert replace(lapse_model, features=CHOICE, preparations=(Clip(of=(SPENT, RECENCY)),)).features is CHOICE
