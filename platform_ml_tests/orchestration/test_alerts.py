"""What people are told of real runs of the shop, once, and what they can do about it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.test_utils import create_run_for_test

from platform_ml.cli import main
from platform_ml.engine.audit import Check
from platform_ml.orchestration import alert_sinks, alert_steps, alerts_command
from platform_ml.orchestration.alert_sinks import book, masked, sinks
from platform_ml.orchestration.alerts import RUNS, against_champion, alerts_sensor, look
from platform_ml.orchestration.asset import AssetSpec, asset
from platform_ml.orchestration.checks import report
from platform_ml.orchestration.model_card import _findings
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.alert import Kind, Severity
from platform_ml.spec.errors import PlatformError, UnreachableError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.stage import REGISTER, Stage, Transition
from platform_ml.spec.waiver import Waiver
from platform_ml.testing.declarations import numbers
from platform_ml_tests.adapters.test_webhook import SECRET, server
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    DAYS,
    customer_profile,
    customers,
    lapse,
    lapse_card,
    lapsed,
    order_history,
    orders,
    shop,
)
from platform_ml_tests.orchestration.test_checks import DAY as SPOILT
from platform_ml_tests.orchestration.test_checks import spoil

pytestmark = [
    # Assets that are made by hand, without what silences Dagster's notes on what is new.
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]
DAY = str(DAYS[0])
BAD = Estimate(value=0.55, low=0.5, high=0.6)


class Reader:
    """Somebody who reads every message."""

    name = "reader"
    level = Severity.INFO

    def __init__(self, checkout):
        self.checkout, self.read, self.now = checkout, [], datetime.now(tz=UTC)

    def send(self, alert, number):
        self.read.append(alert)

    def looks(self, platform=None, hours=0.0):
        """What is new to them."""
        self.now += timedelta(hours=hours)
        self.read = []
        look(self.checkout.instance, [shop], platform or self.checkout.platform, [self], now=self.now)
        return self.read


@pytest.fixture
def reader(landed, monkeypatch):
    monkeypatch.setenv("PLATFORM_ML_UI_URL", "https://dagster.example.org/")
    return Reader(landed)


def heads(alerts):
    return [alert.what for alert in alerts]


def test_a_failed_run_is_told_once_and_when_it_is_over(reader):
    failed = reader.checkout.materialize([customer_profile])
    assert not failed.success
    (alert,) = reader.looks()
    assert (alert.what, alert.severity, alert.owner) == (
        "Run failed: shop/customer_profile",
        Severity.ERROR,
        shop.owner,
    )
    assert alert.link == f"https://dagster.example.org/runs/{failed.run_id}"
    assert "shop/customers was never materialized" in alert.why
    assert alert.step == (
        "Mend what the run names, then: dagster asset materialize -m platform_ml.definitions "
        "--select shop/customer_profile"
    )
    assert reader.looks() == []
    again = reader.checkout.materialize([customer_profile])
    assert not again.success
    assert reader.looks(hours=1) == []
    (counted,) = reader.looks(hours=24)
    assert (counted.count, counted.link.rpartition("/")[2]) == (1, again.run_id)
    assert reader.checkout.materialize([customers, customer_profile]).success
    assert heads(reader.looks(hours=1)) == ["Resolved, run failed: shop/customer_profile"]
    assert reader.looks(hours=48) == []


def test_a_range_is_over_when_all_of_its_partitions_are_there(reader):
    span = (DAY, str(DAYS[4]))
    assert not reader.checkout.materialize([order_history], span=span).success
    (alert,) = reader.looks()
    assert alert.what == f"Run failed: shop/order_history, 5 partitions, {span[0]} to {span[1]}"
    assert alert.step.endswith(f"--select shop/order_history --partition-range {span[0]}...{span[1]}")
    assert reader.checkout.materialize([orders, order_history], span=(DAY, str(DAYS[2]))).success
    assert not [one for one in reader.looks(hours=1) if one.kind is Kind.RUN]
    assert reader.checkout.materialize([orders, order_history], span=(str(DAYS[3]), span[1])).success
    assert heads(one for one in reader.looks(hours=1) if one.kind is Kind.RUN) == [
        f"Resolved, {alert.what[0].lower()}{alert.what[1:]}"
    ]


def test_a_check_that_stops_a_run_is_the_alert_and_the_run_is_none(reader):
    spoil(reader.checkout, SPOILT)
    assert not reader.checkout.materialize([orders], partition=SPOILT).success
    (alert,) = reader.looks()
    assert alert.what == f"Check failed: shop/orders, {SPOILT}"
    assert alert.severity is Severity.ERROR
    assert alert.step == f"See the rows: platform-ml rejected orders --project shop --partition {SPOILT}"


def judged(checkout, result, registration=lapse):
    """A run of the card's asset with the real gates on these numbers, without the pages and the training."""
    checks = [Check(name=gate.name, blocking=True, description=gate.rule) for gate in registration.gates]

    def body(context):
        found = _findings(checks, registration.judge(result), CUTOFF)
        yield dg.MaterializeResult(check_results=list(report(context, found)))

    spec = AssetSpec(
        project=shop,
        noun=lapse_card,
        description="The card.",
        kinds={"card"},
        partitions=partitions_def(lapsed.cadence),
        deps=[],
        checks=checks,
    )
    return dg.materialize(
        [asset(spec, body)],
        partition_key=CUTOFF,
        instance=checkout.instance,
        resources={"platform": checkout.platform},
        raise_on_error=False,
    )


