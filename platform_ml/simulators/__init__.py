"""Worlds that do not exist, for what no package has data of: one file per simulator."""

from platform_ml.simulators.athlete_seasons import AthleteSeasons

__all__ = ["AthleteSeasons"]
