import os
import time

import pytest

from platform_ml.adapters import delta_files
from platform_ml.adapters.delta import DeltaTables
from platform_ml.spec.errors import StoreError
from platform_ml.testing.tables import TABLE, content, measured, stamp

LONG_AGO = 7200


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "tables")


def files(tables):
    return sorted((tables.root / TABLE / "_statistics").glob("*"))


def aged(paths):
    for path in paths:
        os.utime(path, (time.time() - LONG_AGO,) * 2)


def test_a_commit_makes_one_file_for_all_its_partitions(tables):
    parts = {"a": content([1], statistics=1), "b": content([2], statistics=2), "c": content([3])}
    found = tables.commit(TABLE, parts, stamp())
    (path,) = files(tables)
    assert [found.partitions[key].statistics for key in "abc"] == [path.stem, path.stem, ""]
    assert DeltaTables(tables.root).statistics(found) == {"a": measured(1, 1), "b": measured(1, 2)}


def test_a_changed_file_is_found(tables):
    found = tables.commit(TABLE, {"a": content([1], statistics=1)}, stamp())
    (path,) = files(tables)
    path.write_text(path.read_text() + " ")
    with pytest.raises(StoreError, match="does not hold what was written"):
        tables.statistics(found)
    path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        tables.statistics(found)


def test_a_run_that_is_killed_before_its_commit_leaves_nothing_that_is_named(tables, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    before = tables.commit(TABLE, {"a": content([1], statistics=1)}, stamp())
    with monkeypatch.context() as patch:
        patch.setattr(delta_files.Staging, "actions", killed)
        with pytest.raises(KeyboardInterrupt):
            tables.commit(TABLE, {"a": content([2], statistics=2)}, stamp(2))
    assert tables.snapshot(TABLE) == before
    assert tables.statistics(before) == {"a": measured(1, 1)}
    assert len(files(tables)) == 2
    assert tables.sweep(TABLE) == []

    aged(files(tables))
    (removed,) = tables.sweep(TABLE)
    assert removed.startswith("_statistics/")
    after = tables.commit(TABLE, {"a": content([2], statistics=2)}, stamp(3))
    assert tables.statistics(after) == {"a": measured(1, 2)}


def test_a_sweep_keeps_what_any_version_names(tables):
    versions = [tables.commit(TABLE, {"a": content([n], statistics=n)}, stamp(n)) for n in range(1, 4)]
    aged(files(tables))
    assert tables.sweep(TABLE) == []
    assert [tables.statistics(version)["a"].columns["km"].mean for version in versions] == [1, 2, 3]
