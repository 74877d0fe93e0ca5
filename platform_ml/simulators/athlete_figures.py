"""How simulated seasons compare with published figures, and what no model of them can be better than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.simulators.athlete_model import DISTANCES, MARATHON, RIEGEL

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from platform_ml.simulators.athlete_seasons import AthleteSeasons

YEAR = 365
FOLDS = 3
"""Athletes are split two to one into those that a model is fitted to and those that it is judged by."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Errors of predicted marathon times, as Vickers and Vertosick (2016) give them: 381, 228, 208 and one half."""

    marathons: int
    riegel: float
    """Mean squared error in min² of Riegel's formula from the latest race of another distance."""
    one_race: float
    """Of a regression of speed on that of an earlier race and on weekly distance, for athletes it was not fitted to."""
    two_races: float
    """Of one on the latest races of two other distances, each within a year."""
    ten_minutes_slower: float
    """The share of the marathons that took at least 10 minutes longer than the formula says."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What the best possible model of a distance errs by, in minutes: one that knows the state of each athlete."""

    metres: int
    races: int
    mean_minutes: float
    rmse: float
    """The root of the mean squared error."""
    mae: float
    """The mean absolute error."""


def noise_floor(of: AthleteSeasons) -> tuple[Floor, ...]:
    """The error that is left to a model that knows ability, endurance, form and climb, for each distance.

    What is left is drawn on the day: the runner's day, the weather and what else a course costs. A model that is given
    features of the past knows less, so its error is larger.
    """
    races = of.expected().to_pandas()
    # The middle of the noise: half of what the heat adds and the rest are seen as a mean over the races of a distance.
    miss = races["seconds"] / races["expected"]
    expected = races["expected"] * miss.groupby(races["metres"]).transform("median")
    error = (races["seconds"] - expected) / 60
    return tuple(
        Floor(
            metres=metres,
            races=len(some),
            mean_minutes=float(races["seconds"][some.index].mean() / 60),
            rmse=float((some**2).mean() ** 0.5),
            mae=float(some.abs().mean()),
        )
        for metres in DISTANCES
        if len(some := error[races["metres"] == metres])
    )


def figures(of: AthleteSeasons) -> Figures:
    """What Vickers and Vertosick computed, of the simulated races."""
    import numpy as np

    rows = _marathons(of)
    minutes, one = rows["minutes"].to_numpy(), rows["one"].to_numpy()
    formula = DISTANCES[MARATHON] / 1_000 / one  # speeds are those that the formula expects in the marathon
    return Figures(
        marathons=len(rows),
        riegel=float(((formula - minutes) ** 2).mean()),
        one_race=_squared_error(rows, ["one", "weekly"]),
        two_races=_squared_error(rows, ["one", "two", "weekly"]),
        ten_minutes_slower=float(np.mean(minutes - formula >= 10)),
    )


def _marathons(of: AthleteSeasons) -> pd.DataFrame:
    """Each marathon with the latest races of two other distances in the year before, and weekly distance."""
    races = of.expected().select(["athlete", "day", "metres", "seconds"]).to_pandas().sort_values("day")
    races["speed"] = (
        DISTANCES[MARATHON] / 1_000 / (races["seconds"] / 60 * (DISTANCES[MARATHON] / races["metres"]) ** RIEGEL)
    )
    full = races["metres"] == DISTANCES[MARATHON]
    rows = races[full].rename(columns={"speed": "own"}).assign(minutes=races["seconds"] / 60, n=range(full.sum()))
    before = races[~full].rename(columns={"day": "then", "metres": "shorter"}).drop(columns="seconds")
    pairs = rows.merge(before, on="athlete")
    pairs = pairs[(pairs["then"] < pairs["day"]) & (pairs["then"] >= pairs["day"] - YEAR)]
    latest = pairs.sort_values("then", ascending=False).drop_duplicates(["n", "shorter"])
    latest["place"] = latest.groupby("n").cumcount()
    speeds = latest[latest["place"] < 2].pivot_table(index="n", columns="place", values="speed")
    speeds = speeds.dropna().rename(columns={0: "one", 1: "two"})
    found: pd.DataFrame = rows.set_index("n").join(speeds, how="inner").merge(_weekly(of), on="athlete")
    return found


def _weekly(of: AthleteSeasons) -> pd.DataFrame:
    """The kilometres that each athlete runs in a week."""
    runs = of.rows("activities").select(["Athlete ID", "Activity Type", "Distance"]).to_pandas()
    sums = runs[runs["Activity Type"] == "Run"].groupby("Athlete ID")["Distance"].sum()
    weeks = ((of.last - of.first).days + 1) / 7
    weekly: pd.DataFrame = (sums / weeks).rename("weekly").rename_axis("athlete").reset_index()
    return weekly


def _squared_error(rows: pd.DataFrame, names: list[str]) -> float:
    """The mean squared error in min² of linear regressions of speed, for athletes that they were not fitted to."""
    import numpy as np

    inputs: NDArray[np.float64] = np.column_stack([np.ones(len(rows)), rows[names]])
    own, minutes, fold = rows["own"].to_numpy(), rows["minutes"].to_numpy(), rows["athlete"].to_numpy() % FOLDS
    found = np.empty(len(rows))
    for out in range(FOLDS):
        weights, *_ = np.linalg.lstsq(inputs[fold != out], own[fold != out])
        found[fold == out] = inputs[fold == out] @ weights
    return float(((DISTANCES[MARATHON] / 1_000 / found - minutes) ** 2).mean())
