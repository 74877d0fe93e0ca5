"""Writes the files beside it again: eight months of 56 invented runners, as watches and organisers would export it.

Nothing here is fitted to anything: a runner has a speed and a habit, and a race is Riegel's formula with some luck.
"""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent
FIRST, DAYS, RUNNERS, SEED = datetime(2022, 5, 1), 245, 56, 11  # noqa: DTZ001 - watches write no zone
RACES = {"5k": 5, "10k": 10, "Half": 21.0975, "Marathon": 42.195}
ACTIVITY = ("Activity ID", "Athlete ID", "Activity Type", "Date", "Title", "Distance", "Time", "Avg HR", "Total Ascent")
BROKEN = ((300, 5, "12.5 km"), (600, 6, "70 min"), (900, 7, 400), (1_200, 2, "Strength Training"))
"""Activity, column, and what cannot be taken: no numbers, a heart that beats too fast, another sport."""
ODD = ((20, 7, "DNS"), (90, 8, "52m41s"))
"""The same of results: who did not start, and a time that is none."""
RESULT = (
    "Race ID",
    "Race",
    "Athlete ID",
    "Race Distance",
    "Climb",
    "Start",
    "Bib",
    "Status",
    "Finish Time",
    "Published",
)


def clock(seconds):
    """As h:mm:ss."""
    return str(timedelta(seconds=round(seconds)))


def trained(draw, who, pace):
    """Somewhat more than an activity a week: mostly runs, sometimes a ride; no heart rate here and there."""
    for day in sorted(draw.sample(range(DAYS), 36)):
        ride = draw.random() < 0.15
        km = round(draw.uniform(4, 18) * (3 if ride else 1), 2)
        lasting = km * pace * (0.45 if ride else draw.uniform(1.1, 1.3))
        start = FIRST + timedelta(days=day, hours=draw.randint(6, 19), minutes=draw.randint(0, 59))
        beats = draw.choice([draw.randint(125, 165), "--"])
        climb = draw.choice([draw.randint(5, 250), "--"])
        yield (who, "Cycling" if ride else "Running", start, "", f"{km:.2f}", clock(lasting), beats, climb)


def raced(draw, who, pace, turn):
    """A race every three weeks or so, on a Sunday."""
    day = FIRST + timedelta(days=12 + 19 * turn + 7 * draw.randint(0, 1), hours=9)
    day += timedelta(days=6 - day.weekday())
    name, km = draw.choice(list(RACES.items()))
    number = 1_000 * (turn + 1) + 10 * day.day + list(RACES).index(name)
    climb = "" if number % 3 == 0 else number % 17  # organisers of every third race do not tell it
    race = [number, name, who, km, climb, day, 100 + who]
    if draw.random() < 0.04:
        yield (*race, "DNF", "--", day + timedelta(hours=7))
        return
    seconds = pace * 10 * (km / 10) ** 1.06 * draw.uniform(0.97, 1.05)
    yield (*race, "Finished", clock(seconds), day + timedelta(seconds=round(seconds) + 1_800))
    if draw.random() < 0.03:  # mended three days later
        yield (*race, "Finished", clock(seconds + 10), day + timedelta(days=3))


def write(name, header, rows):
    """Write a file as a spreadsheet would."""
    with (FOLDER / name).open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerows([header, *rows])


def main():
    """Write the three files."""
    draw = Random(SEED)
    people = [
        (who, draw.choice(["female", "male", "male", ""]), draw.randint(1950, 2000)) for who in range(1, RUNNERS + 1)
    ]
    paces = {who: draw.uniform(240, 380) for who, *_ in people}
    done = sorted((row for who, pace in paces.items() for row in trained(draw, who, pace)), key=lambda row: row[2])
    found = [row for turn in range(12) for who, pace in paces.items() for row in raced(draw, who, pace, turn)]
    activities = [(9_000_000 + n, *row) for n, row in enumerate(done, 1)]
    for rows, faults in ((activities, BROKEN), (found, ODD)):
        for place, column, wrong in faults:
            rows[place] = (*rows[place][:column], wrong, *rows[place][column + 1 :])
    write("activities.csv", ACTIVITY, activities)
    write("race_results.csv", RESULT, found)
    write("athletes.csv", ("Athlete ID", "Gender", "Year of Birth"), people)


if __name__ == "__main__":
    main()