def test_a_failed_gate_is_one_alert_with_the_card_as_next_step(reader):
    assert not judged(reader.checkout, numbers(roc_auc=BAD)).success
    (alert,) = reader.looks()
    assert (alert.kind, alert.severity) == (Kind.GATE, Severity.ERROR)
    assert alert.what == f"Gate failed: shop/lapse_card, {CUTOFF}"
    assert f"{lapse.gates[0].name}: " in alert.why
    assert "0.55" in alert.why
    assert alert.step.startswith(f"Open the card: platform-ml card lapse@{CUTOFF}. Nothing was registered.")
    assert judged(reader.checkout, numbers()).success
    (over,) = reader.looks(hours=1)
    assert over.resolved
    assert over.why.startswith(f"{lapse.gates[0].name} passed again")


def test_a_gate_that_only_advises_does_not_say_that_it_stopped_a_model():
    step = alert_steps.after_gate(shop, lapse_card, CUTOFF, stopped=False)
    assert step.startswith(f"Open the card: platform-ml card lapse@{CUTOFF}. ")
    assert "registered" not in step


def test_a_gate_that_somebody_answers_for_is_no_alert(reader):
    waiver = Waiver(
        gate=lapse.gates[0].name,
        reason="The shop was closed.",
        author="ann@example.org",
        expires=(datetime.now(tz=UTC) + timedelta(days=3)).date(),
    )
    assert judged(reader.checkout, numbers(roc_auc=BAD), replace(lapse, waivers=(waiver,))).success
    assert reader.looks() == []


@pytest.mark.parametrize("retried", [True, False])
def test_a_run_that_was_killed_names_what_it_did_not_make_unless_dagster_tries_again(reader, retried):
    run = create_run_for_test(
        reader.checkout.instance,
        job_name="shop_daily",
        asset_selection={dg.AssetKey(["shop", "order_history"]), dg.AssetKey(["shop", "orders"])},
        tags={"dagster/partition": DAY, "dagster/max_retries": "2" if retried else "0"},
    )
    reader.checkout.instance.report_run_failed(run, "Run worker was killed with signal 9")
    expected = [] if retried else [f"Run failed: shop/orders, {DAY}"]
    assert heads(reader.looks()) == expected


def test_a_job_without_assets_goes_by_its_own_name(reader):
    @dg.job
    def sweeper():
        dg.op(name="sweep")(lambda: 1 / 0)()

    @dg.job(name="sweeper")
    def mended():
        dg.op(name="sweep")(lambda: 1)()

    instance = reader.checkout.instance
    assert not sweeper.execute_in_process(instance=instance, raise_on_error=False).success
    (alert,) = reader.looks()
    assert (alert.what, alert.why) == ("Run failed: sweeper", "ZeroDivisionError: division by zero")
    assert mended.execute_in_process(instance=instance).success
    assert heads(reader.looks()) == ["Resolved, run failed: sweeper"]


