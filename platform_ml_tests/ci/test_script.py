"""`.ci/dagster` for real: in a clone in which somebody changed one gate of the mortgage project."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from platform_ml.gates import AtLeast
from platform_ml.orchestration import changed
from platform_ml.orchestration.changed import changes, left
from platform_ml.projects import PROJECTS
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.architecture.files import relative, tracked

EVENED = "platform_ml/projects/mortgage/evened.py"
GRAPH = "platform_ml_tests/orchestration/test_asset_graph.py"
BASE, GATES = "base", "    gates=gates,\n"
PERSON = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]


def git(folder, *arguments):
    done = subprocess.run(
        ["git", "-C", folder, *PERSON, *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.stdout.strip()


def change(folder, old, new):
    file = folder / EVENED
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """This checkout as it is now, as the only commit of a repository."""
    folder = tmp_path_factory.mktemp("clone")
    for path in tracked():
        (folder / relative(path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / relative(path))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-gpg-sign", "--message=Base")
    git(folder, "tag", BASE)
    return folder


def branch(folder, name):
    """Every test begins with what was copied, whatever another one has changed."""
    git(folder, "checkout", "--quiet", "--force", "-B", name, BASE)


def one_more_gate(folder):
    change(folder, GATES, '    gates=(*gates, AtLeast(metric="roc_auc", limit=0.5)),\n')
    imported = "from platform_ml.preparations import"
    change(folder, imported, f"from platform_ml.gates import AtLeast\n{imported}")


def commit(folder, message):
    git(folder, "commit", "--quiet", "--no-gpg-sign", "--all", f"--message={message}")


def run(folder, *command, **environment):
    changes = {"PYTHONPATH": str(folder), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(
        command, cwd=folder, env=os.environ | changes, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_script_finds_the_change_makes_it_and_leaves_the_card(clone):
    branch(clone, "gated")
    one_more_gate(clone)
    updated = run(clone, sys.executable, "-m", "pytest", "-q", GRAPH, "-k", "reviewed", UPDATE_ASSET_GRAPH="1")
    assert updated.returncode == 0, updated.stdout
    commit(clone, "One more gate")

    done = run(clone, ".ci/dagster", "HEAD~1", "build/ci")
    assert done.returncode == 0, done.stdout + done.stderr
    out = clone / "build/ci"
    found = json.loads((out / "changed.json").read_text())
    assert set(found["changed"]) == {"mortgage/fast_lane", "mortgage/fast_lane_card"}
    assert found["selection"] == 'key:"mortgage/fast_lane"+ or key:"mortgage/fast_lane_card"+'
    assert "fast_lane: passed its gates, and is registered, as planned." in done.stdout
    assert "fast_lane_as_learned" not in re.sub(r".*== What is declared", "", done.stdout, flags=re.DOTALL)
    card = out / "cards/mortgage/fast_lane_card"
    assert AtLeast(metric="roc_auc", limit=0.5).name in (card / "card.json").read_text()
    assert (card / "card.html").stat().st_size > 10_000
    told = json.loads((out / "alerts/open.json").read_text())
    assert [one["newest"]["cause"] for one in told if one["newest"]["severity"] != "info"] == []
    assert git(clone, "status", "--porcelain") == ""


def test_a_wrong_snapshot_stops_it_before_anything_is_made(clone):
    branch(clone, "forgetful")
    change(clone, GATES, f'{GATES}    alias="challenger",\n')
    done = run(clone, ".ci/dagster", BASE, "build/other")
    assert done.returncode != 0
    assert "The asset graph is not what asset_graph.txt says" in done.stdout
    assert not (clone / "build/other/data").exists()


def test_what_is_not_committed_is_a_change_and_prose_is_none(clone):
    branch(clone, "prose")
    one_more_gate(clone)
    commit(clone, "One more gate")
    change(clone, '"The model that may choose applications for the fast lane."', '"Chooses applications."')
    command = [sys.executable, "-m", "platform_ml.cli", "changed", "--since", "HEAD"]
    assert run(clone, *command).stdout == "No asset is declared otherwise.\n"
    change(clone, "limit=0.5)),", "limit=0.6)),")
    assert run(clone, *command).stdout == (
        "changed     mortgage/fast_lane\n              Registration.gates: AtLeast.limit: 0.5 → 0.6\n"
        "changed     mortgage/fast_lane_card\n              Registration.gates: AtLeast.limit: 0.5 → 0.6\n"
        'key:"mortgage/fast_lane"+ or key:"mortgage/fast_lane_card"+\n'
    )


def test_a_commit_that_is_not_there_is_said():
    with pytest.raises(PlatformError, match=r"There is no commit 'nowhere' here\. Fetch it"):
        left("nowhere")
    with pytest.raises(PlatformError, match="There is no commit '--all' here"):
        left("--all")


def test_declarations_that_todays_libraries_cannot_load_are_said(clone, monkeypatch):
    monkeypatch.setattr(changed, "ROOT", clone)
    branch(clone, "broken")
    (clone / "platform_ml/projects/__init__.py").write_text("import a_library_of_long_ago\n")
    commit(clone, "Long ago")
    with pytest.raises(PlatformError, match="cannot be loaded with today's libraries: ModuleNotFoundError: No module"):
        changes("HEAD", PROJECTS)
