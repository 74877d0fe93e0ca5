"""What athletes are, do and can: the model behind `AthleteSeasons`, a block of athletes at a time.

Every athlete has random numbers of their own, drawn day by day, so neither more athletes nor more days change a row.

Published, and taken as they are:
* fitness and fatigue after Banister: w(t) is the training load of a day, g(t) = g(t-1) exp(-1/t1) + w(t) and h(t)
  likewise with t2; performance is g - k h, with t1 of 42 to 45 days, t2 of 7 to 15 days and k about 2 (Banister et al.
  1975; Morton, Fitz-Clarke and Banister 1990)
* the load of a session is its minutes times its perceived effort from 1 to 10 (Foster et al. 2001)
* t2 = t1 (d2 / d1) ** 1.06 up to the half marathon (Riegel 1981)
* the marathon is slower than that by more than 10 minutes for half of the runners, less so for those who train more
  (Vickers and Vertosick 2016)

Fitted, so that `athlete_figures` finds what Vickers and Vertosick (2016) found (mean squared errors of predicted
marathon times of 381 min² by Riegel's formula, 228 and 208 by models of one and of two races, half of the runners at
least 10 minutes slower than the formula): MARATHON_FADE, FADE_BY_TRAINING, FADE_SPREAD and the last of DAY.

Declared without a source, so that seasons look like seasons: everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

SPORTS = ("run", "ride", "swim")
DISTANCES = (5_000, 10_000, 21_098, 42_195)
"""Metres: 5k, 10k, half and full marathon."""
MARATHON = 3
RIEGEL = 1.06
MARATHON_FADE, FADE_BY_TRAINING, FADE_SPREAD = 0.044, 0.020, 0.027
"""How much slower than Riegel's formula the marathon is (in logarithms): the mean, what a standard deviation more
weekly distance takes away, and what is the runner's own. Fitted."""
DAY = (0.022, 0.022, 0.026, 0.039)
"""The spread of the day's form for each distance, in logarithms. That of the marathon is fitted."""
COURSE = 0.006
"""The spread of what a course costs that its climb does not say."""
CLIMB = 0.0012
"""What a metre of climb per kilometre costs, in logarithms."""
HEAT = (0.0004, 0.0006, 0.0012, 0.0020)
"""What a degree above 15 °C costs."""
EXPONENT_SPREAD = 0.015
"""How runners differ from Riegel's exponent."""
FORM = 0.06
"""What doubling performance (g - k h) beyond the usual would gain."""
ENTERED = (0.030, 0.035, 0.028, 0.022)
"""The chance of a week to enter a race of each distance."""
RECOVERY = (5, 6, 13, 34)
"""Days after a race without another one."""
DID_NOT_FINISH = (0.003, 0.005, 0.01, 0.03)
EVENTS = 4
"""Races of each distance in a week."""
AHEAD = 14
"""Days that are simulated beyond the last one, since athletes know their next race."""
TAPER = 9
USUAL_EFFORT, RACE_EFFORT = 4.45, 8
SUNDAY = 3
"""1970-01-01 plus so many days is a Sunday."""
UNIFORM, NORMAL = 7, 4
"""Random numbers of a day and sport."""


@dataclass(frozen=True, kw_only=True)
class People:
    """(n,) what the athletes of a block are."""

    ids: Whole
    woman: Flags
    age: Floats
    """At the first day."""
    training: Floats
    """Standard deviations from the mean of the logarithm of weekly distance."""
    pace: Floats
    """The logarithm of the seconds for 10 km at usual fitness."""
    exponent: Floats
    fade: Floats
    rates: Floats
    """(n, 3) sessions of each sport on a usual day."""
    marathons: Flags
    breaks: Floats
    """The chance of a day that a break begins."""
    phase: Floats
    taus: Floats
    """(n, 3) time constants of fitness and fatigue, and how much more fatigue weighs."""
    heart: Floats
    """(n, 2) heart rate at rest and at most."""
    strap: Flags
    """Whether heart rate is measured."""


@dataclass(frozen=True, kw_only=True)
class Seasons:
    """What the athletes of a block did: (n, days, 3) of sessions, (n, weeks) of races."""

    people: People
    happened: Flags
    minutes: Floats
    effort: Floats
    uniform: Floats
    normal: Floats
    sunday: int
    """The first Sunday, in days since 1970."""
    entered: Whole
    """Which distance is raced on the Sunday of a week; -1: none."""
    event: Whole
    """Which of the week's races of that distance."""
    latent: Floats
    """The logarithm of the seconds that the state of the athlete and the climb of the course let expect."""
    seconds: Floats
    outcome: Floats
    """(n, weeks, 5) uniform numbers that decide what becomes of the result."""


def drawn(seed: int, what: int, who: int) -> tuple[Any, Any]:
    """Generators of uniform and of normal numbers, for one purpose and one athlete."""
    import numpy as np

    return np.random.default_rng((seed, what, 0, who)), np.random.default_rng((seed, what, 1, who))