def test_what_is_overdue_is_told_until_it_is_there(reader):
    def is_now(state):
        change = FreshnessStateChange(
            key=dg.AssetKey(["shop", "order_history"]),
            new_state=state,
            previous_state=FreshnessState.UNKNOWN,
            state_change_timestamp=0.0,
        )
        reader.checkout.instance._report_runless_asset_event(change)
        return reader.looks(hours=1)

    assert is_now(FreshnessState.UNKNOWN) == []
    (soon,) = is_now(FreshnessState.WARN)
    assert soon.severity is Severity.WARNING
    (alert,) = is_now(FreshnessState.FAIL)
    assert (alert.what, alert.severity) == ("Overdue: shop/order_history", Severity.ERROR)
    assert alert.link == "https://dagster.example.org/assets/shop/order_history"
    assert alert.step == "See whether it was delivered: platform-ml arrivals shop orders"
    assert heads(is_now(FreshnessState.PASS)) == ["Resolved, overdue: shop/order_history"]


class Versions:
    """A registry in memory: two versions, of which the first is the champion."""

    def __init__(self, *history):
        self.entries = list(history)

    def registry(self):
        return self

    def history(self, name):
        return self.entries

    def promoted(self, name, alias):
        return {"test.roc_auc": {"1": "0.81 [0.79, 0.83]", "2": "0.84 [0.82, 0.86]"}[alias]}


def moved(version, after=Stage.CHAMPION):
    return Transition(
        version=version, before=Stage.CANDIDATE, after=after, act=REGISTER, who="ann", when=datetime.now(tz=UTC),
        why="It passed.", run="run",
    )  # fmt: skip


class WithVersions(PlatformResource):
    def mlflow(self):
        return Versions(moved(1), moved(2))


def test_a_registered_version_is_told_once_with_its_metric_against_the_champion(reader):
    said = {"registered": "lapse@2", "version": 2, "alias": "champion"}
    spec = AssetSpec(
        project=shop, noun=lapse, description="The model.", kinds={"registry"},
        partitions=partitions_def(lapsed.cadence), deps=[],
    )  # fmt: skip
    for _ in range(2):
        done = dg.materialize(
            [asset(spec, lambda context: iter([dg.MaterializeResult(metadata=said)]))],
            partition_key=CUTOFF,
            instance=reader.checkout.instance,
            resources={"platform": reader.checkout.platform},
        )
        assert done.success
    (alert,) = reader.looks(WithVersions(data=reader.checkout.platform.data))
    assert alert.what == f"Retrained: shop/lapse, {CUTOFF}"
    assert alert.why == (
        "lapse@2 was registered, and is champion. ROC AUC on its test rows: 0.84 [0.82, 0.86]; "
        "the champion, lapse@1, had 0.81 [0.79, 0.83] on its own."
    )
    assert alert.step == "Read its card: platform-ml card lapse@2"


def test_without_a_champion_or_without_mlflow_the_rest_is_told():
    class Down(Versions):
        def history(self, name):
            raise UnreachableError("Nobody is there.")

    assert against_champion(lapse, 1, Versions(moved(1))).endswith("There was no champion before it.")
    assert against_champion(lapse, 2, Versions(moved(1))).endswith("0.81 [0.79, 0.83] on its own.")
    assert against_champion(lapse, 2, Down()) == "MLflow does not answer, so its metric is not known here."


def test_a_storage_that_was_made_anew_is_looked_at_from_its_beginning(reader):
    with book(reader.checkout.platform).looking([]) as entry:
        entry.move(RUNS, 10_000)
    assert not reader.checkout.materialize([customer_profile]).success
    assert heads(reader.looks()) == ["Run failed: shop/customer_profile"]
    assert reader.looks() == []


