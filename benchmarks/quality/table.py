"""The results as a page."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "| | test ROC AUC | beside ours | seconds | CPU minutes | seconds, CPU of by hand "
    "| AUC above 0.5 per CPU minute | peak MB |\n"
    "| --- | --: | --: | --: | --: | --: | --: | --: |\n"
)
BY_HAND = "Optuna + XGBoost by hand"


def write(report: dict[str, Any], out: Path) -> None:
    """`quality.json` with every value of every round, and `quality.md`."""
    (out / "quality.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    said, machine = report["versions"], report["machine"]
    lines = [
        f"{report['made']}, {machine['cores']} cores, load at start {machine['load'][0]:.1f}, "
        f"{report['rounds']} rounds, {report['threads']} thread(s) each; "
        + ", ".join(f"{name} {number}" for name, number in said.items()),
    ]
    lines += [
        f"\n**{dataset['name']}**: {dataset['test_rows']:,} test rows of {dataset['entities']:,} entities, "
        f"{dataset['trials']} trials\n\n" + HEAD + "\n".join(row(dataset, who) for who in dataset["contestants"])
        for dataset in report["datasets"]
    ]
    (out / "quality.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(dataset: dict[str, Any], who: str) -> str:
    """One contestant."""
    found = dataset["contestants"][who]
    if "reason" in found:
        return f"| {who} | {found['reason']} |" + " - |" * 6
    hand = dataset["contestants"].get(BY_HAND, {}).get("rounds")
    ratio = "-"
    if hand:
        pairs = [*zip(found["rounds"], hand, strict=True)]
        both = (median(one[what] / theirs[what] for one, theirs in pairs) for what in ("seconds", "cpu_seconds"))
        ratio = ", ".join(format(each, ".2f") for each in both)
    minutes = found["cpu_seconds"] / 60
    beside = "-" if not found["to_ours"] or not found["to_ours"]["value"] else interval(found["to_ours"], "+.4f")
    return (
        f"| {who} | {interval(found['auc'], '.4f')} | {beside} | {found['seconds']:.1f} | {minutes:.2f} | {ratio} "
        f"| {(found['auc']['value'] - 0.5) / minutes:.2f} | {found['peak_mb']:,.0f} |"
    )


def interval(estimate: dict[str, Any], how: str) -> str:
    """A value with what it may be as well."""
    if estimate["low"] is None:
        return format(estimate["value"], how)
    return f"{estimate['value']:{how}} [{estimate['low']:{how}}, {estimate['high']:{how}}]"
