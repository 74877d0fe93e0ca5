"""The laws of ways to rank features: a member's test class inherits them."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.spec.errors import RowsError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import check_name
from platform_ml.spec.selection import About, Asked
from platform_ml.spec.task import BINARY, REGRESSION, Task
from platform_ml.testing.families import invented
from platform_ml.testing.learners import with_shop

if TYPE_CHECKING:
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.selection import Ranking, SelectionMethod


def rows(task: Task = BINARY, count: int = 400) -> SplitRows:
    """Rows whose label follows `recency`, `amount` and `shop`; a tenth of each feature is null."""
    return with_shop(invented(1, rows=count, task=task))


def asked(given: SplitRows, keep: int | None = None) -> Asked:
    """What is declared of them."""
    about = {name: About(meaning=f"{name} of a customer.", made_of="customers") for name in given.features.column_names}
    return Asked(predicts="Whether a customer lapses.", features=about, keep=keep)


class SelectionContract:
    """What every way to rank features promises."""

    finds: tuple[str, ...] = ("recency", "amount", "shop")
    """What has to rank before noise."""

    @pytest.fixture
    def method(self) -> SelectionMethod:
        """The member under test."""
        raise NotImplementedError

    def rank(self, method: SelectionMethod, given: SplitRows, seed: int = 7, keep: int | None = None) -> Ranking:
        """Rank the columns of these rows."""
        return method.rank(given, asked(given, keep), seed=seed)

    def test_says_what_it_is(self, method: SelectionMethod) -> None:
        check_name("Selection method", method.name)
        assert method.rule.endswith(".")
        assert isinstance(method.decides, bool)
        assert fingerprint(method) == fingerprint(method)

    def test_cannot_be_changed(self, method: Any) -> None:
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            method.anything = 1

    @pytest.mark.parametrize("task", [BINARY, REGRESSION])
    def test_ranks_every_feature_once_with_a_reason(self, method: SelectionMethod, task: Task) -> None:
        given = rows(task)
        ranking = self.rank(method, given)
        assert sorted(one.feature for one in ranking.features) == sorted(given.features.column_names)
        assert ranking.method == method.name
        scores = [one.score for one in ranking.features]
        assert all(math.isfinite(score) for score in scores)
        assert all(one.reason.endswith((".", "…")) for one in ranking.features)
        kept = [one.score for one in ranking.features if not one.drop]
        assert kept == sorted(kept, reverse=True)
        assert [one.drop for one in ranking.features] == sorted(one.drop for one in ranking.features)
        assert method.decides or not any(one.drop for one in ranking.features)

    @pytest.mark.parametrize("task", [BINARY, REGRESSION])
    def test_what_matters_ranks_before_noise(self, method: SelectionMethod, task: Task) -> None:
        order = [one.feature for one in self.rank(method, rows(task)).features]
        assert max(order.index(name) for name in self.finds) < order.index("noise")

    def test_the_same_seed_gives_the_same_ranking(self, method: SelectionMethod) -> None:
        given = rows()
        before = dict(given.cache), given.features.schema
        assert self.rank(method, given) == self.rank(method, replace(given, cache={}))
        assert (dict(given.cache), given.features.schema) == before

    def test_the_unit_of_a_feature_does_not_matter_much(self, method: SelectionMethod) -> None:
        given = rows()
        place = given.features.column_names.index("amount")
        scaled = pa.array(given.features["amount"].to_numpy(zero_copy_only=False) * 1000, from_pandas=True)
        other = replace(given, features=given.features.set_column(place, "amount", scaled))
        first, second = ({one.feature: one.score for one in self.rank(method, one).features} for one in (given, other))
        assert first["amount"] == pytest.approx(second["amount"], rel=0.05)

    @pytest.mark.parametrize(
        ("values", "complaint"),
        [
            (pa.array([float("inf")] + [0.0] * 399), "infinite"),
            (pa.array([0, 1] * 200, pa.timestamp("us")), "timestamp"),
        ],
    )
    def test_bad_features_are_refused_by_name(self, method: SelectionMethod, values: pa.Array, complaint: str) -> None:
        given = rows()
        place = given.features.column_names.index("noise")
        bad = replace(given, features=given.features.set_column(place, "noise", values))
        with pytest.raises(RowsError, match=rf"'noise'.*{complaint}"):
            self.rank(method, bad)

    def test_one_feature_is_ranked(self, method: SelectionMethod) -> None:
        given = rows()
        ranking = self.rank(method, replace(given, features=given.features.select(["amount"])), keep=1)
        assert [one.feature for one in ranking.features] == ["amount"]

    def test_several_classes_are_no_numbers(self, method: SelectionMethod) -> None:
        given = rows()
        classes = np.where(given.label == 1, np.where(np.arange(400) % 2, 2.0, 1.0), 0.0)
        order = [one.feature for one in self.rank(method, replace(given, label=classes)).features]
        assert len(order) == len(given.features.column_names)
