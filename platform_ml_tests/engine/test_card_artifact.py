"""Which version a card is compared with."""

from dataclasses import replace

import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.card_artifact import check_written, previous_version
from platform_ml.engine.card_change import UNKNOWN
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.ports import Artifact
from platform_ml.spec.errors import Refused, UnreachableError
from platform_ml.testing.declarations import lapse, lapse_card
from platform_ml_tests.engine.test_card_index import of, publish

OLD, NEW, NEWER = "a1" * 32, "b2" * 32, "c3" * 32
CUTOFF = "2024-06-10"


class Registry:
    """Holds one champion; it is told which."""

    def __init__(self, champion=None, *, down=False):
        self.champion, self.down = champion, down

    def promoted(self, name, alias):
        assert (name, alias) == ("lapse", "champion")
        if self.down:
            raise UnreachableError("MLflow does not answer.")
        return self.champion and {"model_digest": self.champion, "evaluation_digest": "e" * 64, "cutoff": "x"}

    def find(self, name, tags):
        return {OLD: "1", NEW: "2"}.get(tags["model_digest"])


@pytest.fixture
def kept(tmp_path):
    return Folders(tmp_path)


def work(kept, registry):
    return Work(
        project="shop",
        platform=Platform(
            landing="", tables=None, compute=None, artifacts=kept, tracker=None, registry=registry, journals=None
        ),
        say=lambda _: None,
    )


def before(kept, registry, digest):
    model = Artifact(folder=kept.root, digest=digest, record={})
    return previous_version(lapse, CUTOFF, model, work=work(kept, registry))


def made(kept, registry, digest):
    """Its card, compared as it was found."""
    card = of(digest, CUTOFF)
    change = before(kept, registry, digest)
    said = change and {"registered": change.registered, "model": change.model, "compared": change.card is not None}
    publish(kept, replace(card, json={**card.json, "change": said}))


def test_the_first_version_has_none_before_it(kept):
    assert before(kept, Registry(), NEW) is None


def test_the_one_in_use_is_the_one_before_with_its_card(kept):
    publish(kept, of(OLD))
    found = before(kept, Registry(OLD), NEW)
    assert (found.registered, found.model) == ("lapse@1", OLD)
    assert found.card["evaluation"]["model_digest"] == OLD


def test_a_card_that_is_made_again_is_compared_with_the_same_version(kept):
    publish(kept, of(OLD))
    made(kept, Registry(OLD), NEW)
    assert before(kept, Registry(NEW), NEW).registered == "lapse@1", "after it took the place of the other"
    assert before(kept, Registry(NEWER), NEW).registered == "lapse@1", "and after others did"


def test_the_first_version_stays_the_first(kept):
    made(kept, Registry(), NEW)
    assert before(kept, Registry(NEW), NEW) is None
    assert before(kept, Registry(NEWER), NEW) is None


def test_a_card_that_is_not_here_and_a_registry_that_is_down(kept):
    gone = before(kept, Registry(OLD), NEW)
    assert (gone.registered, gone.card) == ("lapse@1", None)
    assert before(kept, Registry(down=True), NEW) == UNKNOWN
    made(kept, Registry(down=True), NEW)
    publish(kept, of(OLD))
    assert before(kept, Registry(OLD), NEW).registered == "lapse@1", "asked again when it answers"


@pytest.mark.parametrize("text", ["", "\u200b", "TBD"])
def test_a_published_card_without_words_is_refused(kept, text):
    card = of(NEW)
    check_written(lapse_card, publish(kept, card))
    lacking = replace(card, json=card.json | {"card": card.json["card"] | {"ethics": text}})
    with pytest.raises(Refused, match="'lapse_card' says nothing about ethics"):
        check_written(lapse_card, publish(kept, lacking))
