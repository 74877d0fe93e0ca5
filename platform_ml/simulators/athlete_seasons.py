"""Seasons of endurance athletes: what they are, what they train, and how they race."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from platform_ml.simulators import athlete_model as model
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.source import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.simulators.athlete_model import Seasons

    Rows = dict[str, NDArray[np.generic] | pa.Array]

EPOCH = date(1970, 1, 1)
BLOCK = 200
"""Athletes that are simulated at a time."""
HOUR, SECONDS = 3_600, 86_400
LATE, TWICE, UNTOLD, UNMEASURED = 0.03, 0.005, 0.08, 0.04
"""Shares of the activities: uploaded days later, uploaded twice, without perceived effort, with a strap that failed."""
CORRECTED, DISQUALIFIED, AT_ONCE = 0.015, 0.004, 0.003
"""Shares of the results: whose time is mended later, that are taken away later, or on the same day."""
SHOWN = 28
"""Days within which results are mended."""


@dataclass(frozen=True, kw_only=True)
class AthleteSeasons:
    """Athletes, their activities and their race results, as a platform for athletes would export them.

    Simulated: `athlete_model` says what is published, what is fitted and what is made up. The same seed gives the same
    bytes, fewer athletes or fewer days give some of the same rows.

    * athletes: three quarters men, 18 to 75 years old; half of them only run, others ride and swim, too
    * activities: filed under the day of their upload, which is up to ten days late for three in a hundred; one in two
      hundred is uploaded twice; heart rates and perceived efforts are missing here and there
    * race_results: filed under the day of the race. A result that is mended or taken away later has a second row with
      a later time of publication, and the first one stays
    """

    athletes: int = 2_000
    first: date = date(2022, 1, 1)
    last: date = date(2024, 12, 31)
    seed: int = 7
    told_by: date | None = None
    """Only what was published before this day, as if it had been exported then; None: all."""
    tables: ClassVar[tuple[str, ...]] = ("athletes", "activities", "race_results")

    def __post_init__(self) -> None:
        if self.athletes < 1:
            raise DeclarationError(f"AthleteSeasons: {self.athletes} athletes do nothing. Use 1 or more.")
        if self.first <= EPOCH or self.last < self.first:
            raise DeclarationError(
                f"AthleteSeasons: no seasons lie between {self.first} and {self.last}. Use a last day that is not "
                "before the first, and a first after 1970-01-01."
            )
        if self.seed < 0:
            raise DeclarationError(f"AthleteSeasons: seed {self.seed} is negative. Use 0 or more.")

    def rows(self, table: str) -> pa.Table:
        """The rows of a table as they are exported, those with a day (`DAY`) in the order of days."""
        import pyarrow as pa

        make: dict[str, Callable[[Seasons], Rows]] = {
            "athletes": self._athletes,
            "activities": self._activities,
            "race_results": self._results,
        }
        rows = pa.concat_tables(pa.table(make[table](block)) for block in self.blocks())
        return rows.sort_by([(DAY, "ascending"), (rows.column_names[0], "ascending")]) if table != "athletes" else rows

    def blocks(self) -> Iterator[Seasons]:
        """The seasons of some athletes at a time."""
        import numpy as np

        days = (self.last - self.first).days + 1 + model.AHEAD
        for start in range(1, self.athletes + 1, BLOCK):
            ids = np.arange(start, min(start + BLOCK, self.athletes + 1))
            yield model.seasons(self.seed, ids, self._first_day, days)

    @property
    def _first_day(self) -> int:
        return (self.first - EPOCH).days

    def _athletes(self, block: Seasons) -> Rows:
        import numpy as np

        who = block.people
        return {
            "Athlete ID": who.ids,
            "Gender": np.where(who.woman, "female", "male"),
            "Year of Birth": self.first.year - who.age.astype(np.int64),
        }

    def _activities(self, block: Seasons) -> Rows:
        import numpy as np
        import pyarrow as pa

        row, day, sport = np.nonzero(block.happened)
        who, u, z = block.people, block.uniform[row, day, sport], block.normal[row, day, sport]
        minutes, effort = block.minutes[row, day, sport], block.effort[row, day, sport]
        lasting = np.round(60 * minutes).astype(np.int64)
        start = (self._first_day + day) * SECONDS + np.round((6 + 13 * u[:, 2]) * HOUR).astype(np.int64)
        speed = self._speed(block, row, sport, effort, z[:, 2])
        metres = np.maximum(np.round(speed * lasting), 100)
        late = np.where(u[:, 3] < LATE, 1 + np.floor(u[:, 3] / LATE * 10), 0).astype(np.int64)
        sent = start + lasting + 60 + (1_500 * u[:, 4]).astype(np.int64) + late * SECONDS
        rest, most = who.heart[row].T
        beats = np.round(rest + (most - rest) * (0.48 + 0.045 * effort) + 4 * z[:, 3])
        climb = np.where(sport == 2, 0, np.round(metres / 1_000 * np.exp(1.7 + 0.6 * z[:, 1] * (sport < 2))))
        rows: Rows = {
            "Activity ID": who.ids[row] * 100_000 + day * 10 + sport,
            "Athlete ID": who.ids[row],
            "Activity Type": np.array(["Run", "Ride", "Swim"])[sport],
            "Activity Date": start.astype("datetime64[s]"),
            "Upload Date": sent.astype("datetime64[s]"),
            "Elapsed Time": lasting,
            "Distance": metres / 1_000,
            "Elevation Gain": climb.astype(np.int64),
            "Average Heart Rate": pa.array(
                np.clip(beats, 60, 215).astype(np.int64), mask=~who.strap[row] | (u[:, 5] < UNMEASURED)
            ),
            "Perceived Exertion": pa.array(effort.astype(np.int64), mask=u[:, 6] < UNTOLD),
            DAY: sent // SECONDS,
        }
        again = np.concatenate([np.arange(len(row)), np.flatnonzero(u[:, 4] * 100 % 1 < TWICE)])
        return self._until(_taken(rows, again), sent[again])

    def _speed(
        self,
        block: Seasons,
        row: NDArray[np.int64],
        sport: NDArray[np.int64],
        effort: NDArray[np.float64],
        luck: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Metres per second: a run is slower than 10 km at race pace by what its effort leaves."""
        import numpy as np

        run = 10_000 / np.exp(block.people.pace[row]) / (1.45 - 0.045 * effort)
        other = np.array([1.0, 7.2, 0.75])[sport] * (0.88 + 0.03 * effort)
        return np.where(sport == 0, run, other) * np.exp(0.03 * luck)

    def _results(self, block: Seasons) -> Rows:
        import numpy as np
        import pyarrow as pa

        row, week = np.nonzero(block.entered >= 0)
        which, event = block.entered[row, week], block.event[row, week]
        u = block.outcome[row, week]
        sunday, weeks = block.sunday, block.entered.shape[1]
        climbs, _, _ = model.events(self.seed, sunday, weeks)
        start = (sunday + 7 * week) * SECONDS + 8 * HOUR + event * HOUR // 4
        out, at_once = u[:, 0] < np.take(model.DID_NOT_FINISH, which), u[:, 1] < AT_ONCE
        seconds = np.round(block.seconds[row, week]).astype(np.int64)
        told = start + np.where(out, 6 * HOUR, seconds + 600) + (5_400 * u[:, 2]).astype(np.int64)
        later = told + ((1 + (SHOWN - 2) * u[:, 3]) * SECONDS).astype(np.int64)
        gone = ~out & ~at_once & (u[:, 4] < DISQUALIFIED)
        mended = ~out & ~at_once & ~gone & (u[:, 4] < DISQUALIFIED + CORRECTED)
        change = np.round(seconds * 0.02 * (2 * (u[:, 1] * 1_000 % 1) - 1)).astype(np.int64)
        again = np.concatenate([np.arange(len(row)), np.flatnonzero(gone | mended)])
        second = np.arange(len(again)) >= len(row)
        status = np.where(out[again], "DNF", np.where(at_once[again] | (second & gone[again]), "DQ", "finished"))
        taken = seconds[again] + np.where(second, change[again], 0)
        created = np.where(second, later[again], told[again])
        rows: Rows = {
            "Race ID": 100 * (sunday + 7 * week[again]) + 10 * which[again] + event[again],
            "Athlete ID": block.people.ids[row[again]],
            "Race Distance": np.take(model.DISTANCES, which[again]) / 1_000,
            "Climb": climbs[week, which, event][again],
            "Start": start[again].astype("datetime64[s]"),
            "Bib": 1 + (block.people.ids[row[again]] * 7_919 + week[again]) % 99_991,
            "Status": status,
            "Finish Time": pa.array(clock(taken), mask=status != "finished"),
            "Published": created.astype("datetime64[s]"),
            DAY: start[again] // SECONDS,
        }
        return self._until(rows, created, start[again])

    def _until(self, rows: Rows, told: NDArray[np.int64], filed: NDArray[np.int64] | None = None) -> Rows:
        """Those that are filed under a day of the seasons, and known by then."""
        import numpy as np

        end = ((self.last - EPOCH).days + 1) * SECONDS
        known = ((self.told_by or date.max) - EPOCH).days * SECONDS
        return _taken(rows, np.flatnonzero(((told if filed is None else filed) < end) & (told < known)))

    def expected(self) -> pa.Table:
        """Of every finished race: metres, the seconds that the athlete's state let expect, and those that it took.

        No supplier knows what was expected: the day's form, the weather and the course are all that the best possible
        model could not have known.
        """
        import numpy as np
        import pyarrow as pa

        found = []
        for block in self.blocks():
            row, week = np.nonzero(block.entered >= 0)
            which = block.entered[row, week]
            day = block.sunday + 7 * week
            finished = block.outcome[row, week, 0] >= np.take(model.DID_NOT_FINISH, which)
            held = finished & (day <= (self.last - EPOCH).days)
            row, week, which, day = row[held], week[held], which[held], day[held]
            found.append(
                pa.table(
                    {
                        "athlete": block.people.ids[row],
                        "day": day,
                        "metres": np.take(model.DISTANCES, which),
                        "expected": np.exp(block.latent[row, week]),
                        "seconds": block.seconds[row, week],
                    }
                )
            )
        return pa.concat_tables(found)


def _taken(rows: Rows, which: NDArray[np.int64]) -> Rows:
    return {name: column.take(which) for name, column in rows.items()}


def clock(seconds: NDArray[np.int64]) -> NDArray[np.str_]:
    """Seconds as h:mm:ss."""
    import numpy as np

    parts = (seconds // HOUR, seconds // 60 % 60, seconds % 60)
    hours, minutes, rest = (np.char.zfill(part.astype(str), n) for part, n in zip(parts, (1, 2, 2), strict=True))
    return np.char.add(np.char.add(np.char.add(hours, ":"), minutes), np.char.add(":", rest))
