"""The laws of simulators: a member's test class inherits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.source import DAY, Simulated

if TYPE_CHECKING:
    from platform_ml.spec.source import Simulator


class SimulatorContract:
    """What every simulator promises."""

    @pytest.fixture
    def simulator(self) -> Simulator:
        """The member under test, of a small world."""
        raise NotImplementedError

    def test_the_same_seed_makes_the_same_rows(self, simulator: Simulator) -> None:
        for table in simulator.tables:
            assert simulator.rows(table).equals(simulator.rows(table))

    def test_rows_with_time_come_in_the_order_of_days(self, simulator: Simulator) -> None:
        for table in simulator.tables:
            rows = simulator.rows(table)
            assert rows.num_rows
            if DAY in rows.column_names:
                days = rows[DAY].to_pylist()
                assert days == sorted(days)

    def test_it_is_declared(self, simulator: Simulator) -> None:
        assert fingerprint(simulator) == fingerprint(simulator)
        assert Simulated(by=simulator, table=simulator.tables[0]).table == simulator.tables[0]
        with pytest.raises(DeclarationError, match="has no table 'no_such_table'"):
            Simulated(by=simulator, table="no_such_table")
