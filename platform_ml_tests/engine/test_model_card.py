import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import yaml

from platform_ml.engine import model_card as cards
from platform_ml.preparations import Clip, Impute
from platform_ml.spec.errors import Refused
from platform_ml.spec.evaluation import BaselineScore, Estimate, Importance, Slice, SplitScore
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.testing.declarations import lapse, lapse_card, lapse_model, lapse_view, numbers

VOID = {"meta", "br", "wbr", "link", "img", "hr", "input"}
OVERLAP = "The same customers are scored every week."
CARD = replace(
    lapse_card,
    intended_use="Choose whom to write to.\n\nOnly for:\n\n- letters\n- calls",
    out_of_scope="Anything else, such as <script>alert(1)</script> credit.",
    data="Invented | orders.",
    license="MIT",
)
GATES = lapse.gates
EVIL = '"><img src=x onerror=alert(1)> | `a` [b](http://c) *d*'


def near(value, half=0.0171):
    return Estimate(value=value, low=value - half, high=value + half)


def slice_of(value, gap, auc, rows=400):
    metrics = {"roc_auc": auc, "log_loss": near(0.41)}
    return Slice(column="country", value=value, rows=rows, mean=0.2, metrics=metrics, gap=gap)


UNKNOWN = Estimate(value=float("nan"))
TEST_METRICS = {"roc_auc": near(0.8743), "log_loss": near(0.3967)}
RESULT = replace(
    numbers(),
    model_digest="a1" * 32,
    dataset_digest="b2" * 32,
    splits={
        "train": SplitScore(rows=41_382, mean=6_311 / 41_382, first="", last="", metrics={"roc_auc": near(0.9312)}),
        "validation": SplitScore(rows=9_712, mean=1_703 / 9_712, first="", last="", metrics=TEST_METRICS),
        "test": SplitScore(rows=2_434, mean=419 / 2_434, first="", last="", metrics=TEST_METRICS),
    },
    slices=(
        slice_of("AT", near(-0.0312), near(0.8431)),
        slice_of(EVIL, near(0.0123), near(0.8866)),
        slice_of("LI", UNKNOWN, UNKNOWN, rows=6),
    ),
    baselines={
        "recency": BaselineScore(metrics={"roc_auc": near(0.8271)}, lead={"roc_auc": near(0.0472)}),
        "majority": BaselineScore(metrics={"roc_auc": Estimate(value=0.5)}, lead={"roc_auc": UNKNOWN}),
    },
    importance=(Importance(feature="amount_sum_28d", mean_abs_shap=0.7123, meaning=""),),
    curves={"roc": ((0.0, 0.0), (0.2, 0.81), (1.0, 1.0)), "calibration": ((0.1, 0.12), (0.6, 0.55))},
    latency_ms={"p50": 0.1342, "p95": 0.2214, "p99": 0.5127},
    size_bytes=412_345,
)
PROVENANCE = cards.Provenance(
    tables=(
        cards.TableUsed(
            asset="shop/orders", table="shop/orders", version=365, partitions=("2024-01-01", "2024-06-09"), rows=98_765,
            content="c3" * 32,
        ),
        cards.TableUsed(
            asset="shop/customers", table="shop/customers", version=2, partitions=("all",), rows=321, content="d4" * 32
        ),
    ),
    dataset=cards.DatasetUsed(
        digest="b2" * 32,
        splits={
            "train": cards.SplitRange(rows=41_382, first="2023-06-12", last="2024-04-15"),
            "validation": cards.SplitRange(rows=9_712, first="2024-05-20", last="2024-05-27"),
            "test": cards.SplitRange(rows=2_434, first="2024-06-10T00:00:00+00:00", last="2024-06-10"),
        },
        gap_days=14,
        rule="Test on the cutoff.",
        history_days=365,
        windows_may_overlap=OVERLAP,
        not_point_in_time=("customer_profile",),
        lookback_days={"amount_sum_28d": 28},
    ),
    model=cards.ModelUsed(
        digest="a1" * 32,
        files={"model.json": "f6" * 32, "model.ubj": "e5" * 32},
        params={"max_depth": 4, "learning_rate": 0.0512345, "missing": float("nan"), "monotone": None},
        search=cards.SearchDone(trials=20, pruned=9, best_trial=13, best_score=0.8812),
        registered_as="lapse@champion",
    ),
    code=cards.CodeUsed(
        git_commit="0123456789abcdef", dirty=True, lock_hash="9b" * 32, platform_version="0.1.0",
        python_version="3.11.9", fingerprint=fingerprint(CARD),
    ),
    dagster_run_id="dagster-run",
    mlflow_run_id="mlflow-run",
    created="2024-06-11T04:12:09+00:00",
)  # fmt: skip
PLAIN = replace(RESULT, slices=(), importance=(), curves={})
"""Numbers without a picture: their card is quickly rendered."""
FAILED = Verdict(gate="slices_within_roc_auc", outcome=Outcome.FAILED, reason="AT is too low.", advice="Look at AT.")


