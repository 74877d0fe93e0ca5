import pytest

from platform_ml.formats import TCX
from platform_ml.spec.errors import SourceError
from platform_ml.testing.recorded import NAMED, READS, Outing, XMLContract

SPACE = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"


class TestTCX(XMLContract):
    @pytest.fixture
    def form(self):
        return TCX(named=NAMED, reads=READS)

    def write(self, file, outing):
        start = outing.start.strftime("%Y-%m-%dT%H:%M:%SZ")
        points = "".join(map(_point, outing.points))
        metres = f"<DistanceMeters>{outing.metres}</DistanceMeters>" if outing.measures_distance else ""
        seconds = f"<TotalTimeSeconds>{outing.seconds}.0</TotalTimeSeconds>"
        file.write_text(
            f"""<?xml version="1.0" encoding="UTF-8"?>
<TrainingCenterDatabase xmlns="{SPACE}"><Activities>
<Activity Sport="Running"><Id>{start}</Id><Lap StartTime="{start}">
{seconds}{metres}<Track>{points}</Track></Lap></Activity>
</Activities></TrainingCenterDatabase>
""",
            encoding="utf-8",
        )

    def test_laps_are_added_up(self, found, tmp_path):
        self.write(tmp_path / "x.tcx", Outing())
        content = (tmp_path / "x.tcx").read_text()
        start, end = content.index("<Lap "), content.index("</Lap>") + len("</Lap>")
        twice = content[:end] + content[start:end].replace("06:30", "06:40") + content[end:]
        row = found(twice.encode()).accepted.to_pylist()[0]
        assert (row["duration"], float(row["distance"])) == (1_200, 4.0)

    def test_a_value_that_cannot_be_read_refuses_the_file(self, found, tmp_path):
        self.write(tmp_path / "x.tcx", Outing())
        content = (tmp_path / "x.tcx").read_text().replace(">600.0<", ">long<")
        with pytest.raises(SourceError, match=r"a value in it cannot be read \(ValueError"):
            found(content.encode())


def _point(at):
    height = "" if at["height"] is None else f"<AltitudeMeters>{at['height']}</AltitudeMeters>"
    beats = "" if at["beats"] is None else f"<HeartRateBpm><Value>{at['beats']}</Value></HeartRateBpm>"
    place = f"<LatitudeDegrees>{at['lat']}</LatitudeDegrees><LongitudeDegrees>{at['lon']}</LongitudeDegrees>"
    time = f"<Time>{at['time']:%Y-%m-%dT%H:%M:%SZ}</Time>"
    return f"<Trackpoint>{time}<Position>{place}</Position>{height}{beats}</Trackpoint>"
