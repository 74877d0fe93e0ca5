"""What is different from the version that was registered before: numbers, parameters, features, data, gates, code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.evaluation import CHAMPION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CODE = {
    "git_commit": "Git commit",
    "lock_hash": "Lock file",
    "platform_version": "Platform",
    "python_version": "Python",
    "fingerprint": "Declaration",
}


@dataclass(frozen=True, kw_only=True)
class Previous:
    """The version that was registered before, with its card as it was published."""

    registered: str
    """As the registry calls it, name@version."""
    model: str
    """Its digest."""
    card: Mapping[str, Any] | None
    """What its card.json says; None: it is not here any more."""


UNKNOWN = Previous(registered="", model="", card=None)
"""The registry did not answer."""


def change(previous: Previous | None, now: Mapping[str, Any]) -> dict[str, Any] | None:
    """Both sides of everything that differs, unrounded; None where nothing was registered before.

    Args:
        previous: the version before.
        now: what `content` says of this one.
    """
    if previous is None:
        return None
    found: dict[str, Any] = {"registered": previous.registered, "model": previous.model, "compared": False}
    before = previous.card
    if before is None:
        return found
    rows = (before["evaluation"]["dataset_digest"], now["evaluation"]["dataset_digest"])
    return found | {
        "compared": True,
        "status": before["status"],
        "cutoff": before["evaluation"]["cutoff"],
        "created": before["provenance"]["created"],
        "same_rows": rows[0] == rows[1],
        "metrics": _metrics(previous.model, before["evaluation"], now["evaluation"]),
        "params": _differing(before["provenance"]["model"]["params"], now["provenance"]["model"]["params"]),
        "features": _features(before["features"], now["features"]),
        "data": _differing(_data(before), _data(now)),
        "gates": _differing(_gates(before["gates"], now["gates"]), _gates(now["gates"], before["gates"])),
        "code": _differing(_code(before), _code(now)),
    }


def _metrics(previous: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each metric on the test rows of either; a paired lead where the version before was measured on these rows."""
    paired = now["baselines"].get(CHAMPION, {}).get("lead", {})
    measured = (now.get("evidence") or {}).get("champion") == previous
    old, new = before["splits"]["test"]["metrics"], now["splits"]["test"]["metrics"]
    found = []
    for name in new:
        ends = (old.get(name, {}).get("value"), new[name]["value"])
        found.append(
            {
                "name": name,
                "title": now["titles"].get(name, name),
                "before": old.get(name),
                "now": new[name],
                "difference": None if None in ends else ends[1] - ends[0],
                "lead": paired.get(name) if measured else None,
            }
        )
    return found


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What one side lacks is None there."""
    names: Iterable[str] = dict.fromkeys([*now, *before])
    return [
        {"name": name, "before": before.get(name), "now": now.get(name)}
        for name in names
        if before.get(name) != now.get(name)
    ]


def _features(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    old, new = ({one["name"]: one for one in some if not one["not_used"]} for some in (before, now))
    return {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": _differing(*({name: one[name]["meaning"] for name in old if name in new} for one in (old, new))),
    }


def _data(card: Mapping[str, Any]) -> dict[str, Any]:
    dataset = card["provenance"]["dataset"]
    windows = {
        f"{name} rows": f"{part['first']} to {part['last']}, {part['rows']:,} rows"
        for name, part in dataset["splits"].items()
    }
    days = {"Days of history": dataset["history_days"], "Days without rows between splits": dataset["gap_days"]}
    return {"Cutoff": card["evaluation"]["cutoff"], **windows, **days, "Split": dataset["rule"]}


def _gates(judged: Iterable[Mapping[str, Any]], others: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The verdicts of one side; of a gate that only the other side has, that it was not declared."""
    said = {one["name"]: one["outcome"] + (", waived" if one["waiver"] else "") for one in judged}
    return {one["name"]: "not declared" for one in others} | said


def _code(card: Mapping[str, Any]) -> dict[str, Any]:
    code = card["provenance"]["code"]
    return {title: code[name] for name, title in CODE.items()}
