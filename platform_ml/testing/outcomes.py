"""The laws of outcomes: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.schema import arrow_type
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.features import FIRST, TYPES, Visit, invented, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from platform_ml.spec.label import Outcome


class OutcomeContract:
    """What every outcome promises: an answer for everybody, also for who does nothing."""

    @pytest.fixture
    def outcome(self) -> Outcome:
        """The member under test; its columns are those of `visits`."""
        raise NotImplementedError

    def oracle(self, events: Sequence[Visit]) -> object:
        """The definition in plain Python: `events` are those of one shopper in the horizon."""
        raise NotImplementedError

    @pytest.fixture(params=(1, 2), ids="seed {}".format)
    def events(self, request: pytest.FixtureRequest) -> list[Visit]:
        """Random events of a few shoppers."""
        return [event for event in invented(request.param, events=40) if event.shopper is not None]

    def test_says_what_it_is(self, outcome: Outcome) -> None:
        assert outcome.meaning.endswith(".")
        assert outcome.horizon_days >= 1
        assert str(outcome.horizon_days) in outcome.meaning
        assert set(outcome.columns()) <= set(TYPES)
        assert fingerprint(outcome) == fingerprint(outcome)

    def test_cannot_be_changed(self, outcome: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(outcome, fields(outcome)[0].name, None)

    def test_agrees_with_its_definition(self, outcome: Outcome, events: list[Visit]) -> None:
        shoppers = {event.shopper for event in events}
        expected = {who: self.oracle([event for event in events if event.shopper == who]) for who in shoppers}
        assert found(outcome, events) == expected

    def test_who_does_nothing_has_an_outcome(self, outcome: Outcome) -> None:
        (nothing,) = answer(outcome, [Visit(day=FIRST)], f"SELECT {outcome.sql()} AS value FROM visits WHERE FALSE")
        assert nothing["value"] is not None
        assert nothing["value"] == self.oracle([])

    def test_the_order_of_events_does_not_matter(self, outcome: Outcome, events: list[Visit]) -> None:
        other = np.random.default_rng(7).permutation(len(events))
        assert found(outcome, [events[n] for n in other]) == found(outcome, events)

    def test_it_has_its_type(self, outcome: Outcome, events: list[Visit]) -> None:
        sql = f"SELECT {outcome.sql()} AS value FROM visits"
        rows = DuckDB(threads=1).query(sql, {"visits": table(events)}).table()
        assert str(rows.schema.field("value").type) == str(arrow_type(outcome.result(TYPES)))


def found(outcome: Outcome, events: Sequence[Visit]) -> dict[int, object]:
    """Shopper → outcome."""
    sql = f"SELECT shopper, {outcome.sql()} AS value FROM visits GROUP BY shopper"
    return {row["shopper"]: row["value"] for row in answer(outcome, events, sql)}


def answer(outcome: Outcome, events: Sequence[Visit], sql: str) -> list[dict[str, Any]]:
    """The rows of a query over the columns that the outcome says it reads."""
    rows: pa.Table = table(events).select(["shopper", *(name for name in outcome.columns() if name != "shopper")])
    return DuckDB(threads=1).query(sql, {"visits": rows}).table().to_pylist()
