"""What a card says of the delivered files behind its model."""

from dataclasses import replace

from platform_ml.engine.lineage import Sources
from platform_ml_tests.engine.test_model_card import PLAIN, PROVENANCE, Page, rendered

KNOWN = Sources(
    table="shop/orders",
    versions=(3, 4),
    partitions=31,
    files=62,
    size=1_250_000,
    first="2024-06-01T00:00:00+00:00",
    last="2024-06-03T14:05:00+00:00",
    digest="ab" * 32,
)
LOST = replace(KNOWN, table="shop/customers", problem="its log has no version 1")


def test_files_are_counted_source_by_source():
    card = rendered(result=PLAIN, provenance=replace(PROVENANCE, sources=(KNOWN, LOST)))
    row = "| shop/orders | 31 | 62 | 1.250 MB | 2024-06-01 to 2024-06-03 14:05 UTC | `abababababab` |"
    assert row in card.markdown
    assert "| its log has no version 1 |" in card.markdown
    assert '<th scope="row">shop/orders</th><td class="n">31</td><td class="n">62</td>' in card.html
    assert Page(card.html).open == []
    assert card.json["provenance"]["sources"][0]["versions"] == [3, 4]


def test_a_card_from_before_there_was_a_list_says_nothing_of_it():
    assert "Delivered files" not in rendered(result=PLAIN).html
