"""`platform-ml catalog`, as a person and as a program read it."""

import json

import pytest

from platform_ml import cli
from platform_ml_tests.orchestration.shop import shop


@pytest.fixture
def run(monkeypatch, capsys):
    """A command in a checkout, in a terminal of some width or (None) in a pipe: exit code, lines, errors."""
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (shop,))

    def command(checkout, *arguments, width=None):
        monkeypatch.chdir(checkout.folder)
        monkeypatch.setenv("DAGSTER_HOME", str(checkout.folder))
        monkeypatch.delenv("COLUMNS", raising=False)
        if width:
            monkeypatch.setenv("COLUMNS", str(width))
        code = cli.main(["catalog", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return command


def test_before_anything_was_made(landed, run):
    code, lines, err = run(landed)
    assert (code, err) == (0, "")
    assert sum("not materialized yet" in line for line in lines) == 10
    assert lines[-1] == "10 declarations, 0 materialized, 0 stale. More of one: platform-ml catalog PROJECT NAME"


@pytest.mark.parametrize("width", [100, 160])
def test_tables_fit_the_terminal(built, run, width):
    for name in ([], ["order_history"], ["lapse_view"], ["lapse_dataset"]):
        code, lines, _ = run(built, "shop", *name, width=width)
        assert code == 0
        assert max(map(len, lines)) <= width
        assert not any("…" in line for line in lines)
        assert all(line == line.rstrip() for line in lines)


def test_a_narrow_terminal_shows_kind_by_kind(built, run):
    _, lines, _ = run(built, "shop", width=100)
    assert lines[2].split() == ["name", "status", "rows", "latest", "quality", "ready"]
    at = lines.index("feature groups")
    assert [line.split()[0] for line in lines[at + 1 : at + 4]] == ["order_history", "order_weeks", "customer_profile"]


def test_for_another_program_a_line_says_all(built, run):
    _, lines, _ = run(built, "shop")
    (line,) = [line for line in lines if line.startswith("order_weeks ")]
    assert line.split()[1:3] == ["feature", "group"]
    assert "current" in line.split()
    assert "9 of 9" in line
    assert line.endswith("lapse_view")
    assert "\x1b" not in "".join(lines)
    (line,) = [line for line in lines if line.startswith("orders ")]
    assert line.endswith("lapsed, order_history, order_weeks")


def test_one_declaration(built, run):
    code, lines, _ = run(built, "shop", "order_weeks", width=160)
    assert code == 0
    assert lines[0] == "shop/order_weeks, feature group: How much and how lately a customer bought."
    facts = {line[:13].strip(): line[13:].strip() for line in lines[2:18]}
    assert facts["status"] == "current"
    assert facts["owner"] == shop.owner
    assert facts["used by"] == "lapse_view"
    assert facts["quality score"].endswith("of the rows are ready")
    (line,) = [line for line in lines if line.startswith("days_since_last_14d")]
    assert line.split()[1:6] == ["feature", "integer", "days", "14", "d"]
    assert run(built, "shop/order_weeks", width=160)[1] == lines


def test_versions_of_a_dataset(built, run):
    _, lines, _ = run(built, "shop", "lapse_dataset")
    (artifact,) = built.work.platform.artifacts.versions("datasets/shop/lapse_dataset")
    (line,) = [line for line in lines if line.startswith(artifact.digest[:12])]
    assert f"cutoff {artifact.record['cutoff']}" in line
    assert line.endswith(" test rows")


def test_a_page_and_json_are_written(built, run, tmp_path):
    code, lines, _ = run(built, "--html", str(tmp_path / "c.html"), "--json", str(tmp_path / "c.json"))
    assert code == 0
    text = (tmp_path / "c.html").read_text()
    assert lines[0] == f"{tmp_path / 'c.html'}: {len(text.encode()):,} bytes"
    assert text.startswith("<!doctype html>")
    names = [item["name"] for item in json.loads((tmp_path / "c.json").read_text())["projects"][0]["items"]]
    assert names[0] == "orders"
    assert json.loads("\n".join(run(built, "shop", "--json", "-")[1]))["projects"][0]["name"] == "shop"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shpo"], "There is no project 'shpo'. Did you mean 'shop'? Known: shop."),
        (["shop", "ordres"], "shop declares no 'ordres'. Did you mean 'orders'?"),
        (["shop/ordres"], "shop declares no 'ordres'. Did you mean 'orders'?"),
        (["--html", "no/folder/c.html"], "no/folder/c.html cannot be written: No such file or directory."),
    ],
)
def test_mistakes_are_one_line(landed, run, arguments, message):
    code, lines, err = run(landed, *arguments)
    assert (code, lines) == (1, [])
    assert err.startswith(f"platform-ml: {message}")
    assert err.count("\n") == 1
