"""The laws of formats of sports watches: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as Exact
from math import degrees
from typing import TYPE_CHECKING, Any

import pytest

from platform_ml.engine.delivery import read
from platform_ml.engine.ports import WHOLE
from platform_ml.formats import Parquet
from platform_ml.formats.recorded import EARTH
from platform_ml.origins import Files
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.schema import Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.testing.formats import work_in

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.engine.delivery import Delivery
    from platform_ml.formats.recorded import Recorded

NAMED, READS = "{athlete}/{number}", (("uploaded_at", "ended_at"), ("ascent", "elevation"))
outings = Source(
    name="outings",
    description="What watches recorded.",
    format=Parquet(),
    columns=(
        Column("number", Integer()),
        Column("athlete", Text()),
        Column("sport", Text(), allowed=("run", "ride", "swim")),
        Column("started_at", Timestamp()),
        Column("uploaded_at", Timestamp()),
        Column("duration", Integer(), unit="s"),
        Column("distance", Decimal(9, 3), unit="km"),
        Column("ascent", Integer(), unit="m", nullable=True),
        Column("heart_rate", Double(), nullable=True),
        Column("effort", Integer(), nullable=True),
    ),
    key=("number",),
)


@dataclass(frozen=True, kw_only=True)
class Outing:
    """Straight to the north, a point every ten seconds."""

    start: datetime = datetime(2024, 5, 1, 6, 30, tzinfo=UTC)
    seconds: int = 600
    metres: float = 2_000.0
    measures_distance: bool = True
    heights: tuple[float, ...] = (100, 110, 105, 125)
    beats: tuple[int, ...] = (140, 150)

    @property
    def points(self) -> list[dict[str, Any]]:
        """Time, place, metres so far, height and heart rate of each."""
        steps = self.seconds // 10

        def of(some: tuple[Any, ...], step: int) -> Any:
            return some[min(step * len(some) // (steps + 1), len(some) - 1)] if some else None

        return [
            {
                "time": self.start + timedelta(seconds=10 * step),
                "lat": 48 + degrees(self.metres * step / steps / EARTH),
                "lon": 16.0,
                "metres": self.metres * step / steps if self.measures_distance else None,
                "height": of(self.heights, step),
                "beats": of(self.beats, step),
            }
            for step in range(steps + 1)
        ]


class RecordedContract:
    """What every format of sports watches promises: a file is a row, or it is refused."""

    @pytest.fixture
    def form(self) -> Recorded:
        """The member under test, with NAMED and READS."""
        raise NotImplementedError

    def write(self, file: Path, outing: Outing) -> None:
        """How a watch writes a run."""
        raise NotImplementedError

    @pytest.fixture
    def found(self, form: Recorded, tmp_path: Path) -> Any:
        """What is read of outings, or of files with other bytes."""

        def of(*outings: Outing | bytes, source: Source | None = None) -> Delivery:
            for number, outing in enumerate(outings, 1):
                file = tmp_path / "landing" / "shop" / "outings" / "ann" / f"{number}{form.suffix}"
                file.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(outing, bytes):
                    file.write_bytes(outing)
                else:
                    self.write(file, outing)
            origin = Files(pattern=f"*/*{form.suffix}")
            return read(source or replace(outings_of(form), origin=origin), WHOLE, work=work_in(tmp_path / "landing"))

        return of

    def test_says_what_it_is(self, form: Recorded) -> None:
        assert form.suffix.startswith(".")
        assert fingerprint(form) == fingerprint(form)

    def test_a_file_is_a_row(self, found: Any) -> None:
        later = Outing(start=datetime(2024, 5, 2, 6, tzinfo=UTC), seconds=1_200, metres=5_012.3)
        first, second = found(Outing(), later).accepted.to_pylist()
        assert first == {
            "number": 1,
            "athlete": "ann",
            "sport": "run",
            "started_at": Outing().start,
            "uploaded_at": Outing().start + timedelta(minutes=10),
            "duration": 600,
            "distance": pytest.approx(Exact(2), abs=Exact("0.001")),
            "ascent": 30,
            "heart_rate": pytest.approx(145, abs=0.5),
            "effort": None,
        }
        assert (second["duration"], second["started_at"]) == (1_200, later.start)
        assert second["distance"] == pytest.approx(Exact("5.012"), abs=Exact("0.001"))

    def test_distance_is_that_between_points_where_it_was_not_measured(self, found: Any) -> None:
        rows = found(Outing(measures_distance=False)).accepted
        assert rows["distance"].to_pylist() == [pytest.approx(Exact(2), abs=Exact("0.001"))]

    def test_what_was_not_recorded_is_null(self, found: Any) -> None:
        rows = found(Outing(heights=(), beats=())).accepted.to_pylist()
        assert [(row["ascent"], row["heart_rate"]) for row in rows] == [(None, None)]

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.95, 0.999])
    def test_a_file_that_was_cut_off_is_not_read(
        self, form: Recorded, found: Any, tmp_path: Path, share: float
    ) -> None:
        whole = tmp_path / f"whole{form.suffix}"
        self.write(whole, Outing())
        content = whole.read_bytes().rstrip()
        with pytest.raises(SourceError, match=f"{form.suffix} cannot be read: "):
            found(content[: int(len(content) * share)])

    @pytest.mark.parametrize("content", [b"", b"x", b"<html>Not found</html>", b"\0" * 5_000], ids=repr)
    def test_another_file_is_not_read(self, form: Recorded, found: Any, content: bytes) -> None:
        with pytest.raises(SourceError, match=f"{form.suffix} cannot be read: "):
            found(content)

    def test_a_name_that_does_not_say_what_it_should_is_refused(self, form: Recorded, found: Any) -> None:
        source = outings_of(replace(form, named="of_{athlete}/{number}"))
        with pytest.raises(SourceError, match=r"its name does not say 'of_.athlete./.number.'"):
            found(Outing(), source=replace(source, origin=Files(pattern=f"*/*{form.suffix}")))
        source = outings_of(replace(form, named="{number}/{athlete}"))
        with pytest.raises(SourceError, match="its name says number 'ann', which is no whole number"):
            found(Outing(), source=replace(source, origin=Files(pattern=f"*/*{form.suffix}")))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"named": "activity"}, "'activity' names no column"),
            ({"named": "{athlet}"}, r"Source 'outings' has no column 'athlet'\. Did you mean 'athlete'\?"),
            ({"reads": (("effort", "name"),)}, "has no measure 'name'"),
            ({"reads": (("ascents", "elevation"),)}, r"has no column 'ascents'\. Did you mean 'ascent'\?"),
            ({"reads": (("distance", "duration"),)}, "'distance': 's' cannot be told in 'km'"),
            ({"reads": (("number", "duration"),)}, "declares column 'number' 2 times"),
        ],
    )
    def test_a_wrong_one_cannot_be_declared(self, form: Recorded, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(DeclarationError, match=message):
            outings_of(replace(form, **changes))


class XMLContract(RecordedContract):
    """What formats made of XML promise beside."""

    @pytest.mark.parametrize(
        "declared",
        [
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
            '<!DOCTYPE x SYSTEM "http://localhost/x.dtd">',
        ],
        ids=["bomb", "file", "address"],
    )
    def test_entities_are_refused(self, form: Recorded, found: Any, tmp_path: Path, declared: str) -> None:
        whole = tmp_path / f"whole{form.suffix}"
        self.write(whole, Outing())
        head, rest = whole.read_text(encoding="utf-8").split("\n", 1)
        with pytest.raises(SourceError, match="it declares a document type or entities, which are never read"):
            found(f"{head}\n{declared}\n{rest}".encode())

    def test_several_activities_in_a_file_are_refused(self, form: Recorded, found: Any, tmp_path: Path) -> None:
        whole = tmp_path / f"whole{form.suffix}"
        self.write(whole, Outing())
        lines = whole.read_text(encoding="utf-8").split("\n")
        with pytest.raises(SourceError, match=r"it holds 2 .* not one\. Export each"):
            found("\n".join([*lines[:2], *lines[2:-2], *lines[2:-2], *lines[-2:]]).encode())


def outings_of(form: Recorded) -> Source:
    """The source in this format."""
    return replace(outings, format=form)
