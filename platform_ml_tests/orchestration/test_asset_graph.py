"""What the code location shows, as text: a change of it is seen in review and not first in production."""

import os
from difflib import unified_diff
from pathlib import Path

import dagster as dg
import pytest

from platform_ml.definitions import defs

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")
UPDATE = "UPDATE_ASSET_GRAPH"
HERE = Path(__file__).relative_to(Path(__file__).parents[2])

SPECS = {spec.key: spec for made in defs.assets for spec in ([made] if isinstance(made, dg.AssetSpec) else made.specs)}
CHECKS = {made.key: list(made.check_specs) for made in defs.assets if isinstance(made, dg.AssetsDefinition)}


def partitions(definition):
    if definition is None:
        return "none"
    keys = definition.get_partition_keys()
    last = f"to {keys[-1]}" if definition.end else "on"
    return f"{type(definition).__name__.removesuffix('PartitionsDefinition').lower()}, {keys[0]} {last}"


def which(dep, spec):
    """The upstream partitions, counted in downstream ones."""
    if None in (SPECS[dep.asset_key].partitions_def, spec.partitions_def):
        return "all of it"
    mapping = dep.partition_mapping
    if isinstance(mapping, dg.AllPartitionMapping):
        return "all of them"
    if isinstance(mapping, dg.LastPartitionMapping):
        return "the last one"
    return "the same" if mapping is None else f"{mapping.start_offset:+d} to {mapping.end_offset:+d}"


def described(spec):
    yield spec.key.to_user_string()
    yield f"    group {spec.group_name}, owners {', '.join(spec.owners)}, kinds {', '.join(sorted(spec.kinds))}"
    yield f"    partitions {partitions(spec.partitions_def)}"
    yield f"    code {spec.code_version[:12] if spec.code_version else 'elsewhere'}"
    for dep in sorted(spec.deps, key=lambda dep: dep.asset_key):
        yield f"    reads {dep.asset_key.to_user_string()}, partitions {which(dep, spec)}"
    for check in CHECKS.get(spec.key, ()):
        yield f"    check {check.name}{', blocking' if check.blocking else ''}"


def test_the_asset_graph_is_the_one_that_was_reviewed():
    found = [line for key in sorted(SPECS) for line in described(SPECS[key])]
    if os.environ.get(UPDATE):
        SNAPSHOT.write_text("\n".join(found) + "\n")
    known = SNAPSHOT.read_text().splitlines()
    difference = "\n".join(unified_diff(known, found, "reviewed", "now", n=3, lineterm=""))
    if difference:
        pytest.fail(
            f"The asset graph is not what {SNAPSHOT.name} says. If that is meant, run {UPDATE}=1 pytest {HERE} "
            f"and commit the file: another code version recomputes the asset and what reads it.\n{difference}"
        )


def test_what_is_read_is_there():
    assert {dep.asset_key for spec in SPECS.values() for dep in spec.deps} <= set(SPECS)
