"""Any other rule on single rows."""

from __future__ import annotations

from dataclasses import dataclass

from platform_ml.checks.share import ShareOfRows
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_name


@dataclass(frozen=True)
class Rule(ShareOfRows):
    """Every row obeys a DuckDB expression over its columns; a row for which it is null does not."""

    called: str
    sql: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name("Rule", self.called)
        if not self.sql.strip() or ";" in self.sql:
            raise DeclarationError(
                f"Rule {self.called!r}: {self.sql!r} is no expression. Write one, like 'paid <= due'."
            )

    @property
    def name(self) -> str:
        """What it is called."""
        return self.called

    @property
    def fault(self) -> str:
        """What is the matter with a bad row."""
        return f"break the rule {self.sql}"

    def bad(self) -> str:
        """SQL that is true of a bad row."""
        return f"({self.sql}) IS NOT TRUE"
