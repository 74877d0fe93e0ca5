"""Random cases in the format of the files: few moments and few keys, so that ties and edges abound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from platform_ml_tests.point_in_time import oracle
from platform_ml_tests.point_in_time.case import EPOCH, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (1, 64, 65, 5_000)
SIZE_WEIGHTS = (38, 30, 30, 2)
STEPS = (1, 60, 3600, 86_400)
STARTS = (
    datetime(2024, 1, 5, tzinfo=UTC),
    datetime(2024, 10, 26, 22, 30, tzinfo=UTC),  # the night in which Europe's clocks go back
    datetime(1969, 12, 31, 12, tzinfo=UTC),  # on both sides of the epoch
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(2260, 12, 30, tzinfo=UTC),
)
KEYS = {
    "int": (1, 2, 3, 2**53, 2**53 + 1, 2**63 - 1, -1, 0),
    "text": ("a", "A", "a ", "", "007", "7", "é", "e\u0301", "日本", "🛫", "it's", 'q"q', "NULL", "x" * 300),
}
PAYLOADS = {
    "int": (0, 1, 2, -7, 2**53 + 1, None),
    "float": (0.0, 0.5, -1.25, 1e300, float("nan"), None),
    "text": ("", "x", "ß", "NaN", "null", None),
    "bool": (True, False, None),
}
SUMMED = {"int": (0, 1, 2, 5, -7, None), "float": (0.0, 0.5, 2.25, -1.25, float("nan"), None)}
OPS = ("count", "sum", "avg", "mean", "min", "max", "std", "variance", "distinct", "first", "last")
Row = dict[str, Any]


def random_cases(number: int, seed: int) -> Iterator[Row]:
    """`number` cases; the n-th of a seed is always the same one."""
    for index in range(number):
        yield random_case(Random(f"{seed}/{index}"), f"random_{seed}_{index:04}")


def random_case(random: Random, name: str, size: int | None = None) -> Row:
    """One case with the oracle's answer; `size` is its number of spine rows."""
    size = random.choices(SIZES, SIZE_WEIGHTS)[0] if size is None else size
    clock = Clock(random)
    keys = spine_keys(random, size)
    timed = random.random() < 0.95
    spine = [spine_row(random, clock, keys, number, timed=timed) for number in range(size)]
    kind = "window_agg" if random.random() < 0.25 else "pit"
    tables: list[Row] = [
        random_table(random, clock, keys, f"t{n}", kind, size, timed=timed) for n in range(random.choice((1, 1, 2, 3)))
    ]
    if timed and random.random() < 0.15:  # one table in two roles
        tables.append(tables[0] | {"name": "again", "prefix": "again__", "spine_event_time": "other"})
    if not any("spine_event_time" in table for table in tables):
        spine = [{column: cell for column, cell in row.items() if column != "other"} for row in spine]
    case = {
        "id": name,
        "kind": kind,
        "title": "random",
        "origin": "random_cases.py",
        "spine": {"event_time": "ts" if timed else None, "rows": spine},
        "tables": tables,
        "policy": random_policy(random, clock, timed=timed),
    }
    parsed = parse(case)
    case["expected"] = [dict(zip(parsed.columns, row.values(), strict=True)) for row in oracle.answer(parsed)]
    for row in case["expected"]:
        row.update({column: written(row[column]) for column in parsed.times})
    return case


