"""What a language model is asked about features, and whether its answer can be used."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import did_you_mean

if TYPE_CHECKING:
    from platform_ml.spec.selection import Asked

Answer = dict[str, str]
"""Feature → why, the best one first."""
FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(?P<inside>.*?)\n?```\s*\Z", re.DOTALL)
LONGEST = 1_000
"""Characters of one reason that are kept for people to read; the answer itself is kept in full."""
SYSTEM = (
    "You help to choose the features of a model that predicts from tables. You see what is declared of each feature, "
    "never its values. Judge how much each will help to predict, and prefer few that say different things. Answer with "
    'JSON alone, in this form: {"features": [{"name": "...", "reason": "..."}]}, the most useful feature first, each '
    "name at most once and exactly as it is given, each reason one short sentence. Name no feature that is not given."
)


class Refusal(ValueError):  # noqa: N818 - the answer was refused
    """Why an answer cannot be used, as sentences that are sent back."""


def messages(asked: Asked) -> list[dict[str, str]]:
    """The prompt: what is predicted, and one line of JSON for each feature."""
    lines = [
        json.dumps(
            {"name": name, "meaning": about.meaning, "made_of": about.made_of}
            | ({"unit": about.unit} if about.unit else {})
            | ({"looks_back": about.looks_back} if about.looks_back else {}),
            ensure_ascii=False,
        )
        for name, about in asked.features.items()
    ]
    wanted = "the features that will help" if asked.keep is None else f"the best {asked.keep} features, no fewer"
    text = f"What is predicted: {asked.predicts}\n\nThe features:\n" + "\n".join(lines) + f"\n\nName {wanted}."
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]


def read(text: str, asked: Asked) -> Answer:
    """The ranked list of an answer; `Refusal` when it is none, invents or repeats a feature, or names too few."""
    fenced = FENCED.match(text)
    try:
        plain = json.loads(fenced["inside"] if fenced else text)
    except (ValueError, RecursionError):
        raise Refusal("It is no JSON.") from None
    features = plain.get("features") if isinstance(plain, dict) else None
    if not isinstance(features, list) or not features:
        raise Refusal('It is no JSON object with a list "features" of at least one feature.')
    found: Answer = {}
    for one in features:
        name, reason = _item(one)
        if name not in asked.features:
            raise Refusal(f"It invents a feature: there is no {name[:80]!r}.{did_you_mean(name[:80], asked.features)}")
        if name in found:
            raise Refusal(f"It names {name!r} twice.")
        found[name] = reason
    if asked.keep is not None and len(found) < asked.keep:
        raise Refusal(f"It names {len(found)} features, and {asked.keep} are to be kept.")
    return found


def _item(one: Any) -> tuple[str, str]:
    if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not isinstance(one.get("reason"), str):
        raise Refusal('An item of "features" is no object with a "name" and a "reason", both texts.')
    reason = " ".join(one["reason"].split())
    if not reason:
        raise Refusal(f"It gives no reason for {one['name'][:80]!r}.")
    return one["name"], reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"
