"""Promotions by command and by Dagster: what people read, and the same record of both."""

import json
import shutil
import warnings
from dataclasses import replace

import dagster as dg
import pytest

from platform_ml import cli
from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.promotion import PROMOTE_JOB, ROLLBACK_JOB, promotion_jobs
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.testing.declarations import lapse, shop
from platform_ml.testing.tracking import RUN
from platform_ml_tests.engine.test_registration import Published

BY_HAND = replace(lapse, alias="candidate")
SHOP = replace(shop, outputs=(BY_HAND,))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The data folder of a checkout with two registered versions."""
    home = tmp_path_factory.mktemp("filled")
    store = f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow" / "artifacts"
    connect(store[0])
    run_id, registry = MLflowTracker(*store).record(replace(RUN, children=[])).run_id, MLflowRegistry(*store)
    for number in range(2):
        made = Published(home / f"m{number}", model=b"%d" % number, registration=BY_HAND)
        made.register(registry, run_id, tags={"project": "shop"})
    return home


@pytest.fixture
def command(filled, tmp_path, monkeypatch, capsys):
    """The command line of ada, standing in a checkout."""
    (tmp_path / "data" / "mlflow").mkdir(parents=True)
    for file in (filled / "mlflow").glob("mlflow.db*"):
        shutil.copy(file, tmp_path / "data" / "mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (SHOP,))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("PLATFORM_ML_USER", "ada")

    def run(*arguments):
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return code, out + err

    return run


def test_a_version_is_promoted_and_taken_back_and_both_are_told(command):
    code, said = command("promote", "lapse@1", "--why", "It is the first.")
    assert code == 0
    assert said.splitlines()[0] == "lapse@1: candidate → champion"
    assert said.splitlines()[1].startswith("    promote by ada at ")
    assert command("promote", "shop/lapse@2", "--to", "challenger", "--why", "Try it.")[0] == 0
    code, said = command("promote", "lapse@challenger", "--why", "Better.")
    assert code == 0
    assert said.splitlines()[0] == "lapse@2: challenger → champion; lapse@1: champion → archived"
    assert said.splitlines()[-1] == 'To take it back: platform-ml rollback lapse --why "..."'
    code, said = command("rollback", "lapse", "--why", "It fails for guests.")
    assert (code, said.splitlines()[0]) == (0, "lapse@1: archived → champion; lapse@2: champion → archived")
    code, said = command("history", "lapse")
    lines = said.splitlines()
    assert (code, len(lines)) == (0, 12)
    assert lines[0].endswith("Z  lapse@1: archived → champion; lapse@2: champion → archived")
    assert lines[1].startswith("    rollback by ada, command line of ")
    assert lines[2] == "    It fails for guests."
    entries = json.loads(command("history", "shop/lapse", "--json")[1])
    assert [(entry["version"], entry["after"]) for entry in entries] == [
        (1, "champion"),
        (2, "challenger"),
        (2, "champion"),
        (1, "champion"),
    ]
    code, said = command("models")
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["model", "stage"],
        ["lapse@2", "archived"],
        ["lapse@1", "champion"],
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("promote", "laps@1"), "Nothing is registered as 'laps'. Did you mean 'lapse'? Known: shop/lapse."),
        (("promote", "lapse"), "Which version of 'lapse'? There is: lapse@2 (candidate), lapse@1 (candidate)."),
        (("promote", "lapse@7"), "lapse@7: there is no such version. Registered are: 1, 2."),
        (("promote", "lapse@chalenger"), "lapse@chalenger: there is no such version. Did you mean 'challenger'?"),
        (("promote", "lapse@1", "--to", "champoin"), "cannot be promoted to 'champoin'. Did you mean 'champion'?"),
        (("rollback", "lapse"), "lapse cannot be rolled back: there is no champion."),
        (("rollback", "laps"), "Did you mean 'lapse'?"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_near_miss(command, arguments, says):
    code, said = command(*arguments, "--why", "For the test.")
    assert code == 1
    assert says in said
    assert command("history", "lapse") == (0, "No version of lapse was ever moved.\n")


def test_a_reason_is_asked_for(command, capsys):
    with pytest.raises(SystemExit):
        command("promote", "lapse@1")
    assert "the following arguments are required: --why" in capsys.readouterr().err
    assert "why is empty. Say who does it, why" in command("promote", "lapse@1", "--why", " ")[1]


def test_jobs_of_dagster_leave_the_same_record(command, tmp_path):
    promote, rollback = promotion_jobs([SHOP])
    platform = PlatformResource(data=str(tmp_path / "data"))

    def run(job, tags=None, **config):
        with dg.DagsterInstance.ephemeral() as instance, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Dagster 1.13 on newer Pythons
            said = {"ops": {job.nodes[0].name: {"config": config}}}
            done = job.execute_in_process(
                said, instance=instance, tags=tags, resources={"platform": platform}, raise_on_error=False
            )
            seen = instance.fetch_observations(dg.AssetKey(["shop", "lapse"]), limit=1).records
            return done, [record.asset_observation.metadata for record in seen]

    assert (promote.name, rollback.name) == (PROMOTE_JOB, ROLLBACK_JOB)
    assert run(promote, model="lapse@1", why="It is the first.")[0].success
    done, (said,) = run(promote, {"user": "bob"}, model="lapse@2", to="champion", why="Better.")
    assert done.success
    assert (said["version"].value, said["stage"].value, said["who"].value) == ("2", "champion", "bob")
    assert run(rollback, model="lapse", why="It fails.")[0].success
    first, second, third = platform.mlflow().registry().history("lapse")
    assert [(one.version, one.who, one.act, one.why) for one in (first, second, third)] == [
        (1, "ada", "promote", "It is the first."),
        (2, "bob", "promote", "Better."),
        (1, "ada", "rollback", "It fails."),
    ]
    assert second.run == f"Dagster run {done.run_id}"
    refused, seen = run(promote, model="lapse@2", why="Again.")
    assert (refused.success, seen) == (False, [])
    (failure,) = (event for event in refused.all_events if event.is_step_failure)
    assert "lapse@2 is archived and cannot become champion" in str(failure.event_specific_data.error)
    assert len(platform.mlflow().registry().history("lapse")) == 3


def test_there_is_one_job_each_for_all_projects():
    jobs = [job.name for job in definitions([SHOP], PlatformResource()).resolve_all_job_defs()]
    assert (jobs.count(PROMOTE_JOB), jobs.count(ROLLBACK_JOB)) == (1, 1)


def test_the_history_and_the_list_of_models_say_why_each_version_was_trained(command):
    said = command("history", "lapse")[1]
    assert "No version of lapse was ever moved." in said  # both were only registered
    command("promote", "lapse@1", "--why", "It is the first.")
    assert "Why it was trained" not in command("history", "lapse")[1]  # nobody trains by promoting
    listed = command("models")[1]
    assert "reason" in listed.splitlines()[0]
    assert listed.count("manual") == 2
