"""The laws of outlier rules: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.spec.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from platform_ml.spec.quality import Outliers

CLOSE = 1e-9
LARGEST = 1.7e308


def limits_of(rule: Outliers, values: Sequence[float] | NDArray[Any]) -> tuple[float, float] | None:
    """The limits that DuckDB and the rule draw around these values."""
    rows = pa.table({"x": pa.array(values, pa.float64())})
    (found,) = DuckDB(threads=2).query(f"SELECT {rule.summary('x')} AS s FROM rows", {"rows": rows}).table().to_pylist()
    return rule.limits(found["s"])


class OutliersContract:
    """What every rule promises, whatever the values are."""

    @pytest.fixture
    def rule(self) -> Outliers:
        """The member under test."""
        raise NotImplementedError

    def oracle(self, values: NDArray[Any]) -> tuple[float, float]:
        """The definition in plain numpy."""
        raise NotImplementedError

    @pytest.fixture(params=range(5))
    def values(self, request: pytest.FixtureRequest) -> NDArray[Any]:
        """Skewed values, some of them alike."""
        draw = np.random.default_rng(request.param)
        return np.round(draw.lognormal(2, 1, size=200 + request.param), 1)

    def test_says_what_it_is(self, rule: Outliers) -> None:
        assert rule.rule.endswith(".")
        assert rule.rule[0].isupper()

    def test_cannot_be_changed(self, rule: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(rule, fields(rule)[0].name, 1.0)

    def test_every_setting_is_part_of_the_meaning(self, rule: Any) -> None:
        for setting in fields(rule):
            other = replace(rule, **{setting.name: getattr(rule, setting.name) * 2})
            assert fingerprint(other) != fingerprint(rule)

    def test_draws_the_limits_of_its_definition(self, rule: Outliers, values: NDArray[Any]) -> None:
        assert limits_of(rule, values) == pytest.approx(self.oracle(values), rel=CLOSE)

    def test_the_order_of_rows_does_not_matter(self, rule: Outliers, values: NDArray[Any]) -> None:
        assert limits_of(rule, values[::-1]) == limits_of(rule, np.sort(values)) == limits_of(rule, values)

    def test_limits_move_with_the_values(self, rule: Outliers, values: NDArray[Any]) -> None:
        found = limits_of(rule, values)
        assert found is not None
        assert limits_of(rule, 8 * values + 1024) == pytest.approx([8 * end + 1024 for end in found], rel=CLOSE)
        low, high = found
        assert limits_of(rule, -values) == pytest.approx((-high, -low), rel=CLOSE)

    def test_a_fifth_of_wild_values_does_not_draw_them_out(self, rule: Outliers, values: NDArray[Any]) -> None:
        wild = np.sort(values)
        wild[-len(wild) // 5 :] = 1e12
        found = limits_of(rule, wild)
        assert found is not None
        assert -1e6 < found[0] < found[1] < 1e6

    @pytest.mark.parametrize("values", [[1.0] * 50, [0.0] * 49 + [7.0]], ids=["a constant", "all but one"])
    def test_without_spread_there_are_no_limits(self, rule: Outliers, values: list[float]) -> None:
        assert limits_of(rule, values) is None

    def test_the_largest_numbers_are_no_error(self, rule: Outliers) -> None:
        found = limits_of(rule, [-LARGEST, -LARGEST, 0.0, LARGEST, LARGEST])
        assert found is not None
        assert found[0] < found[1]
