"""Rolling sums over days, exact and in one pass: what enters a window minus what leaves it.

Every term of `spec.window.Term` is a sum over intervals of days in which an event counts. An interval adds its value
on its first day and takes it away on the day after its last one; running sums of these changes are the windows of every
day at once. The cost grows with events and rows written, not with events times the length of the window, and since only
integers and decimals are added, the result is the same for one day as for a year, at any number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.fingerprint import digest
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from platform_ml.spec.feature_group import FeatureGroup

ALIVE = "_alive"
"""1 while the entity has an event within the longest look-back."""


def alias(term: Term) -> str:
    """The column of a term: the same for the same meaning."""
    of = f"_{term.of}" if term.of else ""
    return f"_{term.kind}{of}_{term.days}d_{digest(term.value)[:8]}"


def windows_sql(group: FeatureGroup, *, first_day: int, last_day: int, step: int) -> str:
    """The rows of a group for every `step`-th day from `first_day` to `last_day` (days since 1970).

    Reads a table `events` with the entity, `_day` and the columns of the features; gives the entity, `_day` and one
    column per feature, for each entity with an event within the longest look-back, ordered by day and entity.
    """
    entity = ", ".join(map(identifier, group.keys))
    names = {term: alias(term) for feature in group.features for term in feature.terms()}
    states = names | {Term("last", group.lookback_days): ALIVE}
    running = ", ".join(f"sum({name}) OVER by_day AS {name}" for name in states.values())
    added = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in states.values())
    changes = " UNION ALL BY NAME ".join(_changes(entity, states, first_day, last_day))
    aligned = f"{first_day} + ((_from - {first_day} + {step - 1}) // {step}) * {step}"
    features = ", ".join(
        f"CAST({feature.sql(names.__getitem__)} AS {feature.result(group.types).sql}) AS {identifier(feature.name)}"
        for feature in group.features
    )
    return f"""
WITH {_shared(entity, list(states))},
changes AS ({changes}),
daily AS (SELECT {entity}, _from, {added} FROM changes GROUP BY {entity}, _from),
states AS (
    SELECT {entity}, _from, lead(_from, 1, {last_day + 1}) OVER by_day AS _until, {running}
    FROM daily WINDOW by_day AS (PARTITION BY {entity} ORDER BY _from)
),
days AS (
    SELECT {entity}, unnest(range({aligned}, _until, {step})) AS _day, {", ".join(names.values())}
    FROM states WHERE {ALIVE} > 0
)
SELECT {entity}, _day, {features} FROM days ORDER BY _day, {entity}"""


def _shared(entity: str, terms: Sequence[Term]) -> str:
    """What all windows read: sums per entity and day, and for each counted column the days on which it occurs."""
    sums = {term.value: _summed(term) for term in terms if term.kind == "each"}
    values = "".join(f", sum({value}) AS {name}" for value, name in sums.items())
    tables = [f"per_day AS MATERIALIZED (SELECT {entity}, _day{values} FROM events GROUP BY {entity}, _day)"]
    for of in dict.fromkeys(term.of if _counts(term.of) else None for term in terms if term.kind != "each"):
        item, days = entity, "per_day"
        if of is not None:
            item = f"{entity}, {identifier(of)}"
            days = f"(SELECT DISTINCT {item}, _day FROM events WHERE {identifier(of)} IS NOT NULL)"
        tables.append(
            f"{_occurrences(of)} AS MATERIALIZED ("
            f"SELECT {item}, _day, lag(_day) OVER seen AS _before, lead(_day) OVER seen AS _after "
            f"FROM {days} WINDOW seen AS (PARTITION BY {item} ORDER BY _day))"
        )
    return ",\n".join(tables)


def _changes(entity: str, names: Mapping[Term, str], first: int, last: int) -> Iterator[str]:
    """Two queries per kind of interval and window: the days on which sums change, and by how much."""
    alike: dict[tuple[str, int, str | None], list[Term]] = {}
    for term in names:
        alike.setdefault((term.kind, term.days, term.of), []).append(term)
    for (kind, days, of), terms in alike.items():
        values = {names[term]: _summed(term) if kind == "each" else term.value for term in terms}
        entering = ", ".join(f"sum({value}) AS {name}" for name, value in values.items())
        leaving = ", ".join(f"-sum({value}) AS {name}" for name, value in values.items())
        start, stop = _interval(kind, days, of)
        table = "per_day" if kind == "each" else _occurrences(of)
        # Days before the first one are cut off: what was there already enters on the first day.
        intervals = f"(SELECT *, greatest({start}, {first}) AS _start, {stop} AS _stop FROM {table})"
        alive = f"FROM {intervals} WHERE _stop > _start"
        yield f"SELECT {entity}, _start AS _from, {entering} {alive} AND _start <= {last} GROUP BY ALL"
        yield f"SELECT {entity}, _stop AS _from, {leaving} {alive} AND _stop <= {last} GROUP BY ALL"


def _interval(kind: str, days: int, of: str | None) -> tuple[str, str]:
    """The days [start, stop) on which an event counts; a null stop is no interval."""
    gone = f"_day + {days}"
    match kind:
        case "distinct" if _counts(of):
            return "_day", f"least({gone}, coalesce(_after, {gone}))"
        case "each" | "distinct":
            return "_day", gone
        case "last":
            return "_day", f"least({gone}, coalesce(_after, {gone}))"
        case "first":
            return f"greatest(_day, coalesce(_before + {days}, _day))", gone
        case "repeated":
            # least() skips nulls: without an earlier day there must be no stop.
            again = f"_before + {days}"
            return "_day", f"CASE WHEN _before IS NOT NULL THEN least({again}, coalesce(_after, {again})) END"
    raise AssertionError(kind)


def _counts(of: str | None) -> bool:
    """Whether different values of a column are counted, not just days."""
    return of not in (None, "_day")


def _occurrences(of: str | None) -> str:
    return identifier(f"days_of_{of}") if _counts(of) else "active_days"


def _summed(term: Term) -> str:
    return f"_value_{digest(term.value)[:8]}"
