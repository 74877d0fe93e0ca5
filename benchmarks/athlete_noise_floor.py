"""What the simulated athletes agree with, and what no model of their races can be better than.

python benchmarks/athlete_noise_floor.py [ATHLETES]
"""

import sys

from platform_ml.projects.athlete.sources import SIMULATED
from platform_ml.simulators import AthleteSeasons
from platform_ml.simulators.athlete_figures import figures, noise_floor


def main() -> None:
    """Print both."""
    athletes = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATED.athletes
    world = AthleteSeasons(athletes=athletes, first=SIMULATED.first, last=SIMULATED.last, seed=SIMULATED.seed)
    found = figures(world)
    print(f"Simulated: {athletes:,} athletes, {world.first} to {world.last}, {found.marathons:,} marathons predicted")
    print("mean squared error, min²      published  simulated")
    for what, published, value in (
        ("Riegel's formula", 381, found.riegel),
        ("model of one race", 228, found.one_race),
        ("model of two races", 208, found.two_races),
    ):
        print(f"  {what:<26} {published:>9} {value:>10.0f}")
    print(f"  10 min slower than formula     a half {found.ten_minutes_slower:>10.1%}")
    print("\nerror of a model that knows the state of each athlete, in minutes")
    print("   metres  races  mean time   RMSE    MAE")
    for floor in noise_floor(world):
        print(f"  {floor.metres:>7} {floor.races:>6} {floor.mean_minutes:>10.1f} {floor.rmse:>6.2f} {floor.mae:>6.2f}")


if __name__ == "__main__":
    main()
