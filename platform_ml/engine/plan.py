"""What to run, in which order and why; and what cannot be made now, and what it waits for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from platform_ml.engine.cutoff import held_back, is_registered, model_path
from platform_ml.engine.deliveries import survey
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.staleness import NEVER, cadence_of, inputs_now, is_due, partitions_of, stale
from platform_ml.engine.upstream import Table, upstream
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.project import referred
from platform_ml.spec.project import upstream as made_of
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from platform_ml.engine.deliveries import Survey
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.training_dataset import TrainingDataset
    from platform_ml.spec.window import Calendar

UNTRAINED = "not registered for this cutoff as declared, from the rows of now"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run: the same partitions, without a gap, of nouns of one cadence."""

    nouns: tuple[str, ...]
    """What is made of what is there already."""
    keys: tuple[str, ...]
    """Oldest first; `WHOLE` alone where there is no cadence."""
    why: Mapping[str, Mapping[str, str]]
    """Noun → partition → why it is made."""
    tokens: Mapping[str, Mapping[str, str]]
    """Noun → partition → the same as long as what it is made of and its declaration are. Only where nothing waits."""
    waits: tuple[str, ...] = ()
    """The nouns that an earlier step makes first; none: it can run now."""
    cadence: Calendar | None = None
    stage: int = 0
    """How many steps lie upstream, at most."""
    then: tuple[str, ...] = ()
    """Made in the same run after `nouns`, of the same partitions of them: only where the whole step is run at once."""
    together: bool = False
    """Whether one noun alone makes no sense: from a dataset to a registration."""

    @property
    def ready(self) -> bool:
        """Whether it can run now."""
        return not self.waits

    @property
    def made(self) -> tuple[str, ...]:
        """All nouns."""
        return (*self.nouns, *self.then)

    @property
    def size(self) -> int:
        """Partitions, of all nouns together."""
        return len(self.made) * len(self.keys)

    @property
    def span(self) -> str:
        """Its partitions in a few words."""
        return span(self.keys)

    @property
    def reasons(self) -> Counter[str]:
        """Why → of how many partitions."""
        return Counter(self.why[noun][key] for noun in self.made for key in self.keys)

    def alone(self, noun: str, key: str) -> Step:
        """The same of one partition of one noun."""
        return replace(self, nouns=(noun,), keys=(key,), then=())


