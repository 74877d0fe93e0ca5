import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine import card_index as index
from platform_ml.engine.tracked import RegisteredVersion
from platform_ml.spec.errors import StoreError
from platform_ml.testing.declarations import lapse
from platform_ml_tests.engine.test_card_of_gates import CARD, GATES, JUDGED, WAIVER
from platform_ml_tests.engine.test_model_card import FAILED, PLAIN, PROVENANCE, Page, rendered

OWN = lapse.gates[:2]


def of(digest, cutoff="2024-06-10", *, verdicts=None, result=PLAIN, card=CARD, gates=OWN):
    """The card of another model."""
    provenance = replace(PROVENANCE, model=replace(PROVENANCE.model, digest=digest))
    changed = replace(result, model_digest=digest, cutoff=cutoff)
    return rendered(card, changed, verdicts=verdicts, gates=gates, provenance=provenance)


def publish(artifacts, card, *, project="shop"):
    digest, cutoff = card.json["evaluation"]["model_digest"], card.json["evaluation"]["cutoff"]
    record = {"card": card.json["card"]["name"], "cutoff": cutoff, "model": digest, "evaluation": "e" * 64}

    def fill(folder):
        for name, text in card.files.items():
            (folder / name).write_text(text)

    place = f"cards/{project}/{card.json['card']['name']}/{cutoff}"
    return artifacts.publish(place, f"{len(artifacts.versions('cards')):02d}" + digest[2:], record, fill)


def version(number, digest, *aliases):
    return RegisteredVersion(
        name="lapse",
        version=number,
        aliases=aliases,
        status="READY",
        registered=datetime(2024, 7, 1, tzinfo=UTC),
        run_id="r",
        tags={"model_digest": digest},
    )


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A registered model, a candidate, one that failed a gate, one with a waiver, and one without a card."""
    kept = Folders(tmp_path_factory.mktemp("artifacts"))
    waiving = replace(lapse, card=CARD, gates=GATES, waivers=(replace(WAIVER, expires=date(2999, 1, 1)),))
    judged = replace(JUDGED, slices=(), importance=(), curves={})
    publish(kept, of("a1" * 32, "2024-06-03"))
    publish(kept, of("b2" * 32))
    publish(kept, of("c3" * 32, verdicts=[*(gate.judge(PLAIN) for gate in OWN), FAILED]))
    publish(kept, of("d4" * 32, result=judged, verdicts=_waived(waiving, judged), gates=GATES), project="other")
    record = {
        "model": "lapse_model",
        "cutoff": "2024-06-17",
        "dataset": "5" * 64,
        "made_at": "2024-06-17T00:00:00+00:00",
    }
    kept.publish("models/shop/lapse_model/2024-06-17", "e5" * 32, record, lambda folder: None)
    return kept


def _waived(registration, result):
    return [replace(verdict, bound_to=None) for verdict in registration.judge(result)]


@pytest.fixture(scope="module")
def found(artifacts):
    return index.entries(artifacts, [version(3, "a1" * 32, "champion"), version(2, "a1" * 32)])


def test_every_model_is_there_with_its_status(found):
    said = {one.digest[:2]: one.status for one in found}
    assert said == {"a1": "registered", "b2": "candidate", "c3": "failed gates", "d4": "candidate", "e5": "no card"}
    assert [one.project for one in found] == ["other", *["shop"] * 4]
    assert [one.cutoff for one in found[1:]] == ["2024-06-17", "2024-06-10", "2024-06-10", "2024-06-03"]


def test_gates_versions_and_numbers_are_those_of_the_card(found):
    known = {one.digest[:2]: one for one in found}
    assert known["a1"].versions == ("lapse@3", "lapse@2")
    assert known["a1"].aliases == ("champion",)
    assert known["a1"].estimate == {"value": 0.8743, "low": pytest.approx(0.8572), "high": pytest.approx(0.8914)}
    assert (known["b2"].passed, known["b2"].failed, known["b2"].waived) == (2, 0, 0)
    assert (known["c3"].passed, known["c3"].failed, known["c3"].stopped) == (2, 1, (FAILED.gate,))
    assert (known["d4"].passed, known["d4"].advised, known["d4"].waived) == (1, 1, 1)
    assert known["e5"].estimate is None


def test_of_a_model_the_newest_card_counts(tmp_path):
    kept = Folders(tmp_path)
    publish(kept, of("a1" * 32, verdicts=[FAILED]))
    publish(kept, of("a1" * 32))
    assert [one.status for one in index.entries(kept, [])] == ["candidate"]


def test_the_page_links_to_every_card_from_where_it_lies(found, artifacts):
    home = artifacts.root.parent / "cards"
    text = index.html(found, beside=home)
    index.write(home / index.PAGE, text)
    page = Page(text)
    links = [attrs["href"] for attrs in page.all("a") if not attrs["href"].startswith("#")]
    assert len(links) == 4
    assert all((home / link).is_file() for link in links)
    words = " ".join(" ".join(page.words).split())
    assert "5 models: 1 registered, 2 not registered yet, 1 with failed gates, 1 without a card" in words
    assert "0.8743" in words
    assert "lapse@3" in words
    assert "1 waived" in words
    assert not page.all("script", "link", "img")
    assert [re.sub(r"\D", "", tag) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)] == ["1", "2", "2"]
    assert all(attrs.get("scope") for attrs in page.all("th"))
    assert [file.name for file in home.iterdir()] == [index.PAGE], "nothing is left beside it"


def test_without_models_or_registry_the_page_says_so(tmp_path):
    text = index.html([], beside=tmp_path, note=index.NO_ANSWER)
    Page(text)
    assert "No model was published yet." in text
    assert index.NO_ANSWER in text


def test_where_it_cannot_be_written_says_where(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"index\.html cannot be written: .*Name a file in a folder of yours"):
        index.write(tmp_path / "file" / index.PAGE, "text")


def test_an_entry_is_what_the_card_says(found, artifacts):
    folder = found[0].card.parent
    said = json.loads((folder / "card.json").read_text())
    assert found[0].title == said["card"]["title"]
    assert found[0].metric == said["headline"]["title"]
