"""What a person looks for in the Dagster UI: schema, lineage, rows, previews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import PartitionState, Snapshot

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
    """Column → the upstream columns it is made of."""
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(asset_key=key, column_name=column) for key, column in sources]
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


def preview(rows: pa.Table) -> dg.MarkdownMetadataValue:
    """The first rows as a Markdown table."""
    names = rows.schema.names[:PREVIEW_COLUMNS]
    shown = rows.slice(0, PREVIEW_ROWS).select(names).to_pylist()
    more = len(rows.schema.names) - len(names)
    lines = [_line(names), _line(["---"] * len(names)), *(_line([_text(row[name]) for name in names]) for row in shown)]
    if more:
        lines += ["", f"… and {more} more columns."]
    return dg.MetadataValue.md("\n".join(lines))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
