"""GPS Exchange Format: where a device was, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import ClassVar

from platform_ml.formats.recorded import Activity, Recorded, along, climbed, mean, parsed, problem_of_xml
from platform_ml.spec.errors import SourceError


@dataclass(frozen=True, kw_only=True)
class GPX(Recorded):
    """A GPX file with one track: its points have times, and heart rates in an extension of Garmin's."""

    suffix: ClassVar[str] = ".gpx"

    def problem(self, path: str) -> str | None:
        """Whole files end with their root."""
        return problem_of_xml(path, "gpx")

    def activity(self, path: str) -> Activity:
        """From the first to the last point with a time; between segments nothing is covered."""
        import gpxpy
        import gpxpy.gpx

        parsed(path)  # refuses what gpxpy would read into memory
        try:
            tracks = gpxpy.parse(Path(path).read_text(encoding="utf-8-sig")).tracks
        except (gpxpy.gpx.GPXException, ValueError) as error:
            raise SourceError(f"it is no GPX ({error})") from error
        if len(tracks) != 1:
            raise SourceError(f"it holds {len(tracks)} tracks, not one. Export each activity on its own")
        segments = [segment.points for segment in tracks[0].segments if segment.points]
        points = [point for some in segments for point in some]
        times = [point.time for point in points if point.time is not None]
        if not times:
            raise SourceError("no point of its track has a time")
        lengths = [along([(point.latitude, point.longitude) for point in some]) for some in segments]
        rises = [climbed([point.elevation for point in some if point.elevation is not None]) for some in segments]
        beats = [
            float(one.text)
            for point in points
            for extension in point.extensions
            for one in extension.iter()
            if str(one.tag).rpartition("}")[2] == "hr" and one.text
        ]
        start = min(times)
        return Activity(
            sport=tracks[0].type,
            started_at=(start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(UTC),
            duration=(max(times) - start).total_seconds(),
            distance=sum(found) if (found := [one for one in lengths if one is not None]) else None,
            elevation=sum(rose) if (rose := [one for one in rises if one is not None]) else None,
            heart_rate=mean(beats),
        )
