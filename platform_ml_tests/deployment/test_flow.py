"""From a delivered file to a model that says why it was trained, with daemon, code server and webserver at work."""

from collections import Counter
from dataclasses import replace

import pytest

from platform_ml.engine.feed import landing_file
from platform_ml.orchestration.resources import PlatformResource
from platform_ml_tests.deployment import running
from platform_ml_tests.deployment.conftest import KILLS
from platform_ml_tests.deployment.harness import Deployment
from platform_ml_tests.deployment.running import DAYS, asked, growing
from platform_ml_tests.engine import shop as rows

BOUGHT = rows.invented(1, customers=600, days=DAYS)
KNOWN = DAYS[:35]
CUTOFF = str(DAYS[28])
"""The last week whose outcome is known by then."""
LATE, NEW, BAD = (str(DAYS[n]) for n in (19, 35, 36))
SEEN = str(DAYS[21])
"""The only week whose rows change with the late day: it reads the days before it."""
TRAINED = {"platform_ml/registration": "lapse"}


class Flow(Deployment):
    """The two projects at work."""

    def work_of(self, project):
        return PlatformResource(data=str(self.folder / "data")).work(project.name, lambda _: None)

    def land(self, project, days):
        rows.deliver(self.work_of(project), BOUGHT, days=days, source=running.orders)

    def commits_of(self, project, table):
        """Partition → how many commits wrote it."""
        snapshot = self.work_of(project).platform.tables.snapshot(f"{project.name}/{table}")
        return {key: len(made) for key, made in snapshot.commits.items()} if snapshot else {}

    def command(self, *lines):
        """What `platform-ml` says, one line after the other: a process for each would cost more than what they do."""
        return self.run("python", "-m", running.__name__, *lines)

    def switch_on(self, schedule):
        selector = {
            "repositoryLocationName": "deployed",
            "repositoryName": "__repository__",
            "scheduleName": schedule,
        }
        self.ask(SWITCH_ON, selector=selector)

    def idle(self):
        """Whether no run is queued or going on."""
        return not [one for one in self.runs() if one["status"] in {"QUEUED", "STARTING", "STARTED", "NOT_STARTED"}]

    def settled(self, what, found):
        """Until something is there and no run goes on."""
        return self.wait(what, lambda: found() and self.idle())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"] if KILLS > 6 else ["sqlite"])
def flow(request, tmp_path_factory):
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = Flow(tmp_path_factory.mktemp("flow") / "home", server, module=running.__name__)
    try:
        made.land(growing, KNOWN)
        made.land(asked, DAYS)
        made.run("dagster", "instance", "migrate")  # nobody else makes the tables meanwhile
        for name in ("deployed", "daemon", "webserver"):
            made.start(name)
        made.ready()
        yield made
    finally:
        made.close()


def once(keys):
    return dict.fromkeys(map(str, keys), 1)


def test_what_is_delivered_becomes_a_model_that_says_why_it_was_trained(flow):
    flow.switch_on("asked_minutely")
    [run] = flow.wait("the model is asked for", lambda: flow.runs(**TRAINED))
    assert flow.ended(run["id"]) == "SUCCESS", flow.said(run["id"])
    assert run["tags"]["dagster/partition"] == CUTOFF
    assert run["tags"]["platform_ml/reason"] == "new_data"
    detail = run["tags"]["platform_ml/reason_detail"]
    assert detail.endswith("of 100 labelled rows, and no model yet")
    assert flow.commits_of(growing, "orders") == once(KNOWN)
    assert flow.commits_of(growing, "order_history") == once(KNOWN)
    weeks = running.lapsed.cadence.keys()[:-1]
    assert flow.commits_of(growing, "lapsed") == flow.commits_of(growing, "lapse_view") == once(weeks)
    said = flow.command("card lapse@1 --markdown", "models --project growing")
    assert detail in said
    assert "champion" in said
    flow.wait("it is told", lambda: "lapse@1 was registered" in flow.log("deployed"))


def test_a_correction_makes_what_can_see_it_and_a_bad_file_stops_nothing_else(flow):
    tables = ("orders", "order_history", "lapsed", "lapse_view")
    before, work = {name: flow.commits_of(growing, name) for name in tables}, flow.work_of(growing)
    corrected = [replace(one, amount=one.amount + 1) for one in BOUGHT if str(one.day) == LATE]
    landing_file(running.orders, BAD, work).write_bytes(b"this is no Parquet")
    rows.write(work, running.orders, LATE, rows.table(corrected))
    flow.land(growing, [DAYS[35]])
    flow.settled(
        "what can see it is made",
        lambda: (
            flow.commits_of(growing, "lapse_view").get(SEEN) == 2 and flow.commits_of(growing, "order_history").get(NEW)
        ),
    )
    more = {name: set(Counter(flow.commits_of(growing, name)) - Counter(before[name])) for name in tables}
    assert more == {
        "orders": {LATE, NEW},
        "order_history": {*map(str, DAYS[19:26]), NEW},
        "lapsed": {str(DAYS[14]), SEEN, CUTOFF},
        "lapse_view": {SEEN},
    }
    assert BAD not in flow.commits_of(growing, "orders")
    said = flow.command("status growing", "alerts growing")
    assert f"Refused: orders {BAD}" in said
    assert "lapse: Not yet: new_labels: 0 of 100 new labelled rows since cutoff" in said
    assert f"run failed: growing/orders, {BAD}\n" in said
    assert len(flow.runs(**TRAINED)) == 1


def test_a_schedule_a_queued_backfill_and_a_command(flow):
    tag = {"platform_ml/schedule": "asked_minutely"}
    for run in flow.wait("the minute is over", lambda: flow.runs(**tag)):
        assert flow.ended(run["id"]) == "SUCCESS"
        assert run["tags"]["platform_ml/reason"] == "schedule"
    assert flow.commits_of(asked, "orders") == flow.commits_of(asked, "order_history") == once(DAYS)
    said = flow.command("backfill asked lapse_view --queue")
    backfill = said.partition("backfill ")[2].split()[0]
    assert flow.backfilled(backfill) == "COMPLETED_SUCCESS"
    made = flow.runs(**{"dagster/backfill": backfill})
    assert {one["tags"]["platform_ml/reason"] for one in made} == {"manual"}
    assert flow.commits_of(asked, "lapse_view") == once(running.lapsed.cadence.keys())
    said = flow.command("backfill asked asked_lapse", "models --project asked", "backfill asked asked_lapse")
    assert "not registered for this cutoff" in said
    assert "manual" in said
    assert said.endswith("Made 0 partitions.\n")
    assert flow.commits_of(asked, "orders") == once(DAYS)


SWITCH_ON = """mutation($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
    __typename ... on PythonError { message } } }"""
