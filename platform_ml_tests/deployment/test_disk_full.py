"""A disk that is full: the run says so, what was there stays, and with room it goes through."""

import os
import subprocess
from contextlib import contextmanager

import dagster as dg
import pytest

from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml_tests.deployment.project import DAYS, orders, project
from platform_ml_tests.engine import shop as rows
from platform_ml_tests.orchestration.shop import failures

MEGABYTE = 1 << 20


@contextmanager
def disk(folder, size):
    """A file system of its own."""
    folder.mkdir(parents=True)
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if os.geteuid() or subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder):
    """Leave no room."""
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        try:
            while ballast.write(b"\0" * 4096):
                pass
        except OSError:
            return


def load(platform, instance, day):
    [asset] = [
        one for one in project_assets(project) if getattr(one, "key", None) == dg.AssetKey(["deployed", "orders"])
    ]
    return dg.materialize(
        [asset], partition_key=str(day), instance=instance, resources={"platform": platform}, raise_on_error=False
    )


def test_a_run_on_a_full_disk(tmp_path):
    platform = PlatformResource(data=str(tmp_path / "data"), memory="200MB")
    work = platform.work("deployed", lambda _: None)
    rows.deliver(work, rows.invented(1, customers=20, days=DAYS), days=DAYS, source=orders)
    with (
        disk(tmp_path / "data" / "tables", MEGABYTE) as tables,
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
    ):
        assert load(platform, instance, DAYS[0]).success
        before = work.platform.tables.snapshot("deployed/orders")
        fill(tables)
        run = load(platform, instance, DAYS[1])
        assert not run.success
        said = failures(run)
        assert "No space left on device" in said
        assert "deployed/orders" in said
        now = work.platform.tables.snapshot("deployed/orders")
        assert (now.version, dict(now.partitions)) == (before.version, dict(before.partitions))
        work.platform.tables.verify(now)
        (tables / "ballast").unlink()
        assert load(platform, instance, DAYS[1]).success
        after = work.platform.tables.snapshot("deployed/orders")
        assert {key: len(made) for key, made in after.commits.items()} == {str(DAYS[0]): 1, str(DAYS[1]): 1}
        work.platform.tables.verify(after)
