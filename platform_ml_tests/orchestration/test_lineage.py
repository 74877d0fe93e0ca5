"""`platform-ml lineage` on the model of a small shop, and what Dagster and the card say of its files."""

import json
import shutil

import pytest

from platform_ml import cli
from platform_ml.engine.card_artifact import LINEAGE
from platform_ml.engine.feed import landing_file
from platform_ml_tests.orchestration.shop import CUTOFF, DAYS, Checkout, customers, key, lapse, lapse_card, orders, shop

SEEN = DAYS[:56]
"""The labels of the last moment are known a week after it."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory, _trained):
    checkout = Checkout(shutil.copytree(_trained, tmp_path_factory.mktemp("lineage"), dirs_exist_ok=True))
    yield checkout
    checkout.instance.dispose()


@pytest.fixture
def command(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(trained.folder))
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (shop,))

    def run(*arguments):
        capsys.readouterr()
        code = cli.main(["lineage", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


@pytest.fixture
def files(trained):
    """Those that the model saw."""
    days = [landing_file(orders, str(day), trained.work) for day in SEEN]
    return [*days, landing_file(customers, "all", trained.work)]


@pytest.fixture
def digest(trained):
    (model,) = trained.work.platform.artifacts.versions("models/shop/lapse_model")
    return model.digest


def test_down_from_a_model_by_any_of_its_names(command, digest, files):
    code, lines, _ = command("lapse@champion")
    assert code == 0
    assert lines[0].startswith(f"shop/lapse_model@{digest[:12]}, registered as lapse@1, cutoff {CUTOFF}, made ")
    assert lines[1].startswith("  registered as lapse@1 (champion) on ")
    assert lines[2].startswith("  trained on shop/lapse_dataset@")
    assert [line.strip().partition(",")[0] for line in lines[3:] if line.strip().startswith("shop/")] == [
        "shop/lapse_view", "shop/customer_profile", "shop/customers", "shop/lapsed", "shop/orders",
        "shop/order_history", "shop/orders", "shop/order_weeks", "shop/orders",
    ]  # fmt: skip
    (first, *_) = [line for line in lines if f"/{DAYS[0]}.parquet" in line]
    assert "/data/landing/shop/orders/" in first
    assert " bytes  sha256 " in first
    assert "received 20" in first
    assert any(line.endswith("more files (--all shows them)") for line in lines)
    size = sum(file.stat().st_size for file in files)
    assert lines[-1] == f"In all {len(SEEN) + 1} delivered files of 2 sources, {size:,} bytes."
    whole = command("lapse@1", "--all")[1]
    assert sum(".parquet  " in line for line in whole) == len(SEEN) + 1
    assert command(f"lapse_model@{digest[:8]}", "--all")[1][1:] == whole[1:]


def test_programs_get_every_file(command, digest, files):
    code, lines, _ = command("lapse@1", "--json")
    said = json.loads("\n".join(lines))
    assert (code, said["digest"], said["registered"][0]["aliases"]) == (0, digest, ["champion"])
    assert said["tables"][-1]["table"] == "shop/lapse_view"
    assert sorted(one["path"] for one in said["files"]) == sorted(map(str, files))


def test_back_from_a_file(command, trained, digest):
    file = landing_file(orders, str(DAYS[3]), trained.work)
    code, lines, _ = command("--file", str(file))
    assert code == 0
    assert lines[0] == str(file)
    assert lines[1].startswith(f"  shop/orders@{DAYS[3]}, version 1, ")
    assert f"      model lapse_model@{digest[:12]}: lapse@1 (champion)" in lines
    assert lines[-1] == "Seen by 1 dataset and 1 model; registered: lapse@1 (champion)."
    assert command("--file", f"shop/orders/{file.name}")[1][1:] == lines[1:]
    unseen = landing_file(orders, str(DAYS[-1]), trained.work)
    assert command("--file", str(unseen))[1][-2:] == [
        "    no dataset has read it", "Seen by 0 datasets and 0 models; registered: none.",
    ]  # fmt: skip
    code, _, error = command("--file", f"{file}x")
    assert code == 1
    assert "No source of shop has ever read" in error
    assert "Did you mean" in error


def test_back_from_a_partition(command):
    code, lines, _ = command("--partition", f"order_history@{DAYS[10]}")
    assert code == 0
    assert lines[-1] == "Seen by 0 datasets and 0 models; registered: none."
    weekly = command("--partition", f"shop/lapsed@{CUTOFF}", "--version", "1", "--json")[1]
    (load,) = json.loads("\n".join(weekly))["loads"]
    assert [one["name"] for one in load["seen_by"][0]["registered"]] == ["lapse"]
    for arguments, why in {
        ("--partition", "orders@2024-01-40"): "has no partition '2024-01-40'",
        ("--partition", "order@2024-01-01"): "There is no table 'order'. Did you mean 'orders'?",
        ("--partition", "shop/nothing@all"): "was never materialized",
        ("--partition", f"orders@{DAYS[0]}", "--version", "99"): "has no version 99; the newest is 1",
        ("lapse@1", "--version", "1"): "--version is that of a table",
    }.items():
        code, _, error = command(*arguments)
        assert code == 1
        assert why in error


def test_dagster_says_what_a_registered_model_was_made_of(trained, files):
    record = trained.instance.fetch_materializations(key(lapse), limit=1).records[0]
    said = {name: value.value for name, value in record.asset_materialization.metadata.items()}
    assert said["source_files"] == len(SEEN) + 1
    assert said["source_bytes"] == sum(file.stat().st_size for file in files)
    assert "| shop/orders | 1 | 56 | 56 |" in said["sources"]


def test_the_card_carries_every_file(trained):
    artifacts = trained.work.platform.artifacts
    card = artifacts.newest(trained.work.place("cards", lapse_card, CUTOFF))
    files = json.loads((card.folder / LINEAGE).read_text())["files"]
    assert len(files) == len(SEEN) + 1
    sources = json.loads((card.folder / "card.json").read_text())["provenance"]["sources"]
    assert {one["table"]: one["files"] for one in sources} == {"shop/orders": 56, "shop/customers": 1}