@dataclass(frozen=True, kw_only=True)
class Held:
    """Partitions that no step of the plan can make."""

    noun: str
    keys: tuple[str, ...]
    why: str
    refused: bool = False
    """Whether somebody has to act: what was delivered was not let in, or cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """In process order: a step comes after those that it waits for."""

    project: str
    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    looked: str
    """What was looked at, in a few words."""
    away: Mapping[str, str] = field(default_factory=dict)
    """Source → why its place of delivery cannot be reached."""

    @property
    def ready(self) -> list[Step]:
        """The steps that can run now."""
        return [step for step in self.steps if step.ready]


@dataclass
class _Found:
    """What is known of stale partitions, noun → partition → ..."""

    why: dict[str, dict[str, str]]
    waits: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)

    def due(self, noun: str) -> list[str]:
        """The partitions that are made."""
        return list(self.waits.get(noun, {}))


def plan(
    project: Project,
    work: Work,
    *,
    of: Sequence[Noun] = (),
    between: tuple[str, str] | None = None,
    outdated: bool = True,
    settled: bool = True,
) -> Plan:
    """What has to be made of these nouns (of all tables, if left out), and of what they need.

    `between` are the first and the last partition that are wanted; without `outdated`, only what is missing is. What
    the wanted ones need is made whatever it is. Registrations are for the newest cutoff whose outcomes are known.
    Unless `settled`, deliveries are taken that were written a moment ago and may not be whole.

    A place of delivery that cannot be reached does not stop the others; its partitions are held.
    """
    tables = [noun for noun in project.nouns if isinstance(noun, Table) and not isinstance(noun, Scores)]
    seen = survey(project, work, settled=settled)
    found = _Found(why=stale(project, work, sources=seen.stale), tokens=dict(seen.tokens))
    snapshots = {noun.name: work.platform.tables.snapshot(work.table(noun)) for noun in tables}
    known = {name: snapshot for name, snapshot in snapshots.items() if snapshot}
    for noun in tables:
        _sort(noun, found, seen, known)
    registrations = [noun for noun in of if isinstance(noun, Registration)]
    models = [step for one in registrations if (step := _model(one, found, known, work))]
    views = [one.card.evaluation.model.dataset.view for one in registrations]
    targets = [noun for noun in of if isinstance(noun, Table)] if of else tables
    wanted = _wanted([*targets, *views], found, between, outdated=outdated)
    stages = _stages(tables)
    steps = _steps(tables, found, wanted, stages)
    last = max(stages.values(), default=0) + 1
    held = _held(tables, found, wanted, seen)
    return Plan(
        project=project.name,
        steps=(*steps, *(replace(step, stage=last) for step in models)),
        held=tuple(held),
        looked=seen.looked,
        away=seen.away,
    )


def _sort(noun: Table, found: _Found, seen: Survey, tables: Mapping[str, Snapshot]) -> None:
    """Whether each stale partition of a noun can be made now, waits for another one, or cannot be made."""
    waits, held = found.waits.setdefault(noun.name, {}), found.held.setdefault(noun.name, {})
    tokens = found.tokens.setdefault(noun.name, {})
    checked = [one.name for one in referred(noun) if found.due(one.name)]
    for key in found.why.get(noun.name, {}):
        if isinstance(noun, Source):
            if key in seen.held.get(noun.name, {}):
                held[key] = seen.held[noun.name][key]
            else:
                waits[key] = tuple(checked)
            continue
        try:
            reads = upstream(noun, key)
            stops = _stops(reads, found, tables)
            before = [one.name for one, keys in reads if any(read in found.waits.get(one.name, {}) for read in keys)]
            if stops:
                held[key] = stops
                continue
            waits[key] = tuple(dict.fromkeys([*before, *checked]))
            if not waits[key]:
                tokens[key] = _token(noun, inputs_now(noun, key, tables))
        except (MissingInputError, KeyError) as error:
            waits.pop(key, None)
            held[key] = str(error)


def _stops(reads: Sequence[tuple[Table, list[str]]], found: _Found, tables: Mapping[str, Snapshot]) -> str:
    """What a partition reads and cannot be had; empty where there is nothing."""
    for one, keys in reads:
        held, due = found.held.get(one.name, {}), found.waits.get(one.name, {})
        there = tables[one.name].partitions if one.name in tables else {}
        lacking = [key for key in keys if key in held or (key not in there and key not in due)]
        if lacking:
            why = held.get(lacking[0], "it is not there yet")
            return f"{one.name} {span(lacking)}: {why}".removesuffix(".")
    return ""


def _token(noun: Noun, inputs: str) -> str:
    return digest({"declared": fingerprint(noun), "inputs": inputs})[:16]


def _wanted(
    targets: Sequence[Table], found: _Found, between: tuple[str, str] | None, *, outdated: bool
) -> dict[str, set[str]]:
    """The stale partitions that are asked for, and those that they need, however far upstream."""
    wanted: dict[str, set[str]] = {}
    todo: list[tuple[Table, str]] = []
    for noun in targets:
        for key, why in found.why.get(noun.name, {}).items():
            asked = between is None or key == WHOLE or between[0] <= key <= between[1]
            if asked and (outdated or why == NEVER):
                todo.append((noun, key))
    while todo:
        noun, key = todo.pop()
        if key in wanted.setdefault(noun.name, set()):
            continue
        wanted[noun.name].add(key)
        try:
            reads = upstream(noun, key)
        except (MissingInputError, KeyError):
            continue
        reads += [(one, found.due(one.name)) for one in referred(noun)]
        for one, keys in reads:
            stale_keys = found.why.get(one.name, {})
            todo += [(one, read) for read in keys if read in stale_keys]
    return wanted


def _stages(tables: Sequence[Table]) -> dict[str, int]:
    """How many tables lie upstream of each, one behind the other."""
    stages: dict[str, int] = {}
    for noun in tables:  # upstream first
        before = [stages[one.name] + 1 for one in (*made_of(noun), *referred(noun)) if one.name in stages]
        stages[noun.name] = max(before, default=0)
    return stages


def _steps(
    tables: Sequence[Table], found: _Found, wanted: Mapping[str, set[str]], stages: Mapping[str, int]
) -> list[Step]:
    """Nouns that need the same partitions at the same stage go together."""
    alike: dict[tuple[int, Calendar | None, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for noun in tables:
        waits = {k: before for k, before in found.waits.get(noun.name, {}).items() if k in wanted.get(noun.name, set())}
        for ready in (True, False):
            for part in ranges([k for k, before in waits.items() if bool(before) != ready], partitions_of(noun)):
                before = tuple(dict.fromkeys(name for k in part for name in waits[k]))
                alike.setdefault((stages[noun.name], cadence_of(noun), part, before), []).append(noun.name)
    steps = [
        Step(
            nouns=tuple(nouns),
            keys=keys,
            why={noun: {key: found.why[noun][key] for key in keys} for noun in nouns},
            tokens={noun: {key: found.tokens[noun].get(key, "") for key in keys} for noun in nouns},
            waits=waits,
            cadence=cadence,
            stage=stage,
        )
        for (stage, cadence, keys, waits), nouns in alike.items()
    ]
    return _chained(sorted(steps, key=lambda step: (step.stage, bool(step.waits), step.keys[0], step.nouns)))


def _chained(steps: Sequence[Step]) -> list[Step]:
    """What waits for one step alone, and is of the same partitions, is made in the same run: its checks stop both."""
    found: list[Step] = []
    for step in steps:
        by_name = {name: [n for n, one in enumerate(steps) if name in one.nouns] for name in step.waits}
        alone = bool(step.waits) and all(len(numbers) == 1 for numbers in by_name.values())
        for n, one in enumerate(found if alone else ()):
            if one.keys == step.keys and one.cadence == step.cadence and set(step.waits) <= set(one.made):
                found[n] = replace(
                    one,
                    then=(*one.then, *step.nouns),
                    why={**one.why, **step.why},
                    tokens={**one.tokens, **step.tokens},
                )
                break
        else:
            found.append(step)
    return found


def _held(tables: Sequence[Table], found: _Found, wanted: Mapping[str, set[str]], seen: Survey) -> list[Held]:
    held = []
    for noun in tables:
        by_why: dict[str, list[str]] = {}
        for key in sorted(wanted.get(noun.name, set()) & set(found.held.get(noun.name, {}))):
            by_why.setdefault(found.held[noun.name][key], []).append(key)
        refused = seen.refused.get(noun.name, set())
        held += [
            Held(noun=noun.name, keys=tuple(keys), why=why, refused=bool(refused & set(keys)))
            for why, keys in by_why.items()
        ]
    return held


def _model(
    registration: Registration,
    found: _Found,
    tables: Mapping[str, Snapshot],
    work: Work,
) -> Step | None:
    """The run that trains, judges and registers, unless that was done; gates that held it back have judged it, too."""
    dataset = registration.card.evaluation.model.dataset
    view = dataset.view
    there = tables[view.name].partitions if view.name in tables else {}
    due = found.waits.get(view.name, {})
    known = {key for key in partitions_of(view) if is_due(view, key) and (key in due or key in there)}
    cutoff, keys = _newest(dataset, known)
    if not cutoff:
        return None
    held = found.held.get(view.name, {})
    if any(key in held or (key not in there and key not in due) for key in keys):
        return None
    waits = (view.name,) if any(key in due for key in keys) else ()
    if not waits and (is_registered(registration, cutoff, work) or held_back(registration, cutoff, work)):
        return None
    rows = digest([there[key].content for key in keys if key in there])
    return Step(
        nouns=tuple(noun.name for noun in model_path(registration)),
        keys=(cutoff,),
        why={noun.name: {cutoff: UNTRAINED} for noun in model_path(registration)},
        tokens={registration.name: {cutoff: _token(registration, rows)}},
        waits=waits,
        cadence=dataset.cadence,
        together=True,
    )


def _newest(dataset: TrainingDataset, known: Collection[str]) -> tuple[str, list[str]]:
    """The newest cutoff whose last rows are known, with all of its view partitions; empty: none yet."""
    for cutoff in reversed(dataset.cadence.keys()):
        keys = dataset.view_keys(dataset.cadence.day(cutoff))
        if keys and keys[-1] in known:
            return cutoff, keys
    return "", []


def ranges(keys: Iterable[str], order: Sequence[str], most: int | None = None) -> list[tuple[str, ...]]:
    """Partitions as few runs without a gap as possible, each of at most so many.

    >>> ranges(["c", "a", "b", "e"], "abcde", most=2)
    [('a', 'b'), ('c',), ('e',)]
    """
    place = {key: number for number, key in enumerate(order)}
    found: list[list[str]] = []
    for key in sorted(keys, key=place.__getitem__):
        if found and place[key] == place[found[-1][-1]] + 1 and len(found[-1]) != most:
            found[-1].append(key)
        else:
            found.append([key])
    return [tuple(part) for part in found]


def span(keys: Sequence[str]) -> str:
    """Partitions in a few words.

    >>> span(["2024-01-01", "2024-01-02"]), span(["2024-01-01"]), span(["all"])
    ('2024-01-01...2024-01-02 (2)', '2024-01-01', 'all')
    """
    return keys[0] if len(keys) == 1 else f"{keys[0]}...{keys[-1]} ({len(keys):,})"
