"""The values for Dagster's chart, held against what the chart hands them to: Kubernetes' own models, and Dagster."""

from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from dagster_k8s.models import k8s_model_from_dict
from kubernetes import client

DEPLOY = Path(__file__).parents[2] / "deploy"
VALUES = yaml.safe_load((DEPLOY / "helm" / "values.yaml").read_text())
PRODUCTION = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
[CODE] = VALUES["dagster-user-deployments"]["deployments"]
CONTAINERS = {"code": CODE, "daemon": VALUES["dagsterDaemon"], "webserver": VALUES["dagsterWebserver"]}


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_pods_are_made_of_is_what_kubernetes_takes(name):
    values = CONTAINERS[name]
    models = {
        "podSecurityContext": client.V1PodSecurityContext,
        "securityContext": client.V1SecurityContext,
        "resources": client.V1ResourceRequirements,
    }
    for key, model in models.items():
        assert k8s_model_from_dict(model, snake(values[key])), key
    volumes = {volume["name"] for volume in values["volumes"]}
    for volume in values["volumes"]:
        assert k8s_model_from_dict(client.V1Volume, snake(volume))
    for mount in values["volumeMounts"]:
        assert k8s_model_from_dict(client.V1VolumeMount, snake(mount)).name in volumes
    assert values["podSecurityContext"]["runAsNonRoot"]
    assert values["resources"]["limits"]["memory"]


def snake(value):
    """Keys as the Python models call them."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(one) for key, one in value.items()}


def test_the_launcher_takes_its_values():
    assert VALUES["runLauncher"]["type"] == "K8sRunLauncher"
    given = snake(VALUES["runLauncher"]["config"]["k8sRunLauncher"])
    config = {
        "service_account_name": "platform",
        "instance_config_map": "platform-instance",
        "dagster_home": VALUES["global"]["dagsterHome"],
        "image_pull_policy": given["image_pull_policy"],
        "load_incluster_config": given["load_incluster_config"],
        "env_secrets": [secret["name"] for secret in given["env_secrets"]],
        "fail_pod_on_run_failure": given["fail_pod_on_run_failure"],
    }
    found = process_config(K8sRunLauncher.config_type(), config)
    assert found.success, found.errors


def test_the_instance_is_that_of_the_compose_deployment(tmp_path):
    said = VALUES["additionalInstanceConfig"]
    assert said.keys() <= PRODUCTION.keys()
    patient = {"start_timeout_seconds": 600}
    for name, value in said.items():
        assert value == PRODUCTION[name] | (patient if name == "run_monitoring" else {}), name
    by_the_chart = {"storage", "compute_logs", "local_artifact_storage", "python_logs", "telemetry", "run_launcher"}
    assert PRODUCTION.keys() - said.keys() == by_the_chart | {"sensors", "schedules"}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(said))
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 6


def test_chart_and_packages_have_one_version():
    from importlib.metadata import version

    assert f"version {version('dagster')}" in (DEPLOY / "helm" / "values.yaml").read_text()


def test_no_secret_is_in_the_values():
    assert not VALUES["generatePostgresqlPasswordSecret"]
    assert "postgresqlPassword" not in VALUES["postgresql"]
