"""Labels that are found in what follows: events of another source between the moment and its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.feature_group import columns_sql, derived_sql
from platform_ml.engine.ports import PARTITION
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.window import microseconds, moment

if TYPE_CHECKING:
    from datetime import date

    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.response import Response
    from platform_ml.spec.window import Cadence


def check_over(label: EventLabel, response: Response, key: str) -> None:
    """`MissingInputError` while what follows the rows of a partition may still be delivered."""
    until, over = _days(label, response, key)[1], _over(response)
    if until > over and not _ended(response):
        raise MissingInputError(
            f"Label {label.name!r}, partition {key}: its outcomes are known on {until}, when {response.horizon_days} "
            f"days are over; source {response.source.name!r} has only the days before {over}. Materialize it then."
        )


def keys(label: EventLabel, response: Response, key: str) -> list[str]:
    """The partitions in which what follows is looked for."""
    first, end = _days(label, response, key)
    # A partition of several days may begin before the first of them.
    return _cadence(response).keys(first - timedelta(days=_cadence(response).days - 1), end)


def sql(label: EventLabel, response: Response) -> str:
    """The labels of the rows in `raw`, by what is in `answers`."""
    lead, horizon, outcome = microseconds(label.lead), response.horizon_days, response.outcome.sql()
    time, happened = identifier(str(label.source.event_time)), identifier(str(response.source.event_time))
    ends = f"least({identifier(response.until)}, _from + INTERVAL {horizon} DAY)" if response.until else ""
    shared = "".join(f", {identifier(name)} AS _on_{place}" for place, name in enumerate(response.on))
    same = " AND ".join(f"answers.{identifier(name)} = _on_{place}" for place, name in enumerate(response.on))
    needed = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in dict.fromkeys([label.entity, *response.on]))
    first, over = (literal(moment(day)) for day in (_cadence(response).first, _over(response)))
    return f"""
WITH events AS (SELECT *{derived_sql(label.derived)}, {time} - INTERVAL {lead} MICROSECONDS AS _from FROM raw),
asked AS (
    SELECT *, {ends or f"_from + INTERVAL {horizon} DAY"} AS _until, row_number() OVER () AS _row
    FROM events WHERE {needed}
),
covered AS (SELECT * FROM asked WHERE _from >= {first}::TIMESTAMPTZ AND _until <= {over}::TIMESTAMPTZ),
questions AS (SELECT _row, _from, _until{shared} FROM covered),
followed AS (
    SELECT _row, {outcome} AS _value
    FROM (SELECT _row, answers.* FROM questions JOIN answers ON {same} AND {happened} >= _from AND {happened} < _until)
    GROUP BY _row
),
nothing AS (SELECT {outcome} AS _nothing FROM answers WHERE FALSE)
SELECT {PARTITION}, {columns_sql(label.own)}, _from AS {EVENT_TIME},
       CAST(CASE WHEN followed._row IS NULL THEN _nothing ELSE _value END AS {label.type.sql})
       AS {identifier(label.name)}, _until AS {KNOWN_TIME}
FROM covered LEFT JOIN followed USING (_row) CROSS JOIN nothing
ORDER BY {PARTITION}, {EVENT_TIME}, {columns_sql(label.key)}"""


def _days(label: EventLabel, response: Response, key: str) -> tuple[date, date]:
    """The days [first, end) in which an event can answer a row of the partition."""
    first = moment(label.cadence.day(key)) - label.lead
    last = moment(label.cadence.day(key)) + timedelta(days=label.cadence.days) - label.lead
    end = last + timedelta(days=response.horizon_days)
    return first.date(), (end + timedelta(days=1) - timedelta(microseconds=1)).date()


def _over(response: Response) -> date:
    """The first day that has not been delivered yet."""
    today = datetime.now(UTC).date()
    return min(_cadence(response).end or today, today)


def _ended(response: Response) -> bool:
    """Whether nothing more will ever be delivered."""
    return _over(response) == _cadence(response).end


def _cadence(response: Response) -> Cadence:
    if response.source.cadence is None:
        raise TypeError(response)
    return response.source.cadence