def people(seed: int, ids: Whole) -> People:
    """Who they are."""
    import numpy as np

    draws = [drawn(seed, 1, int(who)) for who in ids]
    u = np.array([one.random(12) for one, _ in draws])
    z = np.array([two.standard_normal(12) for _, two in draws])
    woman, age = u[:, 0] < 0.25, np.clip(40 + 10 * z[:, 0], 18, 75)
    training = z[:, 1]
    level = np.log(46 * 60) + 0.13 * z[:, 2] - 0.07 * training + 0.11 * woman
    own = 3.2 * np.exp(0.3 * training)
    kind = u[:, 1]  # half of them only run
    rates = np.stack([own, np.where(kind < 0.5, 0, 1.6), np.where(kind < 0.75, 0, 1.1)], axis=1) / 7
    return People(
        ids=ids,
        woman=woman,
        age=age,
        training=training,
        pace=level + 0.006 * np.maximum(age - 35, 0),
        exponent=EXPONENT_SPREAD * z[:, 3],
        fade=MARATHON_FADE - FADE_BY_TRAINING * training + FADE_SPREAD * z[:, 4],
        rates=np.minimum(rates, 0.92),
        marathons=u[:, 2] < 0.6,
        breaks=0.5 / 365 * np.exp(0.6 * z[:, 5]),
        phase=u[:, 3] * 2 * np.pi,
        taus=np.stack([42 + 3 * u[:, 4], 7 + 8 * u[:, 5], 2 + 0.15 * z[:, 6]], axis=1),
        heart=np.stack([55 + 6 * z[:, 7], 208 - 0.7 * age + 6 * z[:, 8]], axis=1),
        strap=u[:, 6] < 0.85,
    )


def events(seed: int, first: int, weeks: int) -> tuple[Floats, Floats, Floats]:
    """(weeks, 4, EVENTS) climb in m/km and what else the course costs; (weeks,) degrees above 15 on its Sunday."""
    import numpy as np

    draws = [drawn(seed, 2, week)[1].standard_normal(2 * 4 * EVENTS + 1) for week in range(weeks)]
    z: Floats = np.array(draws).reshape(weeks, -1)
    shaped = z[:, 1:].reshape(weeks, 2, 4, EVENTS)
    climb = np.round(np.exp(1.9 + 0.5 * shaped[:, 0]), 1).astype(np.float64)
    day = first + 7 * np.arange(weeks)
    warmth: Floats = 13 + 10 * np.sin(2 * np.pi * (day % 365.25 - 110) / 365.25) + 3.5 * z[:, 0]
    return climb, COURSE * shaped[:, 1], np.maximum(warmth - 15, 0)


