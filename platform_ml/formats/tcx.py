"""Training Center XML, as Garmin and others export activities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.formats.recorded import Activity, Recorded, along, climbed, mean, parsed, problem_of_xml
from platform_ml.spec.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class TCX(Recorded):
    """A TCX file with one activity: time and distance are those of its laps."""

    suffix: ClassVar[str] = ".tcx"

    def problem(self, path: str) -> str | None:
        """Whole files end with their root."""
        return problem_of_xml(path, "TrainingCenterDatabase")

    def activity(self, path: str) -> Activity:
        """Laps, and what their points say."""
        activities = list(_all(parsed(path), "Activity"))
        if len(activities) != 1:
            raise SourceError(f"it holds {len(activities)} activities, not one. Export each on its own")
        laps = list(_all(activities[0], "Lap"))
        if not laps:
            raise SourceError("its activity has no lap")
        try:
            return _of_laps(activities[0], laps)
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"a value in it cannot be read ({type(error).__name__}: {error})") from error


def _of_laps(activity: Any, laps: list[Any]) -> Activity:
    points = [
        (float(_text(at, "LatitudeDegrees")), float(_text(at, "LongitudeDegrees"))) for at in _all(activity, "Position")
    ]
    distance = sum(float(_child(lap, "DistanceMeters") or 0) for lap in laps)
    beats = [
        float(_text(beat, "Value")) for point in _all(activity, "Trackpoint") for beat in _all(point, "HeartRateBpm")
    ]
    return Activity(
        sport=activity.get("Sport"),
        started_at=datetime.fromisoformat(laps[0].attrib["StartTime"]).astimezone(UTC),
        duration=sum(float(_text(lap, "TotalTimeSeconds")) for lap in laps),
        distance=distance or along(points),
        elevation=climbed([float(height.text) for height in _all(activity, "AltitudeMeters")]),
        heart_rate=mean(beats)
        or mean(float(_text(b, "Value")) for lap in laps for b in _all(lap, "AverageHeartRateBpm")),
    )


def _all(element: Any, name: str) -> Iterator[Any]:
    """What is called so anywhere below, in any namespace."""
    return (one for one in element.iter() if str(one.tag).rpartition("}")[2] == name)


def _child(element: Any, name: str) -> str | None:
    return next((one.text for one in element if str(one.tag).rpartition("}")[2] == name), None)


def _text(element: Any, name: str) -> str:
    found = _child(element, name)
    if found is None:
        raise ValueError(f"{name} is missing")
    return found