def test_the_sensor_runs_by_itself_and_says_what_it_did(landed, capsys):
    sensor = alerts_sensor([shop], landed.platform)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert not landed.materialize([customer_profile]).success
    context = dg.build_sensor_context(instance=landed.instance)
    assert sensor(context).skip_message == "Since the last look: 1 run ended, 1 message sent."
    assert sensor(context).skip_message == "Since the last look: 0 runs ended, 0 messages sent."
    assert "Run failed: shop/customer_profile. shop/customers was never materialized" in capsys.readouterr().err


@pytest.fixture
def environment(monkeypatch):
    for name in (alert_sinks.WEBHOOK, alert_sinks.SMTP):
        for more in ("", "_LEVEL", "_PASSWORD"):
            monkeypatch.delenv(name + more, raising=False)
    return monkeypatch


def test_the_environment_chooses_the_sinks(environment):
    assert [sink.name for sink in sinks()] == ["log"]
    environment.setenv(alert_sinks.WEBHOOK, "https://hooks.example.org/services/x")
    environment.setenv(alert_sinks.WEBHOOK + "_LEVEL", "warning")
    environment.setenv(alert_sinks.SMTP, "smtp://bot@mail.example.org?to=a@b.org&from=c@d.org")
    environment.setenv(alert_sinks.SMTP + "_PASSWORD", "secret")
    log, webhook, mail = sinks()
    assert (log.level, webhook.level, mail.level) == (Severity.INFO, Severity.WARNING, Severity.INFO)
    assert (mail.user, mail.password, mail.port) == ("bot", "secret", 587)
    environment.setenv(alert_sinks.WEBHOOK + "_LEVEL", "waring")
    with pytest.raises(PlatformError, match=r"_LEVEL='waring' is no level\. Did you mean 'warning'\?"):
        sinks()


def test_no_message_shows_a_secret(environment):
    environment.setenv("SHOP_DB_PASSWORD", "hunter2hunter2")
    told = masked("cannot connect to postgresql://ann:pw@db:5432/shop with hunter2hunter2")
    assert told == "cannot connect to postgresql://***@db:5432/shop with ***"


def test_the_command_lists_what_is_open_and_tries_every_sink(reader, environment, capsys):
    kept = reader.checkout.platform
    environment.setattr(alerts_command, "PlatformResource", lambda: kept)
    assert main(["alerts"]) == 0
    assert capsys.readouterr().out == "log: everything was sent.\nOpen problems: 0.\n"
    assert not reader.checkout.materialize([customer_profile]).success
    reader.looks()
    assert alerts_command.show_alerts([shop], as_json=False) == 0
    told = capsys.readouterr().out
    assert told.startswith("error   run failed: shop/customer_profile\n        shop/customers was never materialized")
    assert "Next: Mend what the run names" in told
    assert told.endswith("Open problems: 1.\n")
    assert alerts_command.show_alerts([shop], as_json=True) == 0
    assert '"asset": "customer_profile"' in capsys.readouterr().out
    with server((200, {})) as (url, got):
        environment.setenv(alert_sinks.WEBHOOK, url)
        assert main(["alerts", "--test"]) == 0
        assert got[0][2]["text"].startswith("🔵 Test")
        assert capsys.readouterr().out.endswith("webhook: sent.\n")
    environment.setenv(alert_sinks.WEBHOOK, "http://127.0.0.1:9/" + SECRET)
    assert [one.newest.asset for one in book(kept).problems()] == ["customer_profile"]


def test_every_next_step_is_a_command_that_there_is(capsys):
    from platform_ml.projects import PROJECTS

    said = set()
    for project in PROJECTS:
        for noun in (*project.nouns, None):
            said.add(alert_steps.after_check(project, noun, "volume", "2024-01-01"))
            said.add(alert_steps.after_check(project, noun, "schema", ""))
            said.add(alert_steps.after_check(project, noun, "score_drift", ""))
            said.add(alert_steps.after_gate(project, noun, "2024-01-01"))
            said.add(alert_steps.after_failure(project, noun, ("2024-01-01",)))
            said.add(alert_steps.when_overdue(project, noun))
    commands = {found for text in said for found in re.findall(r"platform-ml (\w+)", text)}
    assert commands == {"arrivals", "card", "catalog", "rejected", "scores"}
    for command in commands:
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])
    assert "usage" in capsys.readouterr().out