def rendered(card=CARD, result=RESULT, verdicts=None, gates=GATES, provenance=PROVENANCE, previous=None):
    judged = [gate.judge(result) for gate in gates] if verdicts is None else verdicts
    return cards.render(card, result=result, verdicts=judged, gates=gates, provenance=provenance, previous=previous)


@pytest.fixture(scope="module")
def good():
    return rendered()


@pytest.fixture(scope="module")
def bad():
    return rendered(verdicts=[*(gate.judge(RESULT) for gate in GATES[:2]), FAILED])


class Page(HTMLParser):
    """Refuses tags that do not nest, and collects what a reader meets."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def all(self, *names):
        return [attrs for tag, attrs in self.tags if tag in names]


def forms(card):
    return {"markdown": card.markdown, "html": card.html, "json": json.dumps(card.json, ensure_ascii=False)}


def test_equal_arguments_give_equal_bytes(good):
    assert rendered() == good


def test_html_is_one_well_formed_file_that_needs_no_other(good):
    page = Page(good.html)
    assert len(good.html.encode()) < 2_000_000
    assert not page.all("script", "link", "img", "iframe")
    assert not re.search(r'(?:src|href)="(?!#)', good.html)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for attrs in page.all("a")} <= set(ids)


def test_html_can_be_read_without_seeing_it(good):
    page = Page(good.html)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attrs.get("scope") for attrs in page.all("th"))
    pictures = [attrs for _, attrs in page.tags if attrs.get("role") == "img"]
    assert len(pictures) == len(page.all("svg")) == len(good.plots) + 1
    assert all(len(attrs["aria-label"]) > 20 for attrs in pictures)
    assert page.all("html") == [{"lang": "en"}]


def test_nothing_unfinished_is_left(good, bad):
    for card in (good, bad):
        for text in (card.markdown, " ".join(Page(card.html).words), cards.dagster_markdown(card)):
            assert not re.search(r"\bNone\b|\bnan\b|\{\{|\}\}|\{%|Undefined|&amp;(?:lt|gt|amp|quot);", text)


def test_words_from_owner_and_data_cannot_become_markup(good):
    page = Page(good.html)
    assert not page.all("script", "img")
    assert "Anything else, such as <script>alert(1)</script> credit." in "".join(page.words)
    assert EVIL in "".join(page.words)
    assert "<script" not in good.markdown
    assert "<img" not in good.markdown
    line = next(line for line in good.markdown.splitlines() if line.startswith('| country = "'))
    assert len(re.findall(r"(?<!\\)\|", line)) == 7
    assert r"\[b\](http://c)" in line


def test_the_file_says_at_the_top_that_all_gates_passed(good):
    assert good.json["approved"] is True
    for text in (good.markdown, good.html):
        assert "Approved: all 3 gates passed." in text
        assert text.index("Approved: all 3") < text.index("Intended use")
        assert "Not approved" not in text


def test_gates_that_did_not_pass_come_first_and_in_words(bad):
    assert bad.json["approved"] is False
    assert bad.json["gates"][0]["name"] == FAILED.gate
    words = " ".join("".join(Page(bad.html).words).split())
    sentence = "Not approved: 1 of 3 gates did not pass: slices_within_roc_auc (failed)."
    assert (
        words.index(sentence) < words.index("(failed): AT is too low. Look at AT.") < words.index("Intended use Choose")
    )
    top = bad.markdown.split("## Intended use")[0].replace("\\", "")
    assert sentence in top
    assert "AT is too low. Look at AT." in top


def test_a_gate_without_verdict_did_not_pass():
    card = rendered(verdicts=[GATES[0].judge(RESULT)])
    assert card.json["status"].startswith(
        "Not approved: 2 of 3 gates did not pass: beats_recency_on_roc_auc (not judged)"
    )


def test_only_an_approved_model_is_looked_up_in_the_registry(good, bad):
    assert 'load_model("lapse@champion")' in good.json["usage"]
    assert "lapse@champion" not in bad.json["usage"]


def test_a_model_without_any_gate_is_not_approved():
    card = rendered(gates=(), verdicts=())
    assert card.json["approved"] is False
    assert "Not approved: no gate has judged this model." in card.html


CHANGES = {
    "test metric": (lambda r: with_test(r, roc_auc=near(0.7654)), "0.7654"),
    "interval": (lambda r: with_test(r, roc_auc=Estimate(value=0.8743, low=0.6543, high=0.9)), "0.6543"),
    "slice gap": (lambda r: replace(r, slices=(slice_of("AT", near(-0.0678), near(0.8)),)), "0.0678"),
    "slice rows": (lambda r: replace(r, slices=(slice_of("AT", near(0.01), near(0.8), rows=777),)), "777"),
    "baseline": (lambda r: with_baseline(r, metrics={"roc_auc": near(0.7117)}), "0.7117"),
    "lead": (lambda r: with_baseline(r, lead={"roc_auc": near(0.0613)}), "0.0613"),
    "importance": (lambda r: replace(r, importance=(replace(r.importance[0], mean_abs_shap=0.3219),)), "0.3219"),
    "latency": (lambda r: replace(r, latency_ms={"p50": 0.1, "p95": 0.6161, "p99": 0.7}), "0.6161"),
    "size": (lambda r: replace(r, size_bytes=777_100), "777"),
    "cutoff": (lambda r: replace(r, cutoff="2025-01-06"), "2025-01-06"),
    "calibration": (lambda r: replace(r, curves=dict(r.curves) | {"calibration": ((0.1, 0.4321),)}), "0.4321"),
}


def with_test(result, **metrics):
    test = replace(result.splits["test"], metrics=dict(TEST_METRICS) | metrics)
    return replace(result, splits=dict(result.splits) | {"test": test})


def with_baseline(result, **changes):
    return replace(
        result, baselines=dict(result.baselines) | {"recency": replace(result.baselines["recency"], **changes)}
    )


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_number_is_changed_in_all_forms(change, good):
    changed, shown = CHANGES[change]
    before, after = forms(good), forms(rendered(result=changed(RESULT)))
    for name, text in after.items():
        assert shown not in re.sub(r"[0-9a-f]{12,}", "", before[name]), name
        assert shown in text, name


def test_provenance_reaches_all_forms(good):
    for text in forms(good).values():
        for part in ("0123456789abcdef", "9b" * 32, "e5" * 32, "b2" * 32, "dagster-run", "mlflow-run", "c3" * 6, "365"):
            assert part in text
    assert "98,765" in good.html
    assert "changes that were not committed" in good.html
    assert "2024-01-01 to 2024-06-09" in good.markdown


def test_leak_questions_are_answered_in_the_open(good):
    for text in (good.html, good.markdown):
        assert "Windows overlap." in text
        assert OVERLAP in text
        assert "Not point in time: customer" in text
    careful = replace(PROVENANCE.dataset, windows_may_overlap=None, not_point_in_time=())
    card = rendered(provenance=replace(PROVENANCE, dataset=careful))
    assert "Windows overlap." not in card.html
    assert "never later" in card.html
    assert "never later" in card.markdown


def test_slices_without_enough_data_say_so(good):
    line = next(line for line in good.markdown.splitlines() if line.startswith("| country = LI"))
    assert line.count("not enough data") == 2
    assert "not enough data" in good.html


def test_front_matter_is_what_model_hubs_read(good):
    metadata = yaml.safe_load(good.markdown.split("---\n")[1])
    assert metadata["license"] == "mit"
    assert metadata["library_name"] == "xgboost"
    assert metadata["pipeline_tag"] == "tabular-classification"
    (entry,) = metadata["model-index"]
    assert entry["results"][0]["dataset"]["revision"] == "b2" * 32
    assert {m["type"]: m["value"] for m in entry["results"][0]["metrics"]} == {"roc_auc": 0.8743, "log_loss": 0.3967}


def test_tables_of_the_markdown_have_as_many_cells_in_every_row(good):
    tables = re.findall(r"(?:^\|.*\n)+", good.markdown, flags=re.MULTILINE)
    assert len(tables) >= 9
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_features_say_meaning_unit_and_look_back(good):
    shown = {feature["name"]: feature for feature in good.json["features"]}
    assert shown["amount_sum_28d"]["reads"] == ["amount (EUR)"]
    assert shown["amount_sum_28d"]["lookback_days"] == 28
    assert shown["days_since_last_28d"]["reads"] == ["rows of orders"]
    assert shown["days_since_last_28d"]["mean_abs_shap"] is None


@pytest.mark.parametrize(
    "change",
    [{"model_digest": "x"}, {"dataset_digest": "y"}, {"policy_digest": "z"}],
    ids=lambda change: next(iter(change)),
)
def test_numbers_of_something_else_are_refused(change):
    with pytest.raises(Refused, match=r"'lapse_card': the evaluation is of (model|dataset|declaration) '[xyz]'"):
        rendered(result=replace(RESULT, **change))


def test_files_are_ready_to_publish(good):
    assert list(good.files)[:3] == ["README.md", "card.html", "card.json"]
    assert json.loads(good.files["card.json"]) == good.json
    for target in re.findall(r"!\[.*\]\((.+)\)", good.markdown):
        assert target in good.files


def test_the_summary_is_short_and_has_pictures(bad):
    text = cards.dagster_markdown(bad)
    assert len(text.encode()) < cards.SUMMARY_LIMIT
    assert "data:image/svg+xml;base64," in text
    assert "0.8743" in text
    assert text.index("Not approved") < text.index(
        "slices\\_within\\_roc\\_auc | **failed** | AT is too low. Look at AT."
    )


def test_the_summary_drops_pictures_before_it_grows_too_long(good):
    huge = tuple(replace(plot, svg=plot.svg + " " * 50_000) for plot in good.plots)
    assert "data:image" not in cards.dagster_markdown(replace(good, plots=huge))


def test_an_evaluation_with_little_in_it_has_a_card_too():
    sparse = replace(RESULT, slices=(), baselines={}, importance=(), curves={}, latency_ms={})
    card = rendered(result=sparse)
    Page(card.html)
    assert card.plots == ()
    assert "None were declared." in card.markdown
    assert "data:image" not in cards.dagster_markdown(card)


def test_the_card_names_preparations_weights_graph_and_unseen_categories():
    model = replace(
        lapse_model,
        preparations=(Clip(of=(lapse_view.feature_names[0],)), Impute(of=(lapse_view.feature_names[1],), by="mean")),
        positive_weight="balanced",
    )
    evaluation = replace(CARD.evaluation, model=model)
    result = replace(RESULT, policy_digest=fingerprint(evaluation), unseen={"country": 31})
    onnx = "Predicts the same for 800 validation rows, to within 1e-07."
    used = replace(PROVENANCE.model, onnx=onnx, files=PROVENANCE.model.files | {"preparation.json": "e5" * 32})
    card = rendered(replace(CARD, evaluation=evaluation), result, provenance=replace(PROVENANCE, model=used))
    for text in (card.markdown, card.html):
        for words in (
            "clipped at the 0.01 and 0.99 quantiles",
            "nulls filled by the mean of the training rows",
            "as much in all as the others",
            "Predicts the same for 800 validation rows",
            "country that training never saw",
            "31, predicted as if it were missing",
        ):
            assert words in text
    assert "STEPS = [" in card.json["usage"]


def test_it_says_why_the_model_was_trained(good):
    asked = "Manual: somebody asked for it."
    assert (good.json["why"], good.json["provenance"]["reason"]) == (asked, "manual")
    detail = "512 of 500 new labelled rows since cutoff 2024-05-06"
    card = rendered(result=PLAIN, provenance=replace(PROVENANCE, reason="new_data", reason_detail=detail))
    said = f"New data: enough new rows had a known outcome. {detail}."
    assert card.json["why"] == said
    assert f"| Why it was trained | {said} |" in card.markdown.replace("\\", "")
    assert said in " ".join(Page(card.html).words)
