"""What a person looks for in the Dagster UI: schema, lineage, rows, previews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import PartitionState, Snapshot
    from platform_ml.spec.quality import PartitionQuality
    from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics

PLOTTED = 12
"""Columns whose figures are recorded one by one, so that Dagster draws them over time."""
SCORED = 50
"""Scored features whose shares of missing values and outliers are recorded one by one."""
DESCRIBED = 100
"""Columns that the table of statistics shows."""
EXPONENT, LEGIBLE = 1e6, 1e15
"""From where six digits would need an exponent, and from where on that is shorter to read."""
PREVIEW_ROWS, PREVIEW_COLUMNS, PREVIEW_CHARACTERS = 5, 12, 80


def column_schema(types: Mapping[str, str], descriptions: Mapping[str, str], required: Sequence[str]) -> dg.TableSchema:
    """Columns with their types and meanings."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                kind,
                description=descriptions.get(name),
                constraints=dg.TableColumnConstraints(nullable=name not in required),
            )
            for name, kind in types.items()
        ]
    )


def lineage(columns: Mapping[str, Sequence[tuple[dg.AssetKey, str]]]) -> dg.TableColumnLineage:
    """Column → the upstream columns it is made of, each once."""
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(asset_key=key, column_name=column) for key, column in dict.fromkeys(sources)]
            for name, sources in columns.items()
        }
    )


def of_partition(snapshot: Snapshot, state: PartitionState) -> dict[str, Any]:
    """What is recorded with each materialized partition."""
    return {
        "dagster/row_count": state.rows,
        "table_version": snapshot.version,
        "content": state.content,
        "bytes": sum(file.size for file in state.files),
    }


def measured(found: PartitionStatistics | None) -> dict[str, Any]:
    """Figures of a partition by themselves: Dagster draws each over the partitions.

    The share of nulls among all values, and of the first columns that are more than keys its mean and share of nulls.
    """
    if found is None or not found.columns:
        return {}
    nulls = sum(one.nulls for one in found.columns.values())
    figures: dict[str, Any] = {"null_share": nulls / (found.rows * len(found.columns)) if found.rows else 0.0}
    telling = [
        name for name, one in found.columns.items() if one.nulls or (one.kind == "number" and not name.endswith("_id"))
    ]
    for name in telling[:PLOTTED]:
        one = found.columns[name]
        if one.nulls:
            figures[f"null_share/{name}"] = found.null_share(name)
        if one.mean is not None:
            figures[f"mean/{name}"] = float(one.mean)
    return figures | (_scores(found.quality) if found.quality else {})


def _scores(found: PartitionQuality) -> dict[str, Any]:
    """The scores of a partition and of its features; none where it has no rows."""
    whole = {
        "feature_quality_score": found.score,
        "ready_share": found.ready_share,
        "missing_share": found.missing_share,
        "outlier_share": found.outlier_share,
        "is_training_ready": found.ready,
    }
    figures = {name: value for name, value in whole.items() if value is not None}
    for name, one in list(found.features.items())[:SCORED]:
        figures |= {f"missing_share/{name}": one.missing, f"outlier_share/{name}": one.outlying}
    return figures


def columns(found: PartitionStatistics | None) -> dict[str, Any]:
    """The columns of a partition as a Markdown table."""
    if found is None:
        return {}
    head = ["column", "nulls", "distinct, about", "min", "median", "max", "mean", "std", "most frequent"]
    lines = [_line(head), _line(["---"] * len(head))]
    for name, one in list(found.columns.items())[:DESCRIBED]:
        median = one.quantiles[len(one.quantiles) // 2] if one.quantiles else None
        numbers = [one.minimum, median, one.maximum, one.mean, one.std]
        lines.append(
            _line([name, f"{found.null_share(name):.1%}", f"{one.distinct:,}", *map(_text, numbers), _frequent(one)])
        )
    if (more := len(found.columns) - DESCRIBED) > 0:
        lines += ["", f"… and {more} more columns."]
    if found.sampled < found.rows:
        lines += ["", f"Median and most frequent values are those of {found.sampled:,} of the {found.rows:,} rows."]
    return {"statistics": dg.MetadataValue.md("\n".join(lines))}


def _frequent(one: ColumnStatistics) -> str:
    return _text(", ".join(f"{value} ({count:,})" for value, count in list(one.top.items())[:3]))


def preview(rows: pa.Table) -> dg.MarkdownMetadataValue:
    """The first rows as a Markdown table."""
    names = rows.schema.names[:PREVIEW_COLUMNS]
    shown = rows.slice(0, PREVIEW_ROWS).select(names).to_pylist()
    more = len(rows.schema.names) - len(names)
    lines = [_line(names), _line(["---"] * len(names)), *(_line([_text(row[name]) for name in names]) for row in shown)]
    if more:
        lines += ["", f"… and {more} more columns."]
    return dg.MetadataValue.md("\n".join(lines))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, most: int) -> dg.MarkdownMetadataValue:
    """At most so many rows as a Markdown table."""
    lines = [_line(head), _line(["---"] * len(head)), *(_line(list(map(_text, row))) for row in rows[:most])]
    if len(rows) > most:
        lines += ["", f"… and {len(rows) - most:,} more."]
    return dg.MetadataValue.md("\n".join(lines))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(value: object) -> str:
    if value is None:
        return ""
    text = _number(value) if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"


def _number(value: float) -> str:
    """Six digits; all of those before the point, where a person would read them."""
    return f"{value:.0f}" if EXPONENT <= abs(value) < LEGIBLE else f"{value:.6g}"
