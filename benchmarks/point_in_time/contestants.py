"""Who is measured, and what each one promises about its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shows = Literal["bytes", "valid", "known"]
"""Nothing but reading; the newest row by event time; the newest row that was known."""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One function of one file in peers/."""

    title: str
    peer: str
    variant: str
    shows: Shows = "valid"
    ordered: bool = False
    """Whether it promises the order of the spine."""
    ours: bool = False

    @property
    def name(self) -> str:
        """How it is asked for."""
        return f"{self.peer}.{self.variant}"


CONTESTANTS = (
    Contestant(title="reading the columns, kept (Arrow)", peer="read_limit", variant="arrow", shows="bytes"),
    Contestant(title="reading the columns, not kept (DuckDB)", peer="read_limit", variant="scan", shows="bytes"),
    Contestant(title="this project, tie-safe", peer="this_project", variant="safe", ordered=True, ours=True),
    Contestant(
        title="this project, bitemporal",
        peer="this_project",
        variant="bitemporal",
        shows="known",
        ordered=True,
        ours=True,
    ),
    Contestant(title="DuckDB ASOF", peer="duckdb_asof", variant="plain"),
    Contestant(title="DuckDB ASOF, ORDER BY", peer="duckdb_asof", variant="ordered", ordered=True),
    Contestant(title="DuckDB, bitemporal by hand", peer="duckdb_asof", variant="bitemporal", shows="known"),
    Contestant(title="Polars, eager", peer="polars_asof", variant="eager"),
    Contestant(title="Polars, eager, sorted back", peer="polars_asof", variant="eager_ordered", ordered=True),
    Contestant(title="Polars, lazy", peer="polars_asof", variant="lazy"),
    Contestant(title="Polars, lazy, sorted back", peer="polars_asof", variant="lazy_ordered", ordered=True),
    Contestant(title="Polars, streaming", peer="polars_asof", variant="streaming"),
    Contestant(title="Polars, streaming, sorted back", peer="polars_asof", variant="streaming_ordered", ordered=True),
    Contestant(title="pandas merge_asof", peer="pandas_asof", variant="plain"),
    Contestant(title="pandas merge_asof, sorted back", peer="pandas_asof", variant="ordered", ordered=True),
    Contestant(title="Feast 0.67, DuckDB store", peer="feast_duckdb", variant="plain"),
)
REFERENCE = {"valid": "duckdb_asof.plain", "known": "duckdb_asof.bitemporal"}
"""Whose rows the others must give."""
