"""`platform-ml reproduce`, `diff` and `maintain` on a small shop that Dagster has built."""

import json
import re
from dataclasses import replace

import pytest

from platform_ml import cli
from platform_ml_tests.engine.shop import Order, naive
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    bought_on,
    lapse_dataset,
    lapse_view,
    lapsed,
    order_history,
    orders,
    shop,
    span,
    swapped,
)

DAY = "2024-02-05"
VIEW_KEY = "2024-02-12"
FINGERPRINT = "[0-9a-f]{12}"


@pytest.fixture
def run(built, monkeypatch, capsys):
    """A command in the checkout's folder: exit code, lines of output, error."""
    monkeypatch.chdir(built.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(built.folder))
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (shop,))

    def command(*arguments):
        capsys.readouterr()  # Dagster's log of the runs before
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return command


def later(built):
    """A late order, and all that follows from it, up to another version of the dataset."""
    late = Order(1, bought_on("2024-02-01")[0].customer_id, 1_000, naive(2024, 2, 5, 12))
    built.deliver(DAY, [*bought_on(DAY), late])
    runs = [
        built.materialize([orders], partition=DAY),
        built.materialize([order_history], span=(DAY, span(order_history)[1])),
        built.materialize([lapsed, lapse_view], span=span(lapsed)),
        built.materialize([lapse_dataset], partition=CUTOFF),
    ]
    assert all(one.success for one in runs)


def digests(built):
    return [found.digest[:12] for found in built.work.platform.artifacts.versions("datasets/shop/lapse_dataset")]


def test_reproduce_from_the_view_and_from_the_sources(built, run):
    (digest,) = digests(built)
    code, lines, err = run("reproduce", "lapse_dataset@latest")
    assert (code, err) == (0, "")
    assert lines[0] == f"shop/lapse_dataset@{digest}, cutoff {CUTOFF}"
    assert lines[1] == "same       published files: 4 files by their sha256"
    assert lines[2].startswith("same       from the view, shop/lapse_view version 1: ")
    assert re.fullmatch(rf"Identical: the content hash is {FINGERPRINT}, as published\.", lines[-1])
    code, lines, _ = run("reproduce", f"shop/lapse_dataset@{digest[:6]}", "--deep")
    assert code == 0
    assert lines[3].startswith("same       from the sources: ")


def test_after_a_backfill_and_maintenance_both_versions_are_there(built, run):
    later(built)
    first, second = digests(built)
    code, lines, err = run("maintain", "--dry-run", "--keep-days", "0")
    assert (code, err) == (0, "")
    assert lines[0] == "Dry run: nothing is written or removed."
    before = set((built.folder / "data" / "tables").rglob("*.parquet"))
    code, lines, _ = run("maintain", "--project", "shop", "--keep-days", "0")
    assert code == 0
    assert set((built.folder / "data" / "tables").rglob("*.parquet")) <= before
    tables = [line.split()[0] for line in lines[1:-1] if line.startswith("shop/")]
    assert (tables[0], tables[-1]) == ("shop/orders", "shop/customers_rejected")
    assert re.fullmatch(r"Freed [\d,]+ bytes\. Every version that a dataset pins is kept\.", lines[-1])
    for digest in (first, second):
        assert run("reproduce", f"lapse_dataset@{digest}", "--deep")[0] == 0


def test_a_version_that_no_dataset_pins_is_freed(built, run):
    for seed in (2, 3):
        built.deliver(DAY, bought_on(DAY, seed))
        assert built.materialize([orders], partition=DAY).success
    _, lines, _ = run("maintain", "--keep-days", "0", "--dry-run")
    freed = int(re.fullmatch(r"Would free ([\d,]+) bytes\..*", lines[-1])[1].replace(",", ""))
    snapshot = built.work.platform.tables.snapshot("shop/orders", 2)
    assert freed == snapshot.partitions[DAY].files[0].size
    assert run("maintain")[1][-1].startswith("Freed 0 bytes")
    _, lines, _ = run("maintain", "--keep-days", "0")
    assert "    1 old version that no dataset pins can no longer be read in full" in lines
    assert lines[-1].startswith(f"Freed {freed:,} bytes")
    assert run("reproduce", "lapse_dataset@latest", "--deep")[0] == 0


def test_damage_is_told_and_the_exit_code_is_not_zero(built, run):
    file = built.work.platform.artifacts.versions("datasets")[0].folder / "test.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    code, lines, _ = run("reproduce", f"lapse_dataset@{CUTOFF}")
    assert code == 1
    assert lines[1] == "DIFFERENT  published files: 4 files by their sha256"
    assert lines[2].startswith(f"           {file} was changed: its sha256 is not ")
    assert lines[-2:] == [
        "Declarations, code and libraries are those that built it: look at the files and commits named above.",
        "NOT identical.",
    ]


def test_a_changed_declaration_is_told(built, run, monkeypatch):
    other = replace(lapse_dataset, splitter=replace(lapse_dataset.splitter, validation_days=14))
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (swapped(shop, lapse_dataset, other),))
    code, lines, _ = run("reproduce", "lapse_dataset@latest")
    assert code == 1
    assert lines[-3:] == [
        "Changed since it was built:",
        "  declaration: TrainingDataset lapse_dataset: splitter: ByTime.validation_days: 7 → 14",
        "NOT identical.",
    ]


def test_diff_for_people_and_for_programs(built, run):
    later(built)
    first, second = (f"lapse_dataset@{digest}" for digest in digests(built))
    code, lines, err = run("diff", first, second)
    assert (code, err) == (0, "")
    assert lines[:2] == [f"before  shop/{first}, cutoff {CUTOFF}", f"after   shop/{second}, cutoff {CUTOFF}"]
    head = ("rows", "before", "after", "added", "removed", "changed", "label", "mean", "before", "after")
    assert tuple(lines[3].split()) == head
    assert [line.split()[0] for line in lines[4:7]] == ["train", "validation", "test"]
    assert any(re.match(r"amount_sum_7d +0\.\d{4} +1  .*mean \S+ → \S+", line) for line in lines)
    at = lines.index("causes")
    assert "  table shop/orders, version 1 → 1, 2: partitions: 1 with other rows (2024-02-05)" in lines[at:]
    code, lines, _ = run("diff", first, second, "--json")
    found = json.loads("\n".join(lines))
    assert (found["same_content"], found["changed_values"]["amount_sum_7d"]) == (False, 1)
    assert [split["split"] for split in found["splits"]] == ["train", "validation", "test"]
    assert run("diff", first, first)[1][-1] == "  nothing that manifests and commits know of"


@pytest.mark.parametrize("command", [["reproduce"], ["diff", "lapse_dataset@latest"]])
def test_an_unknown_dataset_is_one_line(run, command):
    code, lines, err = run(*command, "lapse_datset@latest")
    assert (code, lines) == (1, [])
    assert err == (
        "platform-ml: There is no training dataset 'lapse_datset'. Did you mean 'lapse_dataset'? "
        "Known: shop/lapse_dataset.\n"
    )


@pytest.mark.parametrize("days", ["-1", "x", "1.5"])
def test_days_are_whole_numbers(run, days, capsys):
    with pytest.raises(SystemExit):
        run("maintain", f"--keep-days={days}")
    assert "is not a number of days" in capsys.readouterr().err
