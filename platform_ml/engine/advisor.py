"""Which kinds of models a number of training rows speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.complexity import Complexity, complexity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.family import Family

FEW, MANY = 10_000_000, 100_000_000
"""Training rows: below the first trees come first, from the second on networks do, between them both are tried."""


def advise(rows: int, families: Sequence[Family]) -> str:
    """The rule of thumb for tables of `rows` training rows, and whether what is declared follows it.

    >>> from platform_ml.families import Linear, XGBoost
    >>> advise(40_000, [XGBoost()])
    '40,000 training rows, fewer than 10 million: trees first. XGBoost is that.'
    >>> advise(40_000, [Linear()])
    '40,000 training rows, fewer than 10 million: trees first. Linear is not: let trees compete with it.'
    """
    kinds = {complexity_of(family) for family in families}
    trees, networks = Complexity.TREES in kinds, Complexity.NETWORK in kinds
    named = " and ".join(dict.fromkeys(type(family).__name__ for family in families))
    those = "are" if len(families) > 1 else "is"
    if rows < FEW:
        said = "fewer than 10 million: trees first"
        does = f"{named} {those} that" if kinds == {Complexity.TREES} else "They are among those that compete"
        lacks = "" if trees else f"{named} {those} not: let trees compete with {'them' if len(families) > 1 else 'it'}"
    elif rows < MANY:
        said = "10 to 100 million: try both trees and networks"
        does = "Both compete"
        lacks = "" if trees and networks else f"Let {'networks' if trees else 'trees'} compete with {named}"
        lacks = lacks if trees or networks else f"Let both compete with {named}"
    else:
        said = "100 million or more: networks first"
        does = f"{named} {those} that" if kinds == {Complexity.NETWORK} else "They are among those that compete"
        lacks = "" if networks else f"{named} {those} not: let a network compete with {named}"
    return f"{rows:,} training rows, {said}. {lacks or does}."
