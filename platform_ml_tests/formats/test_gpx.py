import pytest

from platform_ml.formats import GPX
from platform_ml.spec.errors import SourceError
from platform_ml.testing.recorded import NAMED, READS, Outing, XMLContract

SPACES = (
    'xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"'
)


class TestGPX(XMLContract):
    @pytest.fixture
    def form(self):
        return GPX(named=NAMED, reads=READS)

    def write(self, file, outing):
        points = "".join(map(_point, outing.points))
        file.write_text(
            f"""<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="a watch" {SPACES}>
<trk><type>running</type><trkseg>{points}</trkseg></trk>
</gpx>
""",
            encoding="utf-8",
        )

    def test_nothing_is_covered_between_segments(self, found, tmp_path):
        self.write(tmp_path / "x.gpx", Outing())
        parts = (tmp_path / "x.gpx").read_text().split("</trkpt>")
        paused = "</trkpt>".join([*parts[:31], "</trkseg><trkseg>" + parts[31], *parts[32:]])
        row = found(paused.encode()).accepted.to_pylist()[0]
        assert float(row["distance"]) == pytest.approx(2 - 2 / 60, abs=0.001)
        assert row["duration"] == 600

    def test_points_without_times_are_no_activity(self, found, tmp_path):
        self.write(tmp_path / "x.gpx", Outing())
        content = (tmp_path / "x.gpx").read_text().replace("<time>", "<desc>").replace("</time>", "</desc>")
        with pytest.raises(SourceError, match="no point of its track has a time"):
            found(content.encode())


def _point(at):
    height = "" if at["height"] is None else f"<ele>{at['height']}</ele>"
    beats = f"<gpxtpx:TrackPointExtension><gpxtpx:hr>{at['beats']}</gpxtpx:hr></gpxtpx:TrackPointExtension>"
    more = "" if at["beats"] is None else f"<extensions>{beats}</extensions>"
    time = f"<time>{at['time']:%Y-%m-%dT%H:%M:%SZ}</time>"
    return f'<trkpt lat="{at["lat"]:.9f}" lon="{at["lon"]}">{height}{time}{more}</trkpt>'
