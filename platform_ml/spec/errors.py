"""The errors that users see. Each says where, what is wrong, and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PlatformError(Exception):
    """Everything that the platform itself raises."""


class DeclarationError(PlatformError):
    """A declaration contradicts itself or another one: raised when it is made, before anything runs."""


class Refused(PlatformError):  # noqa: N818 - a verdict, not a fault
    """A gate did not let a model through."""


class SourceError(PlatformError):
    """What was delivered is missing, unreadable or not as declared."""


class StoreError(PlatformError):
    """A table or dataset on disk cannot be read or written safely."""


class UnreachableError(StoreError):
    """A store does not answer now; the same call may well succeed later."""


class RowsError(PlatformError):
    """Rows that a model cannot learn from or predict: too few, one-sided, infinite, of a wrong type."""


class NotPortable(PlatformError):  # noqa: N818 - a property, not a fault
    """A model has no equal in another format."""


class MissingInputError(PlatformError):
    """Something upstream has not been materialized yet."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The near miss as a sentence, or nothing.

    >>> did_you_mean("km_sum_24d", ["km_sum_42d", "races"])
    " Did you mean 'km_sum_42d'?"
    """
    near = get_close_matches(wrong, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
