"""Who may use which version: every move is judged when it is made, written down, and made by one of those who try."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import manifest as manifests
from platform_ml.spec.errors import Refused
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.registration import Approved
from platform_ml.spec.stage import PROMOTE, REGISTER, ROLLBACK, SEATS, Actor, Stage, Standing, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from platform_ml.engine.manifest import Checked
    from platform_ml.engine.ports import Registry
    from platform_ml.spec.registration import Registration


def promote(
    registration: Registration,
    version: int,
    after: Stage,
    *,
    registry: Registry,
    actor: Actor,
    why: str,
    say: Callable[[str], None] = lambda _: None,
) -> Transition:
    """Move a version, if the rules know the move and, unless it is archived, its gates still pass.

    Raises:
        Refused: the rules, a gate, an expired waiver or a changed file stand against it; or somebody else moved
            something in between, so that what was decided was decided on what is not so any more.
    """
    name = registration.name
    history = registry.history(name)
    standing = Standing.of(history)
    standing.check(name, version, after)
    made = Transition(
        version=version,
        before=standing.stage(version),
        after=after,
        act=PROMOTE,
        who=actor.who,
        when=datetime.now(tz=UTC),
        why=why,
        run=actor.run,
        displaced=standing.holder(after),
        manifest="" if after is Stage.ARCHIVED else judged_again(registration, version, history, registry=registry),
    )
    say(f"{name}@{version} was judged again by {len(registration.gates)} gates and may become {after}")
    return _entered(name, made, standing, registry)


def rollback(registration: Registration, *, registry: Registry, actor: Actor, why: str) -> Transition:
    """Make the previous champion the champion again, and archive this one.

    Its numbers are judged by today's gates and waivers; they may be those of an older declaration of the evaluation,
    under which it was the champion once.
    """
    name = registration.name
    history = registry.history(name)
    standing = Standing.of(history)
    if standing.previous is None:
        champion = standing.holder(Stage.CHAMPION)
        only = f"version {champion} is the first champion" if champion else "there is no champion"
        raise Refused(f"{name} cannot be rolled back: {only}. Promote a version: platform-ml promote {name}@VERSION")
    made = Transition(
        version=standing.previous,
        before=standing.stage(standing.previous),
        after=Stage.CHAMPION,
        act=ROLLBACK,
        who=actor.who,
        when=datetime.now(tz=UTC),
        why=why,
        run=actor.run,
        displaced=standing.holder(Stage.CHAMPION),
        manifest=judged_again(registration, standing.previous, history, registry=registry, older=True),
    )
    return _entered(name, made, standing, registry)


def take_seat(
    registration: Registration, version: int, cutoff: str, *, registry: Registry, actor: Actor, manifest: str = ""
) -> bool:
    """Give a version that was just approved the seat that its registration declares; whether it has it now.

    A version of an older cutoff takes it from none of a newer cutoff, and one that was ever moved is left alone: it
    lost the seat to another one, or somebody decided about it.
    """
    name, seat = registration.name, Stage(registration.alias)
    while True:
        standing = Standing.of(registry.history(name))
        if version in standing.stages or seat not in SEATS:
            return standing.stage(version) is seat
        holder = registry.promoted(name, seat) if standing.holder(seat) else None
        if holder and holder.get("cutoff", "") > cutoff:
            return False
        made = Transition(
            version=version,
            before=Stage.CANDIDATE,
            after=seat,
            act=REGISTER,
            who=actor.who,
            when=datetime.now(tz=UTC),
            why=f"Registered: every gate passed, and no {seat} is of a newer cutoff than {cutoff}.",
            run=actor.run,
            manifest=manifest,
            displaced=standing.holder(seat),
        )
        if registry.enter(name, made, after=standing.entries) is None:
            return True


@contextmanager
def checked(name: str, version: int, history: Sequence[Transition], *, registry: Registry) -> Iterator[Checked]:
    """The files of a version in a folder of our own, every one of them compared with its checksum.

    The manifest itself has to be the one that the version was registered with, and was moved with last.
    """
    where = f"{name}@{version}"
    with TemporaryDirectory() as aside:
        folder = Path(aside)
        tags = registry.fetch(name, version, folder)
        said = tags.get(manifests.TAG, "")
        for entry in history:
            if entry.version == version and entry.manifest and entry.manifest != said:
                raise Refused(
                    f"{where} is refused: its tag {manifests.TAG} is {said[:12]!r}, but {entry.manifest[:12]!r} was "
                    f"moved to {entry.after} by {entry.who}. Nothing of it was read. Restore MLflow's database from a "
                    f"backup, or roll back to another version."
                )
        yield manifests.check_files(folder, where=where, expected=said)


def judged_again(
    registration: Registration,
    version: int,
    history: Sequence[Transition],
    *,
    registry: Registry,
    older: bool = False,
) -> str:
    """Judge a version by its own numbers and today's gates and waivers; sha256 of its manifest.

    `older`: its numbers may be those of an older declaration of the evaluation.
    """
    with checked(registration.name, version, history, registry=registry) as found:
        text = (found.folder / evaluations.FILE).read_text(encoding="utf-8")
        sha256 = manifests.text_sha256((found.folder / manifests.FILE).read_text(encoding="utf-8"))
        result, model = EvaluationResult.from_json(json.loads(text)), found.manifest["model_digest"]
    where = f"{registration.name}@{version}"
    if result.model_digest != model:
        raise Refused(f"{where}: its numbers are of model {result.model_digest[:12]}, it is {model[:12]}.")
    if not older:
        Approved.by(registration, result, act="promoted")
    elif stopped := [verdict for verdict in registration.judge(result) if verdict.stops]:
        reasons = "; ".join(f"{verdict.gate}: {verdict.reason} {verdict.advice}".rstrip() for verdict in stopped)
        raise Refused(f"{where} cannot become {Stage.CHAMPION} again: it does not pass today's gates. {reasons}")
    return sha256


def _entered(name: str, made: Transition, seen: Standing, registry: Registry) -> Transition:
    """Enter what was decided on what was seen; on something else only if that is no part of the decision."""
    after = seen.entries
    while (other := registry.enter(name, made, after=after)) is not None:
        now = Standing.of(registry.history(name))
        if _basis(now, made) != _basis(seen, made):
            raise Refused(
                f"{name}@{made.version} did not become {made.after}: somebody else was faster, {other.says}. "
                f"Look at it and decide again: platform-ml history {name}"
            )
        after = now.entries
    return made


def _basis(standing: Standing, made: Transition) -> tuple[Stage, int | None, int | None]:
    return standing.stage(made.version), standing.holder(made.after), standing.holder(Stage.CHAMPION)
