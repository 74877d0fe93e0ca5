"""Which files belong to which partition, by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELD = re.compile(r"\{key(?::([^{}]*))?\}")
DIGITS = {"Y": r"\d{4}", "m": r"\d\d", "d": r"\d\d"}
SOME_DAY = re.compile(r"(?<!\d)(\d{4})[-_.]?(\d\d?)[-_.]?(\d\d?)(?!\d)")
"""However a supplier may write a day."""
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".uploading", ".writing", "~")
"""What programs add to the name of a file that they still write."""


@dataclass(frozen=True)
class Pattern:
    """Names with a day in them: `{key}` is 2024-01-31, `{key:%Y%m%d}` is 20240131, `*` and `?` are as in a shell."""

    text: str

    @property
    def is_one(self) -> bool:
        """Whether a partition is one file, whose name is known."""
        return not re.search(r"[*?]", self.text)

    @property
    def depth(self) -> int:
        """How many folders lie above a file."""
        return self.text.count("/")

    @property
    def has_day(self) -> bool:
        """Whether the day can be told from the name."""
        return {name for form in FIELD.findall(self.text) for name in re.findall("%(.)", form or "%Y%m%d")} == {*DIGITS}

    def check(self, where: str) -> None:
        """Refuse what is no pattern."""
        rest = FIELD.sub("", self.text)
        if wrong := re.search(r"\{([^}]*)\}?|\}", rest):
            near = did_you_mean(wrong[0], ["{key}"])
            raise DeclarationError(f"{where}: {wrong[0]!r} is no field of {self.text!r}; it has {{key}} alone.{near}")
        for form in FIELD.findall(self.text):
            if form and (others := sorted({*re.findall("%(.?)", form)} - {*DIGITS})):
                raise DeclarationError(
                    f"{where}: %{others[0]} in {self.text!r} is not known. A day is written with %Y, %m and %d."
                )
            if re.search(r"[/*?]", form):
                raise DeclarationError(
                    f"{where}: {{key:{form}}} reaches over several names. Write them apart: {{key:%Y}}/{{key:%m}}."
                )
        levels = self.text.split("/")
        if not all(levels) or {".", "..", "**"} & {*levels} or "\\" in self.text:
            raise DeclarationError(
                f"{where}: {self.text!r} leads nowhere. Name files below the place of delivery, like '{{key}}/*.csv'."
            )

    def filled(self, key: str) -> str:
        """The pattern with a key in it; a key that is no day is put in as it is."""
        try:
            day = date.fromisoformat(key)
        except ValueError:
            return FIELD.sub(lambda field: field[0] if field[1] else key, self.text)
        return FIELD.sub(lambda field: day.strftime(field[1] or "%Y-%m-%d"), self.text)

    def fits(self, name: str) -> bool:
        """Whether a file of this name belongs to some partition, or to this one when the pattern is filled."""
        return _regex(self.text).fullmatch(name) is not None

    def leads_to(self, folder: str) -> bool:
        """Whether files that fit can lie in this folder."""
        some = "/".join(self.text.split("/")[: folder.count("/") + 1])
        return _regex(some).fullmatch(folder) is not None

    def key(self, name: str) -> str | None:
        """The day in the name of a file that fits, as a key; None where it fits no day."""
        found = _regex(self.text).fullmatch(name)
        return None if found is None else "-".join(found[part] for part in DIGITS)

    def unfinished(self, name: str) -> str | None:
        """The name that a file which is still written will have, if it then fits."""
        folder, slash, own = name.rpartition("/")
        for bare in (own, own.removeprefix(".")):
            for end in ("", *UNFINISHED):
                meant = f"{folder}{slash}{bare.removesuffix(end) if end else bare}"
                if meant != name and self.fits(meant):
                    return meant
        return None

    def meant(self, name: str) -> Iterator[str]:
        """What a name that does not fit may have been meant to be."""
        for found in SOME_DAY.finditer(name):
            try:
                yield self.filled(date(*map(int, found.groups())).isoformat())
            except ValueError:
                continue


@lru_cache(1024)
def _regex(text: str) -> re.Pattern[str]:
    written, seen, start = [], set(), 0

    def digits(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{DIGITS[name]})"

    for field in FIELD.finditer(text):
        written.append(_wild(text[start : field.start()]))
        written.append(re.sub(r"%([Ymd])", digits, re.sub(r"([^\w%])", r"\\\1", field[1] or "%Y-%m-%d")))
        start = field.end()
    written.append(_wild(text[start:]))
    # What begins with a point is hidden from a star, as in a shell.
    return re.compile(re.sub(r"(^|/)(?=\[\^/\])", r"\1(?!\\.)", "".join(written)))


def _wild(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
