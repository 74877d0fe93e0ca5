"""Flexible and Interoperable Data Transfer: what sports watches write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from platform_ml.formats.recorded import Activity, Recorded, along, climbed, mean
from platform_ml.spec.errors import SourceError

MAGIC, HEADER, CHECKSUM = b".FIT", 12, 2
SEMICIRCLES = 180 / 2**31
"""Degrees."""


@dataclass(frozen=True, kw_only=True)
class FIT(Recorded):
    """A FIT file with one session: what its summary lacks is taken from its records. Checksums are checked."""

    suffix: ClassVar[str] = ".fit"

    def problem(self, path: str) -> str | None:
        """The header says how long a whole file is."""
        content = Path(path).read_bytes()
        if len(content) < HEADER or content[8:12] != MAGIC:
            return "it does not begin like a FIT file"
        if len(content) < content[0] + int.from_bytes(content[4:8], "little") + CHECKSUM:
            return "its end is missing: it was truncated or is still being written"
        return None

    def activity(self, path: str) -> Activity:
        """The session, and its records."""
        import fitdecode

        found: dict[str, list[dict[str, Any]]] = {"session": [], "record": []}
        try:
            with fitdecode.FitReader(path, check_crc=fitdecode.CrcCheck.RAISE) as reader:
                for frame in reader:
                    if isinstance(frame, fitdecode.FitDataMessage) and frame.name in found:
                        found[frame.name].append({field.name: field.value for field in frame.fields})
        except (fitdecode.FitError, ValueError, LookupError, OSError) as error:
            raise SourceError(f"it cannot be decoded ({type(error).__name__}: {error})") from error
        if len(found["session"]) > 1:
            raise SourceError(f"it holds {len(found['session'])} sessions, not one. Export each on its own")
        return _of(next(iter(found["session"]), {}), found["record"])


def _of(session: dict[str, Any], records: list[dict[str, Any]]) -> Activity:
    def known(name: str) -> list[Any]:
        return [record[name] for record in records if record.get(name) is not None]

    times = [time for time in known("timestamp") if isinstance(time, datetime)]
    start = session.get("start_time") or (min(times) if times else None)
    duration = session.get("total_elapsed_time") or ((max(times) - min(times)).total_seconds() if times else None)
    if not isinstance(start, datetime) or duration is None:
        raise SourceError("neither a session nor records say when it was")
    places = [(record.get("position_lat"), record.get("position_long")) for record in records]
    points = [(lat * SEMICIRCLES, long * SEMICIRCLES) for lat, long in places if lat is not None and long is not None]
    rising = session.get("total_ascent")
    return Activity(
        sport=session.get("sport"),
        started_at=start.astimezone(UTC),
        duration=duration,
        distance=session.get("total_distance") or max(known("distance"), default=None) or along(points),
        elevation=climbed(known("enhanced_altitude") or known("altitude")) if rising is None else rising,
        heart_rate=session.get("avg_heart_rate") or mean(known("heart_rate")),
    )
