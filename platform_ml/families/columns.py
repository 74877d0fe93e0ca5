"""What of its rows a family looks at."""

from __future__ import annotations


class EveryColumn:
    """A family that is shown every feature; most are."""

    def columns(self) -> tuple[str, ...] | None:
        """All of them."""
        return None
