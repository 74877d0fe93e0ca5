"""`platform-ml new-project` in a copy of the checkout: what it writes passes its own tests, lint and contracts."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from platform_ml.cli import main
from platform_ml.engine import scaffold
from platform_ml.orchestration import new_project
from platform_ml.orchestration.new_project import listed
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.architecture.files import ROOT
from platform_ml_tests.docs.pages import copy, environment

SCRIPTS = Path(sys.executable).parent
LIST = "platform_ml/projects/__init__.py"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return copy(tmp_path_factory.mktemp("checkout"))


def run(checkout, *command):
    return subprocess.run(command, cwd=checkout, env=environment(checkout), check=False, capture_output=True, text=True)


def files(checkout):
    return {path for path in checkout.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def scaffolded(checkout):
    before = files(checkout)
    ran = run(
        checkout, sys.executable, "-m", "platform_ml.cli", "new-project", "corner_shop", "--owner", "ada@shop.org"
    )
    assert ran.returncode == 0, ran.stderr
    return sorted(path.relative_to(checkout).as_posix() for path in files(checkout) - before), ran.stdout


def test_it_says_what_it_wrote_and_what_is_next(scaffolded):
    written, said = scaffolded
    package = {f"platform_ml/projects/corner_shop/{name}" for name in ("__init__.py", "sources.py", "features.py")}
    package |= {f"platform_ml/projects/corner_shop/{name}" for name in ("model.py", "orders.csv")}
    assert set(written) == package | {"platform_ml_tests/projects/test_corner_shop.py"}
    assert all(f"  wrote  {path}\n" in said for path in [*written, LIST])
    assert "platform-ml demo --project corner_shop" in said


def test_its_own_tests_pass(checkout, scaffolded):
    folder = checkout / "pytest"
    test = "platform_ml_tests/projects/test_corner_shop.py"
    ran = run(checkout, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}", test)
    assert ran.returncode == 0, ran.stdout
    assert "5 passed" in ran.stdout
    registered = (folder / "corner_shop0/mlflow/artifacts").rglob("card.html")
    assert len(list(registered)) >= 1, "the gates held the model of the invented rows back"


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"]], ids=" ".join)
def test_lint_passes(checkout, scaffolded, command):
    ran = run(
        checkout,
        SCRIPTS / command[0],
        *command[1:],
        "--no-cache",
        *[path for path in [*scaffolded[0], LIST] if path.endswith(".py")],
    )
    assert ran.returncode == 0, ran.stdout


def test_import_contracts_hold(checkout, scaffolded):
    ran = run(checkout, SCRIPTS / "lint-imports", "--no-cache")
    assert ran.returncode == 0, ran.stdout


class TestAnotherFile:
    @pytest.fixture
    def here(self, tmp_path, monkeypatch):
        """An empty checkout for this process."""
        for folder in ("platform_ml/projects", "platform_ml_tests/projects"):
            (tmp_path / folder).mkdir(parents=True)
        shutil.copy(ROOT / LIST, tmp_path / LIST)
        monkeypatch.setattr(new_project, "ROOT", tmp_path)
        monkeypatch.setattr(new_project, "_check_loads", lambda name: None)
        return tmp_path

    def test_it_is_cut_to_some_entities_and_declared_as_it_is(self, here, monkeypatch, capsys):
        rows = scaffold.invented().replace("order_id", "line").replace("customer_id", "card_id")
        (here / "till lines.csv").write_text(rows.replace(",", ";"))
        monkeypatch.setattr(scaffold, "MOST_ROWS", 1_000)
        assert main(["new-project", "tills", "--from", str(here / "till lines.csv"), "--key", "line"]) == 0
        assert "which card_id will not come back within 7 days" in capsys.readouterr().out
        sources = (here / "platform_ml/projects/tills/sources.py").read_text()
        assert 'description="Rows of till lines.csv."' in sources
        assert 'Column("amount", Decimal(9, 2))' in sources
        example = (here / "platform_ml/projects/tills/till_lines.csv").read_text().splitlines()
        assert example[0] == "line,card_id,amount,ordered_at"
        cards = {row.split(",")[1] for row in example[1:]}
        kept = [row for row in rows.splitlines()[1:] if row.split(",")[1] in cards]
        assert sorted(kept) == sorted(example[1:])
        assert 300 < len(kept) <= 1_000

    def test_too_short_a_time_is_refused(self, here, capsys):
        lines = [row for row in scaffold.invented().splitlines() if "2024-01-" in row or "order_id" in row]
        (here / "short.csv").write_text("\n".join(lines))
        assert main(["new-project", "short", "--from", str(here / "short.csv")]) == 1
        assert "its rows span 31 days" in capsys.readouterr().err

    def test_nothing_is_half_written(self, here, monkeypatch, capsys):
        def fail(name):
            raise PlatformError("It would not load.")

        before = {path: path.read_bytes() for path in files(here)}
        monkeypatch.setattr(new_project, "_check_loads", fail)
        assert main(["new-project", "tills"]) == 1
        assert {path: path.read_bytes() for path in files(here)} == before
        assert [path.name for path in (here / "platform_ml/projects").iterdir()] == ["__init__.py"]
        assert capsys.readouterr() == ("", "platform-ml: It would not load.\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Corner Shop", "a name is lower_snake_case"),
        ("lambda", "is a word of Python"),
        ("match", "is a word of Python"),
        ("duckdb", "would be named like the module 'duckdb'"),
        ("statistics", "would be named like the module 'statistics'"),
        ("retail", "is there already"),
        ("energy", "platform_ml/projects/energy.py is there already"),
        ("s" * 41, "41 characters are too many"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name, said, capsys):
    assert main(["new-project", name]) == 1
    assert said in capsys.readouterr().err


class TestListed:
    def test_a_line_is_added_in_its_place(self):
        imports = [f"from platform_ml.projects.{name} import {name}" for name in ("apes", "harbour", "zoo")]
        text = f"{imports[0]}\n{imports[2]}\n\nPROJECTS = (zoo, apes)\n"
        assert listed(text, "harbour").splitlines() == [*imports, "", "PROJECTS = (zoo, apes, harbour)"]
        assert "import harbour\n" in listed((ROOT / LIST).read_text(), "harbour")

    def test_a_long_line_is_folded_and_what_is_starred_stays_last(self):
        names = [f"project_number_{n}" for n in range(8)]
        text = f"PROJECTS = ({', '.join(names)}, *others)\n"
        lines = listed(text, "harbour").splitlines()
        assert lines[-3:] == ["    harbour,", "    *others,", ")"]

    def test_a_file_without_the_line_is_refused(self):
        with pytest.raises(PlatformError, match="has no line PROJECTS"):
            listed("PROJECTS = []\n", "harbour")
