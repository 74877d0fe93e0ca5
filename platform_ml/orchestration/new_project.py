"""`platform-ml new-project`: checks the name, writes everything or nothing, and says what to do next."""

from __future__ import annotations

import ast
import keyword
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.scaffold import files, plan
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.engine.proposal import Asked
    from platform_ml.spec.project import Project

ROOT = Path(__file__).resolve().parents[2]
LIST = "platform_ml/projects/__init__.py"
LONGEST = 40
"""Characters of a name: those of its tables are longer."""
WIDTH = 120


def new_project(name: str, *, owner: str | None, file: Path | None, asked: Asked, projects: Sequence[Project]) -> int:
    """Write a project that passes its tests, and list it."""
    check_new(name, projects)
    compute = DuckDB()
    with tempfile.TemporaryDirectory() as folder:
        made = plan(name, owner or f"team:{name}", file, asked, folder=Path(folder), compute=compute)
        texts = files(made, compute)
    texts[LIST] = listed((ROOT / LIST).read_text(encoding="utf-8"), name)
    with _all_or_nothing(texts):
        _check_loads(name)
    found = made.proposal
    print(f"{name}: which {found.entity} will not come back within {made.horizon} days")
    print(f"  rows   {found.name}, {found.first} to {found.last}, told apart by {', '.join(found.key)}")
    print(f"  time   {found.event_time}; daily files, a prediction every week")
    for path in texts:
        print(f"  wrote  {path}")
    print(f"Next:\n  python -m pytest platform_ml_tests/projects/test_{name}.py\n  platform-ml demo --project {name}")
    print("  UPDATE_ASSET_GRAPH=1 python -m pytest platform_ml_tests/orchestration/test_asset_graph.py")
    return 0


def check_new(name: str, projects: Sequence[Project]) -> None:
    """Refuse a name that is none, that is taken, or that hides a module from those who import it."""
    check_name("Project", name)
    if len(name) > LONGEST:
        raise PlatformError(f"Project {name!r}: {len(name)} characters are too many for tables. Use {LONGEST} or less.")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise PlatformError(f"Project {name!r} is a word of Python. Use another.")
    taken = [f"platform_ml/projects/{name}{end}" for end in ("", ".py", ".yaml")]
    taken.append(f"platform_ml_tests/projects/test_{name}.py")
    if there := [path for path in taken if (ROOT / path).exists()]:
        raise PlatformError(f"Project {name!r}: {there[0]} is there already. Use another name, or remove it first.")
    if name in {project.name for project in projects}:
        raise PlatformError(f"There is a project {name!r} already. Use another name.")
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise PlatformError(f"Project {name!r} would be named like the module {name!r}. Use another, like {name}_rows.")


def listed(text: str, name: str) -> str:
    """The module that lists the projects, with one more: an import in its place, and the last item of PROJECTS."""
    tree = ast.parse(text)
    found = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["PROJECTS"]
    ]
    if len(found) != 1 or not isinstance(found[0], ast.Tuple) or not found[0].elts:
        raise PlatformError(f"{LIST} has no line PROJECTS = (...) that a project could be added to. Restore it.")
    value, lines = found[0], text.splitlines()
    items = [ast.get_source_segment(text, item) or "" for item in value.elts]
    at = next((n for n, item in enumerate(value.elts) if isinstance(item, ast.Starred)), len(items))
    items.insert(at, name)
    short = f"PROJECTS = ({', '.join(items)})"
    whole = short if len(short) <= WIDTH else "PROJECTS = (\n" + "".join(f"    {item},\n" for item in items) + ")"
    lines[value.lineno - 1 : value.end_lineno] = whole.splitlines()
    added = f"from platform_ml.projects.{name} import {name}"
    imports = [n for n, line in enumerate(lines) if line.startswith("from platform_ml.projects.")]
    before = next((n for n in imports if lines[n] > added), (imports[-1] if imports else 0) + 1)
    lines.insert(before, added)
    return "\n".join(lines) + "\n"


@contextmanager
def _all_or_nothing(texts: dict[str, str]) -> Iterator[None]:
    """Write these files of the checkout; whatever goes wrong then, they are as they were before."""
    before = {path: (ROOT / path).read_bytes() if (ROOT / path).exists() else None for path in texts}
    made: list[Path] = []
    try:
        for path, text in texts.items():
            file = ROOT / path
            if not file.parent.exists():
                file.parent.mkdir()
                made.append(file.parent)
            part = file.with_name(f".{file.name}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(file)
        yield
    except BaseException:
        for path, content in before.items():
            (ROOT / path).with_name(f".{Path(path).name}.part").unlink(missing_ok=True)
            if content is None:
                (ROOT / path).unlink(missing_ok=True)
            else:
                (ROOT / path).write_bytes(content)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _check_loads(name: str) -> None:
    """Refuse what was written if its declarations contradict each other."""
    command = [sys.executable, "-c", f"from platform_ml.projects.{name} import {name}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1]
        raise PlatformError(f"Nothing was written: the project would not load. {said}")
