"""How a card writes numbers, moments and other people's words; the filters of its templates."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIGITS = 4
"""Significant digits of the largest number that is compared; smaller ones keep its decimal places."""
MINUS = "\N{MINUS SIGN}"
MOST_PLACES = 8
SPECIAL = re.compile(r"([\\`*_\[\]!|~$])")
BULLET = "- "


def places(numbers: Iterable[float | None]) -> int:
    """The decimal places at which the largest of these numbers has four digits.

    >>> places([0.8741, 0.0312]), places([123.4]), places([])
    (4, 1, 4)
    """
    found = [abs(value) for value in numbers if value]
    if not found:
        return DIGITS
    return min(MOST_PLACES, max(0, DIGITS - 1 - math.floor(math.log10(max(found)))))


def number(value: float | None, at: int | None = None, *, signed: bool = False) -> str:
    """A number with `at` decimal places, or four significant digits; a whole number in full.

    >>> number(0.87412), number(12345.6), number(0.00001234), number(2.5, 2, signed=True), number(None)
    ('0.8741', '12,350', '0.00001234', '+2.50', 'not defined')
    >>> number(-3) == MINUS + "3"
    True
    """
    if value is None or not math.isfinite(value):
        return "not defined"
    if isinstance(value, int) and at is None:
        text = f"{abs(value):,}"
    else:
        at = places([value]) if at is None else at
        if not at and value:
            value = round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))
        text = f"{abs(value):,.{at}f}"
    negative = value < 0 and text.strip("0.,") != ""
    return (MINUS if negative else "+" if signed and value > 0 else "") + text


def interval(estimate: Mapping[str, Any], at: int | None = None, *, signed: bool = False) -> str:
    """The 95 % interval of an estimate in brackets; empty where there is none.

    >>> interval({"value": 0.5, "low": 0.41, "high": 0.59})
    '[0.4100, 0.5900]'
    """
    low, high = estimate["low"], estimate["high"]
    if low is None or high is None:
        return ""
    at = places([estimate["value"]]) if at is None else at
    return f"[{number(low, at, signed=signed)}, {number(high, at, signed=signed)}]"


def level(mean: float | None, *, binary: bool) -> str:
    """The mean of a label: the share of true in per cent, or the mean number.

    >>> level(0.172, binary=True), level(302.456, binary=False), level(None, binary=True)
    ('17.20 %', '302.5', 'not defined')
    """
    return f"{number(100 * mean, 2)} %" if binary and mean is not None else number(mean)


def size(count: int) -> str:
    """Bytes in the unit that a reader expects.

    >>> size(812), size(1_250_000)
    ('812 bytes', '1.250 MB')
    """
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{number(count / scale)} {unit}"
    return f"{count} bytes"


def when(moment: str) -> str:
    """An ISO 8601 moment without what says nothing: midnight, seconds, the zone UTC.

    >>> when("2017-11-02T00:00:00+00:00"), when("2017-11-02T14:05:09.123+00:00")
    ('2017-11-02', '2017-11-02 14:05 UTC')
    """
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(?:\+00:00|Z)?", moment)
    if not found:
        return moment
    day, time, seconds = found.groups()
    return day if time == "00:00" and not (seconds or "").strip(":0.") else f"{day} {time} UTC"


def plain(value: Any) -> str:
    """A parameter as it is printed.

    >>> plain(0.0512345), plain(True), plain(None), plain("hist"), plain(6)
    ('0.05123', 'yes', 'not set', 'hist', '6')
    """
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return ", ".join(map(plain, value)) if isinstance(value, list | tuple) else str(value)


def md(text: Any) -> str:
    r"""Words from data for Markdown, in one line: they can be no markup, table edge or HTML.

    >>> md("<b>50|75</b> *K*")
    '&lt;b&gt;50\\|75&lt;/b&gt; \\*K\\*'
    """
    return SPECIAL.sub(r"\\\1", tagless(" ".join(str(text).split())))


def tagless(text: str) -> str:
    """Words from the owner for Markdown: their own paragraphs and lists, but no HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def blocks(text: str) -> list[dict[str, Any]]:
    r"""Owner's words as paragraphs and lists, for HTML.

    >>> blocks("One\nline.\n\n- a\n- b")
    [{'items': [], 'text': 'One line.'}, {'items': ['a', 'b'], 'text': ''}]
    """
    found: list[dict[str, Any]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        listed = all(line.startswith(BULLET) for line in lines)
        items = [line.removeprefix(BULLET) for line in lines] if listed else []
        found.append({"items": items, "text": "" if listed else " ".join(lines)})
    return found
