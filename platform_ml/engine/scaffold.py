"""A new project as files: declarations, example rows and a test, written from templates."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.proposal import Asked, Proposal, propose
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.schema import EXACT_NUMBERS, Decimal
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.schema import Type

INVENTED = "orders.csv"
MODULES = ("__init__", "sources", "features", "model")
FIRST, WEEKS, CUSTOMERS, SEED = date(2024, 1, 1), 8, 200, 7
MOST_ROWS = 20_000
"""What an example has at most: of a longer file it takes all rows of some entities."""
HORIZONS = ((98, 14), (56, 7))
"""Days that the rows must span → how far ahead is predicted, so that all splits and the gaps between them have room."""
BEFORE = 14
"""Days of rows that the first moment of prediction can look back on."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the templates are filled with."""

    name: str
    owner: str
    invented: bool
    """Whether the rows are made up, and nobody's."""
    file: str
    """What the rows were called."""
    proposal: Proposal
    horizon: int
    snapshots: tuple[date, date]

    @property
    def amounts(self) -> list[str]:
        """Columns that can be added up exactly."""
        return self.proposal.of(*EXACT_NUMBERS)[:3]

    @property
    def types(self) -> list[str]:
        """The types of its columns, by name."""
        return sorted({type(column.type).__name__ for column in self.proposal.columns})

    @property
    def history(self) -> int:
        """Days between the first and the last moment of prediction."""
        return (self.snapshots[1] - self.snapshots[0]).days


def plan(name: str, owner: str, file: Path | None, asked: Asked, *, folder: Path, compute: Compute) -> Plan:
    """What can be written of a file, or of invented rows without one; `PlatformError` where too little is known.

    Args:
        name: of the project.
        owner: an e-mail address or `team:name`.
        file: CSV with a header.
        asked: what is not to be found in the file but said.
        folder: where invented rows are written.
        compute: what reads them.
    """
    if file is None:
        given = folder / INVENTED
        given.write_text(invented(), encoding="utf-8")
        asked = Asked(key=("order_id",), entity="customer_id", event_time="ordered_at")
    else:
        given = file
    found = propose(given, asked, compute)
    span = (found.last - found.first).days + 1
    horizon = next((ahead for least, ahead in HORIZONS if span >= least), 0)
    if not horizon:
        raise PlatformError(
            f"{given.name}: its rows span {span} days. A model is trained, tuned and judged on moments that lie apart, "
            f"and looks a week ahead: take a file of {HORIZONS[-1][0]} days or more."
        )
    last = found.last + timedelta(days=1 - horizon)
    weeks = (last - found.first - timedelta(days=BEFORE)).days // 7
    return Plan(
        name=name,
        owner=owner,
        invented=file is None,
        file=given.name,
        proposal=found,
        horizon=horizon,
        snapshots=(last - timedelta(weeks=weeks), last),
    )


def files(made: Plan, compute: Compute) -> dict[str, str]:
    """Path in the checkout → text of a new project."""
    package = f"platform_ml/projects/{made.name}"
    texts = {f"{package}/{name}.py": _render(f"{name}.py.j2", made) for name in MODULES}
    texts[f"{package}/{made.proposal.name}.csv"] = _example(made.proposal, compute)
    texts[f"platform_ml_tests/projects/test_{made.name}.py"] = _render("test.py.j2", made)
    return texts


def invented() -> str:
    """Orders of a shop as CSV: most customers come regularly, some stop; the same rows every time."""
    draw = random.Random(SEED)  # noqa: S311 - rows, no secrets
    rows = [[number, *order] for number, (_, order) in enumerate(sorted(_orders(draw)), 1)]
    return _csv(["order_id", "customer_id", "amount", "ordered_at"], rows)


def _orders(draw: random.Random) -> Iterator[tuple[datetime, tuple[int, str, str]]]:
    for customer in range(1, CUSTOMERS + 1):
        rate, typical = draw.choice((0.4, 0.15, 0.06)), draw.randint(5, 80)
        leaves = draw.randint(0, 2 * WEEKS * 7)
        for day in range(WEEKS * 7):
            if day <= leaves and draw.random() < rate:
                at = datetime.combine(FIRST, datetime.min.time()) + timedelta(days=day, seconds=draw.randrange(86_400))
                yield at, (customer, f"{typical * draw.uniform(0.5, 1.5):.2f}", str(at))


def _example(found: Proposal, compute: Compute) -> str:
    """The rows, written in the one way in which examples are read."""
    names = [column.name for column in found.columns]
    (count,) = compute.query(f"SELECT count(*) AS n FROM {found.relation}", {}).table()["n"].to_pylist()
    share = -(-count // MOST_ROWS)
    rows = compute.query(
        f"SELECT {', '.join(map(identifier, names))} FROM {found.relation} "
        f"WHERE hash({identifier(found.entity)}) % {share} = 0 "
        f"ORDER BY CAST({identifier(found.event_time)} AS TIMESTAMPTZ), {', '.join(map(identifier, found.key))}",
        {},
    ).table()
    return _csv(names, zip(*(rows[name].to_pylist() for name in names), strict=True))


def _csv(names: list[str], rows: object) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


def _render(template: str, made: Plan) -> str:
    return _environment().get_template(template).render(plan=made, found=made.proposal)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - Python files; every value is a checked name, a number or a day
        loader=FileSystemLoader(Path(__file__).parent / "templates" / "project"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"declared": _declared, "quoted": _quoted, "day": _day}
    return environment


def _declared(kind: Type) -> str:
    """A type as it is written in a declaration."""
    return f"Decimal({kind.precision}, {kind.scale})" if isinstance(kind, Decimal) else f"{type(kind).__name__}()"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _day(day: date) -> str:
    return f"date({day.year}, {day.month}, {day.day})"
