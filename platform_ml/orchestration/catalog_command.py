"""`platform-ml catalog`: what is declared, what there is of it, and who uses it; as tables, a page, or JSON."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.catalog import SHORT, catalog
from platform_ml.engine.catalog_columns import FEATURE
from platform_ml.engine.catalog_page import counts, html, latest, parts, percent
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from platform_ml.engine.catalog import Catalog, CatalogProject, Item
    from platform_ml.engine.catalog_columns import CatalogColumn
    from platform_ml.spec.project import Project

WIDE = 130
"""Characters of a terminal from which on the tables say more."""
ENDLESS = 10_000
"""Characters of a line that is read by another program: nothing is cut or wrapped."""
MEASURED = ("looks back", "missing", "outliers")
NUMBERS = ("rows", "columns", "partitions", "quality", "ready", *MEASURED)
STYLES = {"current": "green", "stale": "red", "not approved": "red", "not materialized yet": "dim"}


def show(projects: Sequence[Project], name: str | None, *, page: str | None, data: str | None) -> int:
    """Print the catalog or one item of it, or write it to files ("-" is the standard output)."""
    resource = PlatformResource()
    found = catalog(projects, lambda project: resource.work(project, lambda _: None), day=datetime.now(UTC).date())
    item = found.item(name) if name else None
    if page:
        _write(page, html(found))
    if data:
        _write(data, json.dumps(found.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    if not (page or data):
        console = _console()
        with console.capture() as shown:
            if item is None:
                _overview(found, console)
            else:
                _detail(item, console)
        print("\n".join(line.rstrip() for line in shown.get().splitlines()))
    return 0


def _write(to: str, text: str) -> None:
    if to == "-":
        print(text, end="")
        return
    try:
        Path(to).write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlatformError(
            f"{to} cannot be written: {error.strerror}. Name a file in a folder that is there."
        ) from error
    print(f"{to}: {len(text.encode()):,} bytes")


def _console() -> Console:
    from rich.console import Console

    told = os.environ.get("COLUMNS", "")
    width = None if sys.stdout.isatty() or told.isdecimal() else ENDLESS
    return Console(width=width, highlight=False, markup=False, emoji=False)


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")


def _overview(found: Catalog, console: Console) -> None:
    for project in found.projects:
        console.print(f"{project.name}: {project.description} Owner: {project.owner}.")
        console.print()
        console.print(_wide(project) if console.width >= WIDE else _narrow(project))
        for item in project.items:
            if item.made and item.made.others:
                console.print(f"{item.name}: {item.trouble}", style="red")
        console.print()
    said = counts(found)
    console.print(
        f"{said['declared']:,} declarations, {said['materialized']:,} materialized, {said['stale']:,} stale. "
        "More of one: platform-ml catalog PROJECT NAME"
    )


def _wide(project: CatalogProject) -> Table:
    """A line says all, so that other programs can pick some."""
    table = _table()
    for name in ("name", "kind", "version", "status", "rows", "columns", "partitions", "latest", "quality", "ready"):
        table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True)
    table.add_column("used by", overflow="fold")
    for item in project.items:
        size = [_rows(item), f"{len(item.columns):,}" if item.columns else "", parts(item), latest(item)]
        before: list[Text | str] = [_bold(item.name), item.kind, item.version[:SHORT], _status(item)]
        table.add_row(*before, *size, *_scores(item), ", ".join(item.consumers))
    return table


def _narrow(project: CatalogProject) -> Table:
    """Kind by kind, without what a wider terminal shows beside."""
    table = _table()
    for name in ("name", "status", "rows", "latest", "quality", "ready"):
        table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True)
    for kind in dict.fromkeys(item.kind for item in project.items):
        table.add_row(f"{kind}s")
        for item in project.items:
            if item.kind == kind:
                table.add_row(_bold(f"  {item.name}"), _status(item), _rows(item), latest(item), *_scores(item))
    return table


def _rows(item: Item) -> str:
    return f"{item.made.rows:,}" if item.made and item.made.rows is not None else ""


def _scores(item: Item) -> list[str]:
    return [f"{item.quality.score:.3f}", percent(item.quality.ready_share)] if item.quality else ["", ""]


def _bold(name: str) -> Text:
    from rich.text import Text

    return Text(name, style="bold")


def _status(item: Item) -> Text:
    from rich.text import Text

    return Text(item.status, style=STYLES.get(item.status, "yellow"))


def _detail(item: Item, console: Console) -> None:
    console.print(f"{item.key}, {item.kind}: {item.description}")
    console.print()
    facts = _table()
    facts.show_header = False
    facts.add_column("fact", style="dim", no_wrap=True)
    facts.add_column("value", overflow="fold")
    for name, value in _facts(item).items():
        facts.add_row(name, value)
    console.print(facts)
    if item.trouble:
        console.print(item.trouble, style="yellow")
    if item.columns:
        console.print()
        console.print(_columns(item.columns, console))
    for version in item.made.versions if item.made else ():
        note = "" if version.current else " (another declaration)"
        console.print(f"{version.digest[:12]}  cutoff {version.cutoff}  {version.made}{note}")


def _facts(item: Item) -> dict[str, str]:
    made, fresh, quality = item.made, item.freshness, item.quality
    said = {"status": item.status, "version": item.version[:12], "owner": item.owner}
    said |= {name.lower(): value for name, value in item.facts.items()}
    if made:
        rows = "" if made.rows is None else f"{made.rows:,} rows, "
        said |= {"there": f"{rows}{parts(item)} {made.parts}", "place": made.place}
    if made and made.changed:
        said["changed"] = f"{made.changed[:16].replace('T', ' ')} UTC"
    if fresh and fresh.latest:
        said["latest"] = fresh.latest + (f", {fresh.behind:,} behind {fresh.expected}" if fresh.behind else "")
    if quality:
        said["quality score"] = (
            f"{quality.score:.3f} ({percent(quality.missing_share)} missing, {percent(quality.outlier_share)} outliers)"
            f", {percent(quality.ready_share)} of the rows are ready"
        )
    said |= {"made of": ", ".join(item.upstream) or "what suppliers deliver"}
    said |= {"used by": ", ".join(item.consumers) or "nothing yet"}
    return said | ({"downstream": ", ".join(item.downstream)} if item.downstream else {})


def _columns(columns: Sequence[CatalogColumn], console: Console) -> Table:
    """A narrow terminal shows role and unit with the meaning."""
    table, wide = _table(), console.width >= WIDE
    told = [[one.lookback, percent(one.missing), percent(one.outlying)] for one in columns]
    some = [n for n, name in enumerate(MEASURED) if any(row[n] for row in told)]
    beside = ("role", "type", "unit") if wide else () if 0 in some else ("type",)
    for name in ("column", *beside, *(MEASURED[n] for n in some)):
        table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True)
    table.add_column("meaning", overflow="fold")
    for one, row in zip(columns, told, strict=True):
        unit = f"[{one.unit}]" if one.unit and not wide else ""
        role = f"{one.role.capitalize()}." if one.role not in {"", FEATURE} and not wide else ""
        meaning = " ".join(filter(None, (role, one.meaning, unit, f"({one.rule})" if one.rule else "")))
        said = {"role": one.role, "type": one.type, "unit": one.unit or ""}
        table.add_row(one.name, *(said[name] for name in beside), *(row[n] for n in some), meaning)
    return table
