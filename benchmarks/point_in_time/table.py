"""The measurements as Markdown, and what they say about the goals.

python benchmarks/point_in_time/table.py benchmarks/results/point_in_time.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

HEAD = (
    "| what | spine rows/s | best s | median s | CPU s | times reading | peak MB | spine order | rows |\n"
    "|---|--:|--:|--:|--:|--:|--:|---|---|"
)

LEGEND = (
    "From files to rows in memory, each in a process of its own. MB are 10^6 bytes of resident memory, imports "
    "included. 'times reading' divides by the faster way of reading the columns. 'rows' says whether the answer is "
    "DuckDB's, row for row."
)
SPINE, GIGABYTES = 10_000_000, 6.0
"""The promise about memory: this many spine rows within so much."""


def write(report: dict[str, Any], folder: Path) -> None:
    """The JSON and the table, side by side."""
    (folder / "point_in_time.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (folder / "point_in_time.md").write_text(markdown(report), encoding="utf-8")


def markdown(report: dict[str, Any]) -> str:
    """The whole page."""
    machine, told = report["machine"], report["told"]
    made = (
        f"Made {report['made']} on {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, "
        f"{machine['system']}, {told['threads']} threads, load {machine['load_at_start'][0]:.1f} at the start and "
        f"{machine['load_at_end'][0]:.1f} at the end; best of {told['rounds']} interleaved rounds. {versions(report)}"
    )
    lines = ["# Point-in-time joins", "", made, "", LEGEND]
    for case in report["cases"]:
        lines += ["", f"## {case['title']} ({case['layout']} files, {case['bytes'] / 1e6:,.0f} MB)", "", HEAD]
        lines += [row(each, case) for each in case["contestants"]]
        found = goals(case)
        lines += ["", *found] if found else []
    return "\n".join(lines) + "\n"


def versions(report: dict[str, Any]) -> str:
    """Everything that took part."""
    found = {
        f"{package} {number}"
        for case in report["cases"]
        for each in case["contestants"]
        for value in each["values"]
        for package, number in value.get("versions", {}).items()
    }
    return ", ".join(sorted(found)) + "."


def row(each: dict[str, Any], case: dict[str, Any]) -> str:
    """One contestant."""
    reason = next((value["reason"] for value in each["values"] if "reason" in value), None)
    if reason:
        return f"| {each['title']} | - | - | - | - | - | - | - | {reason.replace('|', '/')} |"
    best, limit = fastest(each), reading(case)
    values = each["values"]
    cells = [
        each["title"],
        f"{case['spine'] / best['seconds']:,.0f}",
        f"{best['seconds']:.2f}",
        f"{median(value['seconds'] for value in values):.2f}",
        f"{best['cpu_seconds']:.2f}",
        f"{best['seconds'] / limit:.1f}" if limit else "-",
        f"{max(value['peak_mb'] for value in values):,.0f}",
        "-" if each["shows"] == "bytes" else "yes" if all(value["in_order"] for value in values) else "no",
        judged(each, case),
    ]
    return f"| {' | '.join(cells)} |"


def judged(each: dict[str, Any], case: dict[str, Any]) -> str:
    """Whether the rows are those of the reference, in every round."""
    if each["shows"] == "bytes":
        return "-"
    reference = case["references"][each["shows"]]
    if reference is None:
        return "nothing to compare with"
    return "same" if {value["rows_digest"] for value in each["values"]} == {reference} else "DIFFERENT"


def right(each: dict[str, Any], case: dict[str, Any]) -> bool:
    """Whether it ended, with the right rows."""
    return bool(each["values"]) and not any("reason" in v for v in each["values"]) and judged(each, case) == "same"


def fastest(each: dict[str, Any]) -> dict[str, Any]:
    """The best round."""
    return min(each["values"], key=lambda value: value["seconds"])


def reading(case: dict[str, Any]) -> float | None:
    """The seconds that reading alone takes, done the faster way."""
    return best([each for each in case["contestants"] if each["shows"] == "bytes"])


def best(some: list[dict[str, Any]]) -> float | None:
    """The seconds of the fastest of some contestants."""
    found = [
        value["seconds"] for each in some for value in each["values"] if not any("reason" in v for v in each["values"])
    ]
    return min(found, default=None)


def goals(case: dict[str, Any]) -> list[str]:
    """The goals as far as this case can answer them."""

    def of(peers: set[str], shows: str = "valid") -> float | None:
        return best([e for e in case["contestants"] if e["peer"] in peers and e["shows"] == shows and right(e, case)])

    ours, known = of({"this_project"}), of({"this_project"}, "known")
    found = []
    for title, other, goal in (
        ("the faster of plain ASOF and Polars", of({"duckdb_asof", "polars_asof"}), 1.0),
        ("Feast", of({"feast_duckdb"}), 10.0),
    ):
        if ours and other:
            found.append(f"* Tie-safe and ordered against {title}: {verdict(other / ours, goal)}.")
    if ours and known:
        found.append(f"* Bitemporal against tie-safe valid time: {verdict(ours / known, 0.4)}.")
    peaks = [v["peak_mb"] / 1e3 for e in case["contestants"] if e["ours"] and right(e, case) for v in e["values"]]
    if peaks and case["spine"] == SPINE:
        found.append(
            f"* Peak memory: {max(peaks):.1f} GB, goal at most 6: {'met' if max(peaks) <= GIGABYTES else 'MISSED'}."
        )
    return found


def verdict(ratio: float, goal: float) -> str:
    """A speed-up and its goal."""
    return f"{ratio:.2f}x as fast, goal {goal:g}x: {'met' if ratio >= goal else 'MISSED'}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    write(json.loads(file.read_text(encoding="utf-8")), file.parent)
