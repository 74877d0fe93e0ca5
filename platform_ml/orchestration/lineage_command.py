"""`platform-ml lineage`: from a model down to every delivered file, and from a file or partition to every model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from platform_ml.engine.lineage import Logs, Published, Seen, listed, received, sources, steps, tree
from platform_ml.engine.lineage_files import located, trace
from platform_ml.engine.model_reference import resolve_model
from platform_ml.orchestration.lineage import SHORT, span
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.naming import counted
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.lineage import Branch, Load, Sighting, Sources, Step
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.tracked import RegisteredVersion
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.project import Project

SHOWN = 5
"""Files of one source that are printed."""


def lineage_of_model(text: str, projects: Sequence[Project], *, everything: bool, as_json: bool) -> int:
    """Print what `MODEL@VERSION` was made of, down to every delivered file; 1 when a table cannot be followed."""
    resource = PlatformResource()
    platform, versions = resource.platform(), resource.mlflow().registry().versions
    model = resolve_model(text, projects, platform.artifacts, versions)
    dataset = model.dataset(platform.artifacts)
    work = resource.work(model.project.name, lambda _: None)
    places = {work.table(source): source for source in model.project.all(Source)}

    def place(load: Load, file: Delivered) -> str:
        """Where it lies; of a source that nobody declares any more, its name alone."""
        return located(places[load.table], load.partition, file, work) if load.table in places else file.name

    found = steps(dataset.artifact, platform.tables)
    known = [one for one in versions() if one.tags.get("model_digest") == model.artifact.digest]
    if as_json:
        print(json.dumps(_model_json(model.artifact, dataset.artifact, known, found, place), indent=1))
    else:
        print(f"{model}, cutoff {model.cutoff}, made {model.artifact.record['made_at']}")
        for one in known:
            print(f"  registered as {_called(one)} on {one.registered:%Y-%m-%d %H:%M}")
        print(f"  trained on {dataset}, cutoff {dataset.cutoff}")
        for branch in tree(found):
            _show_branch(branch, place, everything=everything)
        print(_total(sources(found)))
    return 1 if any(step.problem for step in found) else 0


def lineage_of_file(text: str, projects: Sequence[Project], *, as_json: bool) -> int:
    """Print every dataset, model and registered version that saw rows of a delivered file."""
    resource = PlatformResource()
    logs, published = _published(resource)
    traced = trace(text, projects, lambda project: resource.work(project.name, lambda _: None), logs)
    return _answer(traced.path, published.seen(traced.loads), [*traced.notes, *published.doubts], as_json=as_json)


def lineage_of_partition(
    text: str, projects: Sequence[Project], *, version: int | None = None, as_json: bool = False
) -> int:
    """Print every dataset, model and registered version that saw `TABLE@KEY`, in all versions or in this one."""
    resource = PlatformResource()
    logs, published = _published(resource)
    name, _, key = text.partition("@")
    table = _table(name, projects)
    snapshot = logs.of(table)
    if snapshot is None:
        raise PlatformError(f"{table} was never materialized, so no model saw it.")
    if key not in snapshot.partitions:
        near = did_you_mean(key, snapshot.partitions)
        raise PlatformError(f"{table} has no partition {key!r}, so no model saw it.{near} Write {table}@KEY.")
    loads = logs.loads(table, key)
    if version is not None:
        if not 0 <= version <= snapshot.version:
            raise PlatformError(f"{table} has no version {version}; the newest is {snapshot.version}.")
        at = logs.load(table, key, version)
        if at is None:
            raise PlatformError(f"{text} came with version {loads[0].version}; version {version} is without it.")
        loads = [at]
    seen = published.seen(loads)
    return _answer(f"{table}@{key}", seen, published.doubts, as_json=as_json)


def _published(resource: PlatformResource) -> tuple[Logs, Published]:
    platform = resource.platform()
    logs = Logs(platform.tables)
    return logs, Published(platform.artifacts, resource.mlflow().registry().versions(), logs)


def _table(name: str, projects: Sequence[Project]) -> str:
    """project/name of a table that is declared, or of one that somebody names in full."""
    known = [f"{project.name}/{noun.name}" for project in projects for noun in project.nouns]
    fits = [whole for whole in known if name in (whole, whole.partition("/")[2])]
    if len(fits) == 1 or "/" in name:
        return fits[0] if fits else name
    if fits:
        raise PlatformError(f"More than one project has a table {name!r}. Write one of: {', '.join(fits)}.")
    near = did_you_mean(name, [whole.partition("/")[2] for whole in known])
    raise PlatformError(f"There is no table {name!r}.{near}")


def _show_branch(branch: Branch, place: Any, *, everything: bool) -> None:
    indent = "  " * (branch.depth + 2)
    versions = span([step.version for step in branch.steps])
    keys = sorted({load.partition for step in branch.steps for load in step.loads})
    days = f" ({keys[0]} to {keys[-1]})" if len(keys) > 1 else ""
    again = ", as above" if branch.again else ""
    print(f"{indent}{branch.table}, version {versions}: {counted(len(keys), 'partition')}{days}{again}")
    if branch.again:
        return
    for problem in dict.fromkeys(step.problem for step in branch.steps if step.problem):
        print(f"{indent}  {problem}")
    files = received(branch.steps)
    for load, file in files if everything else files[:SHOWN]:
        print(f"{indent}  {_file(load, file, place)}")
    if len(files) > SHOWN and not everything:
        print(f"{indent}  ... and {len(files) - SHOWN:,} more files (--all shows them)")
    if keys and not files and not any(step.reads for step in branch.steps):
        print(f"{indent}  its rows came from no file")


def _file(load: Load, file: Delivered, place: Any) -> str:
    aside = f", {load.rejected:,} rows of the partition rejected" if load.rejected else ""
    later = f", replaced by version {load.until} on {load.replaced:%Y-%m-%d}" if load.replaced else ""
    hashed = f"sha256 {file.sha256[:SHORT]}" if file.sha256 else f"state {file.stamp[:40]}"
    return f"{place(load, file)}  {file.size:,} bytes  {hashed}  received {load.received:%Y-%m-%d %H:%M}{aside}{later}"


def _total(found: Sequence[Sources]) -> str:
    files, size = sum(one.files for one in found), sum(one.size for one in found)
    return f"In all {counted(files, 'delivered file')} of {counted(len(found), 'source')}, {size:,} bytes."


def _called(one: RegisteredVersion) -> str:
    return f"{one.name}@{one.version}" + (f" ({', '.join(one.aliases)})" if one.aliases else "")


def _answer(asked: str, seen: Sequence[Seen], notes: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        loads = [_load_json(one.load) | {"seen_by": [_sighting_json(by) for by in one.by]} for one in seen]
        print(json.dumps({"asked": asked, "loads": loads, "notes": list(notes)}, indent=1))
        return 0
    print(asked)
    for one in seen:
        _show_seen(one)
    for note in notes:
        print(f"  {note}")
    models = {model.digest for one in seen for by in one.by for model in by.models}
    datasets = {by.dataset.digest for one in seen for by in one.by}
    names = dict.fromkeys(_called(version) for one in seen for by in one.by for version in by.registered)
    counts = f"{counted(len(datasets), 'dataset')} and {counted(len(models), 'model')}"
    print(f"Seen by {counts}; registered: {', '.join(names) or 'none'}.")
    return 0


def _show_seen(one: Seen) -> None:
    load = one.load
    there = f"version {load.version}" + ("" if load.until is None else f", replaced by version {load.until}")
    when = f"{load.received:%Y-%m-%d %H:%M}" + ("" if load.replaced is None else f" to {load.replaced:%Y-%m-%d %H:%M}")
    aside = f", {load.rejected:,} rejected" if load.rejected else ""
    print(f"  {load.table}@{load.partition}, {there}, {when}: {load.rows:,} rows{aside}")
    for file in load.files:
        print(f"    made of {file.name}, {file.size:,} bytes, sha256 {file.sha256[:SHORT] or '-'}")
    for by in one.by:
        print(f"    dataset {by.name}@{by.dataset.digest[:SHORT]}, cutoff {by.dataset.record['cutoff']}")
        for model in by.models:
            names = [_called(v) for v in by.registered if v.tags.get("model_digest") == model.digest]
            print(f"      model {model.record['model']}@{model.digest[:SHORT]}: {', '.join(names) or 'not registered'}")
        known = {model.digest for model in by.models}
        for other in by.registered:
            if other.tags.get("model_digest") not in known:
                print(f"      {_called(other)}: its model is not published here any more")
    if not one.by:
        print("    no dataset has read it")


def _load_json(load: Load) -> dict[str, Any]:
    return {
        "table": load.table,
        "partition": load.partition,
        "version": load.version,
        "replaced_by": load.until,
        "received": load.received.isoformat(),
        "replaced": load.replaced and load.replaced.isoformat(),
        "run_id": load.run_id,
        "rows": load.rows,
        "rejected": load.rejected,
        "content": load.content,
        "files": [{"name": f.name, "size": f.size, "sha256": f.sha256, "stamp": f.stamp} for f in load.files],
    }


def _sighting_json(by: Sighting) -> dict[str, Any]:
    return {
        "dataset": by.name,
        "digest": by.dataset.digest,
        "cutoff": by.dataset.record["cutoff"],
        "models": [{"model": model.record["model"], "digest": model.digest} for model in by.models],
        "registered": [_version_json(one) for one in by.registered],
    }


def _version_json(one: RegisteredVersion) -> dict[str, Any]:
    return {"name": one.name, "version": one.version, "aliases": list(one.aliases), "status": one.status}


def _model_json(
    model: Artifact, dataset: Artifact, known: Sequence[RegisteredVersion], found: Sequence[Step], place: Any
) -> Mapping[str, Any]:
    return {
        "model": model.record["model"],
        "digest": model.digest,
        "cutoff": model.record["cutoff"],
        "made": model.record["made_at"],
        "registered": [_version_json(one) for one in known],
        "dataset": {"name": dataset.record["dataset"], "digest": dataset.digest},
        "tables": [
            {
                "table": step.table,
                "version": step.version,
                "partitions": step.partitions,
                "rows": step.rows,
                "reads": [list(at) for at in step.reads],
                "problem": step.problem,
            }
            for step in found
        ],
        "files": [
            one | {"path": place(load, file)} for one, (load, file) in zip(listed(found), received(found), strict=True)
        ],
    }
