"""The laws of preparations: a member's test class inherits them."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from platform_ml.spec.preparation import Preparation


def rows(seed: int, count: int = 300) -> pa.Table:
    """A number, a whole number and a text, a tenth of each null."""
    draw = np.random.default_rng(seed)
    gone = draw.random((count, 3)) < 0.1
    return pa.table(
        {
            "amount": pa.array(draw.normal(10, 3, count), mask=gone[:, 0]),
            "visits": pa.array(draw.integers(0, 50, count), mask=gone[:, 1]),
            "shop": pa.array(draw.choice(["north", "south", "é"], count), pa.string(), mask=gone[:, 2]),
        }
    )


class PreparationContract:
    """What every preparation promises."""

    @pytest.fixture
    def preparation(self) -> Preparation:
        """The member under test."""
        raise NotImplementedError

    def test_says_what_it_is(self, preparation: Preparation) -> None:
        check_name("Preparation", preparation.name)
        assert preparation.rule.endswith(".")
        assert all(name in preparation.rule for name in preparation.of)
        assert fingerprint(preparation) == fingerprint(preparation)

    def test_cannot_be_changed(self, preparation: Any) -> None:
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            preparation.anything = 1

    def test_its_declaration_can_be_written_down(self, preparation: Preparation) -> None:
        kind = type(preparation)
        assert eval(repr(preparation), {kind.__name__: kind}) == preparation  # noqa: S307 - our own repr

    def test_only_its_features_change_and_stay_where_they_are(self, preparation: Preparation) -> None:
        given = rows(1)
        prepared = preparation.apply(given, preparation.fit(given))
        assert prepared.column_names == given.column_names
        for name in set(given.column_names) - set(preparation.of):
            assert prepared[name].equals(given[name])
        assert any(not prepared[name].equals(given[name]) for name in preparation.of)

    def test_what_it_learned_is_plain_json(self, preparation: Preparation) -> None:
        state = preparation.fit(rows(1))
        again = json.loads(json.dumps(state, allow_nan=False))
        assert preparation.apply(rows(2), again).equals(preparation.apply(rows(2), state))

    def test_training_rows_alone_decide(self, preparation: Preparation) -> None:
        state = preparation.fit(rows(1))
        unlike = pa.concat_tables([rows(2), rows(3, 7)])
        assert preparation.apply(unlike, state).slice(0, 300).equals(preparation.apply(rows(2), state))

    def test_a_row_comes_out_alike_alone_and_among_others(self, preparation: Preparation) -> None:
        state = preparation.fit(rows(1))
        together = preparation.apply(rows(2), state)
        for row in range(10):
            alone = preparation.apply(rows(2).slice(row, 1), state)
            assert alone.to_pylist() == together.slice(row, 1).to_pylist()

    def test_no_rows_are_no_rows(self, preparation: Preparation) -> None:
        assert preparation.apply(rows(2).slice(0, 0), preparation.fit(rows(1))).num_rows == 0

    def test_a_missing_feature_is_named(self, preparation: Preparation) -> None:
        with pytest.raises(RowsError, match=f"no feature '{preparation.of[0]}'"):
            preparation.fit(rows(1).drop_columns([preparation.of[0]]))

    def test_another_type_is_refused_by_name(self, preparation: Preparation) -> None:
        name, given = preparation.of[0], rows(1)
        place = given.column_names.index(name)
        timed = given.set_column(place, name, pa.nulls(300, pa.timestamp("us")))
        with pytest.raises(RowsError, match=f"feature '{name}' is timestamp"):
            preparation.fit(timed)

    def test_of_nothing_or_of_one_twice_is_refused(self, preparation: Any) -> None:
        for of in ((), ("amount", "amount")):
            with pytest.raises(DeclarationError, match="of="):
                replace(preparation, of=of)
