"""A hyper-parameter is a value or a range: configuration and search space are one thing."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check(self, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check(self, self.low, self.high, log=self.log)


Range = Whole | Between


def settings(declaration: Any) -> dict[str, Any]:
    """The hyper-parameters of a family by name, values and ranges; those of families in it as `xgboost.max_depth`.

    A family that is a field is called as the field, one of several by its name, a second one of that name `xgboost_2`.
    """
    found: dict[str, Any] = {}
    inside = families_in(declaration)
    for field in fields(declaration):
        value = getattr(declaration, field.name)
        if field.name not in inside:
            found[field.name] = value
        elif isinstance(value, tuple):
            for name, member in zip(member_names(value), value, strict=True):
                found |= _prefixed(name, member)
        else:
            found |= _prefixed(field.name, value)
    return found


def families_in(declaration: Any) -> dict[str, Any]:
    """The fields of a family that are families, or several of them."""
    values = {field.name: getattr(declaration, field.name) for field in fields(declaration)}
    return {
        name: value
        for name, value in values.items()
        if _is_family(value) or (isinstance(value, tuple) and value and all(map(_is_family, value)))
    }


def member_names(families: Sequence[Any]) -> tuple[str, ...]:
    """What families that stand beside each other are called: their names, repeated ones with a number.

    >>> from types import SimpleNamespace as Family
    >>> member_names([Family(name="xgboost"), Family(name="linear"), Family(name="xgboost")])
    ('xgboost', 'linear', 'xgboost_2')
    """
    names: list[str] = []
    for family in families:
        before = sum(name == family.name or name.startswith(f"{family.name}_") for name in names)
        names.append(f"{family.name}_{before + 1}" if before else family.name)
    return tuple(names)


def settings_of(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Of all hyper-parameters those of one family in it, without its name.

    >>> settings_of("linear", {"folds": 5, "linear.penalty": 0.1, "linear_2.penalty": 0.2})
    {'penalty': 0.1}
    """
    start = f"{name}."
    return {key.removeprefix(start): value for key, value in params.items() if key.startswith(start)}


def ranges(declaration: Any) -> dict[str, Range]:
    """The hyper-parameters of a family that are searched."""
    return {name: value for name, value in settings(declaration).items() if isinstance(value, Range)}


def _is_family(value: Any) -> bool:
    return is_dataclass(value) and hasattr(value, "fit") and hasattr(value, "tasks")


def _prefixed(name: str, family: Any) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in settings(family).items()}


def _check(owner: Range, low: float, high: float, *, log: bool) -> None:
    if not low < high:
        raise DeclarationError(f"{owner!r}: low must be below high. Use the plain value {low} to fix it.")
    if log and low <= 0:
        raise DeclarationError(f"{owner!r}: a logarithmic range starts above 0.")
