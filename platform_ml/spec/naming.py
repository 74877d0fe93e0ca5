"""Names are part of paths, SQL and asset keys, so they are plain words from the start."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check_name(noun: str, name: str) -> None:
    """Refuse a name that is not lower_snake_case.

    >>> check_name("Source", "Sales 2017")
    Traceback (most recent call last):
    platform_ml.spec.errors.DeclarationError: Source 'Sales 2017': a name is lower_snake_case ([a-z][a-z0-9_]*), \
at most 63 characters. Try 'sales_2017'.
    """
    if not NAME.fullmatch(name):
        fixed = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:63]
        hint = f" Try {fixed!r}." if NAME.fullmatch(fixed) else ""
        raise DeclarationError(
            f"{noun} {name!r}: a name is lower_snake_case ([a-z][a-z0-9_]*), at most 63 characters.{hint}"
        )


def check_known(where: str, noun: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that nothing declares, with the near miss."""
    all_known = known if isinstance(known, Mapping) else dict.fromkeys(known)
    for name in names:
        if name not in all_known:
            raise DeclarationError(f"{where} has no {noun} {name!r}.{did_you_mean(name, all_known)}")


def check_unique(where: str, noun: str, names: Iterable[str]) -> None:
    """Refuse a name that is declared twice."""
    for name, times in Counter(names).items():
        if times > 1:
            raise DeclarationError(f"{where} declares {noun} {name!r} {times} times. Rename or drop one.")


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "run"), counted(2_000, "run"), counted(0, "delivery", "deliveries")
    ('1 run', '2,000 runs', '0 deliveries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