def seasons(seed: int, ids: Whole, first_day: int, days: int) -> Seasons:
    """What they did from `first_day` (days since 1970) on."""
    import numpy as np

    who, n = people(seed, ids), len(ids)
    uniform, normal = np.empty((n, days, 3, UNIFORM)), np.empty((n, days, 3, NORMAL))
    weekly, broke, lasts = np.empty((n, days // 7 + 1, 10)), np.empty((n, days)), np.empty((n, days))
    for row, athlete in enumerate(ids):
        one, two = drawn(seed, 3, int(athlete))
        one.random(out=uniform[row])
        two.standard_normal(out=normal[row])
        one, two = drawn(seed, 4, int(athlete))
        one.random(out=broke[row])
        two.standard_normal(out=lasts[row])
        one, two = drawn(seed, 5, int(athlete))
        weekly[row] = np.column_stack([one.random((weekly.shape[1], 8)), two.standard_normal((weekly.shape[1], 2))])
    away, sundays = _away(who, broke, lasts), (SUNDAY - first_day) % 7
    entered = _entered(who, weekly[:, :, 0], away[:, sundays::7])
    happened, minutes, effort = _sessions(who, uniform, normal, away, entered, first_day)
    load = (minutes * effort * happened).sum(axis=2)
    load[:, sundays::7] += RACE_EFFORT * np.where(entered < 0, 0, np.exp(_by_riegel(who, entered)) / 60)
    form = _form(who, load)
    event = (weekly[:, :, 1] * EVENTS).astype(np.int64)
    latent, seconds = _raced(seed, who, entered, event, form[:, sundays::7], weekly[:, :, 8], first_day + sundays)
    return Seasons(
        people=who,
        happened=happened,
        minutes=minutes,
        effort=effort,
        uniform=uniform,
        normal=normal,
        sunday=first_day + sundays,
        entered=entered,
        event=event[:, : entered.shape[1]],
        latent=latent,
        seconds=seconds,
        outcome=weekly[:, : entered.shape[1], 2:],
    )


def usual_minutes(who: People) -> Floats:
    """(n, 3) how long a session of each sport takes on average."""
    import numpy as np

    return np.array([48.0, 85.0, 45.0]) * np.exp(0.10 * who.training[:, None])


def _by_riegel(who: People, entered: Whole) -> Floats:
    """(n, weeks) the logarithm of the seconds that Riegel's formula makes of the usual 10 km."""
    import numpy as np

    return who.pace[:, None] + RIEGEL * np.log(np.take(DISTANCES, entered) / 10_000)


def _raced(
    seed: int, who: People, entered: Whole, event: Whole, form: Floats, luck: Floats, first_sunday: int
) -> tuple[Floats, Floats]:
    """(n, weeks) the logarithm of the seconds that could be known before, and the seconds that it took."""
    import numpy as np

    weeks = entered.shape[1]
    event, luck = event[:, :weeks], luck[:, :weeks]
    climb, course, warmth = events(seed, first_sunday, weeks)
    at, which = np.arange(weeks)[None, :], np.maximum(entered, 0)
    longer = np.log(np.take(DISTANCES, which) / 10_000)
    latent = (
        _by_riegel(who, which)
        + who.exponent[:, None] * longer
        + who.fade[:, None] * (which == MARATHON)
        - FORM * np.clip(form, -1, 1)
        + CLIMB * (climb[at, which, event] - 7)
    )
    unforeseen = course[at, which, event] + np.take(HEAT, which) * warmth[at] + np.take(DAY, which) * luck
    return latent, np.exp(latent + unforeseen)


def _away(who: People, broke: Floats, lasts: Floats) -> Flags:
    """(n, days) when they are injured or on holiday: from one to some ten weeks."""
    import numpy as np

    until, away = np.zeros(len(who.ids)), np.empty(broke.shape, bool)
    for day in range(broke.shape[1]):
        begins = broke[:, day] < who.breaks
        until = np.where(begins, np.maximum(until, day + np.exp(2.9 + 0.7 * lasts[:, day])), until)
        away[:, day] = day < until
    return away


def _entered(who: People, chance: Floats, away: Flags) -> Whole:
    """(n, weeks) the distance that is raced, -1 for none."""
    import numpy as np

    entered, free = np.full(away.shape, -1), np.zeros(len(who.ids))
    edges = np.cumsum(ENTERED)
    for week in range(away.shape[1]):
        which = np.searchsorted(edges, chance[:, week], side="right")
        can = (which < len(edges)) & ~away[:, week] & (free <= 7 * week) & (who.marathons | (which != MARATHON))
        entered[:, week] = np.where(can, which, -1)
        free = np.where(can, 7 * week + np.take((*RECOVERY, 0), which), free)
    return entered


def _sessions(
    who: People, uniform: Floats, normal: Floats, away: Flags, entered: Whole, first_day: int
) -> tuple[Flags, Floats, Floats]:
    """(n, days, 3) whether they trained, for how many minutes, and how hard from 1 to 10; races are not among them."""
    import numpy as np

    days = away.shape[1]
    day = first_day + np.arange(days)
    season = 1 + 0.25 * np.sin(2 * np.pi * day / 365.25 + who.phase[:, None])
    racing, tapering = np.zeros((2, *away.shape), bool)
    for week in range(entered.shape[1]):
        at = (SUNDAY - first_day) % 7 + 7 * week
        raced = entered[:, week]
        racing[raced >= 0, at] = True
        tapering[raced >= 2, max(0, at - TAPER) : at] = True
        tapering[raced == MARATHON, at + 1 : at + TAPER] = True
    usual = who.rates[:, None, :] * (season * (1 - 0.45 * tapering))[:, :, None]
    happened = (uniform[..., 0] < usual) & ~away[:, :, None] & ~racing[:, :, None]
    hard = uniform[..., 1]
    long = ((day - SUNDAY) % 7 == 0)[None, :, None] & (np.arange(3) < 2)
    minutes = usual_minutes(who)[:, None, :] * np.exp(0.28 * normal[..., 0] + 0.5 * long - 0.12)
    effort = np.clip(np.round(np.where(hard < 0.75, 3.6, 7.0) + 0.8 * normal[..., 1]), 1, 10)
    return happened, np.clip(minutes * (1 - 0.2 * tapering)[:, :, None], 8, 420), effort


def _form(who: People, load: Floats) -> Floats:
    """(n, days) performance over what the athlete's usual training brings, less one; before the day's own session."""
    import numpy as np

    fitness, fatigue, more = who.taus.T
    usual = USUAL_EFFORT * (who.rates * usual_minutes(who)).sum(axis=1)
    keep, lose = np.exp(-1 / fitness), np.exp(-1 / fatigue)
    g, h = usual / (1 - keep), usual / (1 - lose)
    reference = g - more * h
    form = np.empty(load.shape)
    for day in range(load.shape[1]):
        form[:, day] = (g * keep - more * h * lose) / reference - 1
        g, h = g * keep + load[:, day], h * lose + load[:, day]
    return form
