"""A case as the project's declarations, and the engine's answer to it. The only page here that knows the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_ml_tests.point_in_time.case import Case


def answer(case: Case, threads: int) -> list[dict[str, Any]]:
    """The engine's rows for a case, at a number of threads."""
    raise NotImplementedError