class Clock:
    """A few moments, whole steps apart, and those a microsecond beside them; durations are whole steps too."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.step = random.choice(STEPS)
        self.start = random.choice(STARTS)
        self.ticks = random.choice((2, 4, 8, 30))

    def moment(self, nulls: float = 0.0) -> str | int | None:
        """A time, written in one of the ways that the format allows."""
        if self.random.random() < nulls:
            return None
        at = self.start + self.random.randrange(self.ticks) * timedelta(seconds=self.step)
        if self.random.random() < 0.15:
            at += self.random.choice((-1, 1)) * timedelta(microseconds=1)
        return self.write(at)

    def write(self, at: datetime) -> str | int:
        way = self.random.choice(("Z", "Z", "Z", "naive", "+05:30", "-08:00", "date", "milliseconds"))
        if way == "date" and at.time() == datetime.min.time():
            return at.date().isoformat()
        if way == "milliseconds" and at.microsecond % 1000 == 0:
            return (at - EPOCH) // timedelta(milliseconds=1)
        if way in {"+05:30", "-08:00"}:
            return at.astimezone(datetime.fromisoformat(f"2024-01-01T00:00{way}").tzinfo).isoformat()
        naive = at.replace(tzinfo=None).isoformat()
        return naive if way == "naive" else f"{naive}Z"

    def duration(self, most: int = 3) -> int:
        """Whole steps, in seconds."""
        return self.random.randrange(most + 1) * self.step


def written(at: int | None) -> str | None:
    return None if at is None else (EPOCH + timedelta(microseconds=at)).isoformat()


def spine_keys(random: Random, size: int) -> dict[str, tuple[Any, ...]]:
    """The key columns of the spine with their values."""
    many = size > max(SIZES[:-1])
    result = {}
    for number in range(random.choice((1, 1, 2))):
        kind = random.choice(("int", "text"))
        values = KEYS[kind]
        if many:
            values += tuple(range(10, 400)) if kind == "int" else tuple(f"k{n}" for n in range(400))
        result[f"k{number}"] = values if many else tuple(random.sample(values, random.choice((1, 2, 4))))
    return result


def spine_row(random: Random, clock: Clock, keys: dict[str, tuple[Any, ...]], number: int, *, timed: bool) -> Row:
    row: Row = {"row": number, **{name: key(random, values) for name, values in keys.items()}}
    if timed:
        row |= {"ts": clock.moment(nulls=0.05), "other": clock.moment(nulls=0.05)}
    return row | {"label": random.choice((True, False))}


def key(random: Random, values: tuple[Any, ...]) -> Any:
    return None if random.random() < 0.05 else random.choice(values)


def random_policy(random: Random, clock: Clock, *, timed: bool) -> Row:
    ways: list[Any] = [None, None, {"as_of": clock.write(clock.start + timedelta(seconds=clock.duration(clock.ticks)))}]
    policy = {
        "bound": random.choice(("<=", "<=", "<")),
        "ttl_edge": random.choice(("inclusive", "inclusive", "exclusive")),
        "null_keys": random.choice(("no_match", "no_match", "match")),
        "knowledge": random.choice([*ways, "row", "row"] if timed else ways),
    }
    return {name: value for name, value in policy.items() if random.random() < 0.6}


def random_table(
    random: Random, clock: Clock, keys: dict[str, tuple[Any, ...]], name: str, kind: str, size: int, *, timed: bool
) -> Row:
    used = random.sample(sorted(keys), random.randint(1, len(keys)))
    table: Row = {"name": name, "keys": {k: f"{k}_id" if random.random() < 0.5 else k for k in used}}
    table["event_time"] = "et" if random.random() < 0.92 else None
    table |= random_order(random)
    aggregated = kind == "window_agg" and table["event_time"] is not None and timed
    types = {f"x{n}": random.choice(sorted(SUMMED if aggregated else PAYLOADS)) for n in range(random.randint(1, 3))}
    table |= {"features": [], "aggregations": random_aggregations(random, clock, types)} if aggregated else {}
    if not aggregated or random.random() < 0.2:
        table["features"] = [{"from": x, "as": f"f_{x}"} if random.random() < 0.3 else x for x in types]
        table |= random_rules(random, clock, timed=timed and table["event_time"] is not None)
    if timed and table["event_time"] is not None and random.random() < (0.4 if aggregated else 0.1):
        table |= {"known_from": "kf", "known_to": "kt"}
    if timed and table["event_time"] is not None:
        table |= {"offset_seconds": clock.duration()} if random.random() < 0.2 else {}
        table |= {"spine_event_time": "other"} if random.random() < 0.2 else {}
    table |= {"policy": random_policy(random, clock, timed=timed)} if random.random() < 0.15 else {}
    if "known_from" in table and "created" in table:  # knowledge is said once; `created` is left to order ties
        table["policy"] = table.get("policy", {}) | {"knowledge": None}
    table["prefix"] = f"{name}__"
    number = random.choice((0, 1, 5, 30, 60)) if size < max(SIZES) else random.choice((50, 2_000))
    values = {column: (SUMMED if aggregated else PAYLOADS)[of] for column, of in types.items()}
    rows: list[Row] = []
    for _ in range(number):
        again = rows and random.random() < 0.1
        rows.append(dict(random.choice(rows)) if again else random_row(random, clock, table, keys, values))
    return table | {"rows": rows}


def random_order(random: Random) -> Row:
    """What breaks ties, beside the position."""
    order = {"created": "written_at", "sequence": "seq"}
    return {name: column for name, column in order.items() if random.random() < 0.5}


def random_rules(random: Random, clock: Clock, *, timed: bool) -> Row:
    """What the newest row must obey."""
    rules: Row = {}
    if timed and random.random() < 0.4:
        rules["ttl_seconds"] = clock.duration()
    if timed and random.random() < 0.15:
        start, end, sign = clock.duration(6), clock.duration(2), random.choice((1, -1))
        rules["lookback"] = {"start": sign * max(start, end), "end": sign * min(start, end)}
    if timed and random.random() < 0.15:
        rules["valid_to"] = "vt"
    if random.random() < 0.15:
        rules["tombstone"] = "gone"
    return rules


def random_aggregations(random: Random, clock: Clock, types: dict[str, str]) -> list[Row]:
    found = []
    for number in range(random.randint(1, 3)):
        op, hop = random.choice(OPS), random.choice((None, None, clock.step, 2 * clock.step))
        item: Row = {"name": f"a{number}_{op}", "op": op}
        item |= {} if op == "count" and random.random() < 0.3 else {"column": random.choice(sorted(types))}
        item["window_seconds"] = random.choice((None, *((n * clock.step) for n in (1, 2, 4))))
        item |= {"tail_hop_seconds": hop} if hop else {}
        item |= {"head_hop_seconds": hop} if hop and random.random() < 0.3 else {}
        item |= {"interval": random.choice(("[)", "(]", "[]", "()"))} if random.random() < 0.5 else {}
        found.append(item)
    return found


def random_row(
    random: Random, clock: Clock, table: Row, keys: dict[str, tuple[Any, ...]], values: dict[str, tuple[Any, ...]]
) -> Row:
    row = {column: key(random, keys[name]) for name, column in table["keys"].items()}
    makers = {
        "event_time": lambda: clock.moment(nulls=0.05),
        "created": lambda: clock.moment(nulls=0.1),
        "sequence": lambda: random.choice((None, 1, 2, 3)),
        "valid_to": lambda: clock.moment(nulls=0.4),
        "tombstone": lambda: random.choice((True, False, False, None)),
        "known_from": lambda: clock.moment(nulls=0.4),
        "known_to": lambda: clock.moment(nulls=0.4),
    }
    for rule, make in makers.items():
        if table.get(rule) is not None:
            row[table[rule]] = make()
    return row | {column: random.choice(choices) for column, choices in values.items()}
