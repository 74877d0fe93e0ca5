"""Leader boards: what families that competed for a model scored and cost, published beside the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from platform_ml.engine.model_card import environment
from platform_ml.engine.tuned_model import load as load_model
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.fingerprint import digest, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.leader_board import LeaderBoard

KIND, FILE, PAGE = "leader_boards", "leader_board.json", "README.md"
"""The kind of artifact, its numbers, and the same as a page."""


def materialize_leader_board(board: LeaderBoard, cutoff: str, *, work: Work) -> Artifact:
    """Publish what was measured when the model was trained; nothing is fitted or predicted again."""
    model = load_model(board.model, cutoff, work=work)
    said = model.record.get("contest")
    if said is None:
        raise MissingInputError(
            f"{work.table(board.model)} of cutoff {cutoff} was made before families competed for it. "
            + work.missing(board.model, [cutoff])
        )
    page = markdown(said)

    def fill(folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(said, indent=1, sort_keys=True, allow_nan=False), encoding="utf-8")
        (folder / PAGE).write_text(f"# {board.model.name}, cutoff {cutoff}\n\n{page}", encoding="utf-8")

    record = {"model": model.digest, "cutoff": cutoff, "chosen": said["chosen"], "fingerprint": fingerprint(board)}
    name = digest({"model": model.digest, "contest": said})
    artifact = work.platform.artifacts.publish(work.place(KIND, board, cutoff), name, record, fill)
    work.say(f"{work.table(board)}: {said['chosen']} is chosen. {said['why']}")
    return artifact


def load(board: LeaderBoard, cutoff: str, *, work: Work) -> dict[str, Any]:
    """The newest leader board of a cutoff, as plain JSON."""
    artifact = work.platform.artifacts.newest(work.place(KIND, board, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(board, [cutoff]))
    found: dict[str, Any] = json.loads((artifact.folder / FILE).read_text(encoding="utf-8"))
    return found


def markdown(contest: Mapping[str, Any]) -> str:
    """The table with the rule and the reason, for people."""
    return environment().get_template("leader_board.md.j2").render(contest=contest)
