"""What files of sports watches share: one activity each, which becomes one row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.formats.activity import sport_of
from platform_ml.formats.parquet import Parquet
from platform_ml.formats.units import factor
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import pyarrow as pa

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Broken, Source

FIELD = re.compile(r"\{(\w+)\}")
UNITS = {"duration": "s", "distance": "m", "elevation": "m", "heart_rate": "bpm"}
MEASURES = ("sport", "started_at", "ended_at", *UNITS)
EARTH = 6_371_000
"""The mean radius in metres (IUGG)."""
Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What a device recorded; None: it did not say."""

    sport: str | None
    started_at: datetime
    duration: float
    """Seconds from start to end."""
    distance: float | None
    """Metres."""
    elevation: float | None
    """Metres climbed."""
    heart_rate: float | None
    """Mean beats per minute."""

    def measured(self, name: str) -> Any:
        """A value by its name; of a sport our word where there is one."""
        if name == "sport":
            return self.sport and (sport_of(self.sport) or self.sport)
        return self.started_at + timedelta(seconds=self.duration) if name == "ended_at" else getattr(self, name)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A file of one activity is a row of sport, started_at, ended_at, duration, distance, elevation and heart_rate.

    Columns of these names are measured, in the unit that each declares; others come from the name of the file, or are
    null. Distances that a device left out are those between its points (haversine).
    """

    named: str = "{athlete_id}_{activity_id}"
    """What the end of the path says, without the suffix: fields are columns, like {athlete_id}/{activity_id}."""
    reads: tuple[tuple[str, str], ...] = ()
    """Column and what is measured for it, where it is called otherwise: ("uploaded_at", "ended_at")."""

    suffix: ClassVar[str]
    typed: ClassVar[bool] = True
    direct: ClassVar[bool] = False

    def __post_init__(self) -> None:
        where = type(self).__name__
        if not FIELD.search(self.named):
            raise DeclarationError(f"{where}: {self.named!r} names no column. Write it like '{{athlete_id}}/*'.")
        check_unique(where, "column", [*FIELD.findall(self.named), *(column for column, _ in self.reads)])
        check_known(where, "measure", [measure for _, measure in self.reads], MEASURES)

    def check(self, source: Source) -> None:
        """Refuse names of files that say what no column is, and units that cannot be told."""
        where = f"Source {source.name!r}"
        check_known(where, "column", FIELD.findall(self.named), source.types)
        check_known(where, "column", [column for column, _ in self.reads], source.types)
        for column, measure in self._measures(source.columns).items():
            if measure in UNITS and (unit := source.column(column).unit):
                factor(f"{where}: {column!r}", UNITS[measure], unit)

    def problem(self, path: str) -> str | None:
        """Why the file cannot be whole."""
        raise NotImplementedError

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """The copy is Parquet."""
        return Parquet().sql(path, columns)

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """The one row, in the declared types."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        activity, told = self.activity(path), self._told(path)
        measures, row = self._measures(columns), dict[str, Any]()
        for column in columns:
            if column.name in told:
                row[column.name] = _read(column, told[column.name])
            elif column.name in measures:
                row[column.name] = _converted(column, measures[column.name], activity)
            elif column.nullable:
                row[column.name] = None
        types = pa.schema([(column.name, _arrow(column)) for column in columns if column.name in row])
        pq.write_table(pa.Table.from_pylist([row], schema=types), to)
        return []

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """It has none."""
        return {}

    def names(self, path: str) -> str | None:
        """They are those of the source."""
        return None

    def activity(self, path: str) -> Activity:
        """What is in the file; `SourceError` where that cannot be read."""
        raise NotImplementedError

    def _measures(self, columns: Sequence[Column]) -> dict[str, str]:
        named = dict(self.reads)
        wanted = {column.name: named.get(column.name, column.name) for column in columns}
        return {column: measure for column, measure in wanted.items() if measure in MEASURES}

    def _told(self, path: str) -> dict[str, str]:
        parts = FIELD.split(self.named)
        pattern = "".join(f"(?P<{part}>[^/]+?)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        found = re.search(rf"(?:^|/){pattern}$", Path(path).with_suffix("").as_posix())
        if not found:
            raise SourceError(f"its name does not say {self.named!r}. Rename it, or declare how files are named")
        return found.groupdict()


def _read(column: Column, text: str) -> Any:
    if not isinstance(column.type, Integer):
        return text
    if not re.fullmatch(r"\d{1,18}", text):
        raise SourceError(f"its name says {column.name} {text!r}, which is no whole number")
    return int(text)


def _converted(column: Column, measure: str, activity: Activity) -> Any:
    from decimal import Decimal as Exact

    value = activity.measured(measure)
    if value is None or measure not in UNITS:
        return value
    value = value * float(factor(column.name, UNITS[measure], column.unit or UNITS[measure]))
    if isinstance(column.type, Double):
        return value
    scale = column.type.scale if isinstance(column.type, Decimal) else 0
    return Exact(repr(value)).quantize(Exact(1).scaleb(-scale)) if scale else round(value)


def _arrow(column: Column) -> pa.DataType:
    import pyarrow as pa

    match column.type:
        case Integer():
            return pa.int64()
        case Decimal(precision=precision, scale=scale):
            return pa.decimal128(precision, scale)
        case Double():
            return pa.float64()
        case Boolean():
            return pa.bool_()
        case Timestamp():
            return pa.timestamp("us", tz="UTC")
    return pa.string()


def apart(one: Point, other: Point) -> float:
    """Metres between two points on a sphere (haversine)."""
    (lat1, lon1), (lat2, lon2) = (map(radians, point) for point in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH * asin(sqrt(half))


def along(points: Sequence[Point]) -> float | None:
    """Metres along points; None without two."""
    return sum(apart(one, other) for one, other in pairwise(points)) if len(points) > 1 else None


def climbed(heights: Sequence[float]) -> float | None:
    """Metres of all rises; None without two heights."""
    return sum(max(0.0, b - a) for a, b in pairwise(heights)) if len(heights) > 1 else None


def mean(values: Iterable[float]) -> float | None:
    """The mean; None of nothing."""
    some = list(values)
    return sum(some) / len(some) if some else None


def parsed(path: str) -> Any:
    """The root of an XML file that declares no entities, which could blow up or lead to other files."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        return parse(path, forbid_dtd=True).getroot()
    except DefusedXmlException as error:
        raise SourceError("it declares a document type or entities, which are never read") from error
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(f"it is no well-formed XML ({error})") from error


def problem_of_xml(path: str, root: str) -> str | None:
    """A whole file begins like XML and ends with the end of its root."""
    content = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    if not content:
        return "it is empty"
    if not content.startswith(b"<"):
        return "it does not begin like XML"
    if not re.search(rb"</(\w+:)?" + root.encode() + rb"\s*>$", content):
        return f"its end is missing: no </{root}> closes it"
    return None
