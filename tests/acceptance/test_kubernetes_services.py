"""The containers of the Helm chart, with exactly their commands, settings and secrets, and their probes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import built_in_policy
from tests.support import chart, kubernetes_services
from tests.support.chart import Rendered
from tests.support.deployed_services import DeployedServices
from tests.support.emulator_process import KEY_SECRET
from tests.support.kubernetes_services import installation_values
from tests.support.running_dwgate import wait_for

POLICY = built_in_policy().replace("mode: enforce # enforce", "mode: warn # enforce")
"""A policy with which a bad sample is warned about, and not blocked."""

VALUES = installation_values(
    {
        "config": {"files": {"policy.yaml": POLICY}},
        "ingest": {"replicas": 1},
        "workerChecks": {"replicas": 1},
        "workerIo": {"replicas": 1},
        "flower": {"enabled": True},
    }
)


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    return chart.render(VALUES)


@pytest.fixture(scope="module")
def services(rendered: Rendered) -> Iterator[DeployedServices]:
    with kubernetes_services.running_services(rendered) as services:
        yield services


def test_every_container_has_been_started_and_answers_its_probes(
    rendered: Rendered, services: DeployedServices
) -> None:
    """`running_services` waits for the probes: here is what they were."""
    running = {process.rpartition("-")[0] for process in services.urls}
    assert running == {"ingest", "worker-checks", "worker-io", "watchdog", "console", "flower"}
    assert running | {"operator"} == rendered.of_kind("Deployment").keys()
    for process, url in services.urls.items():
        probes = services.services[process.rpartition("-")[0]].probes
        assert len(probes) == 3
        assert {services.status(url + path) for path in probes} == {200}


def test_samples_have_the_verdicts_of_the_mounted_policy(services: DeployedServices) -> None:
    names = ("commit-file-good", "commit-file-bad", "deploy-file-bad", "freeze-node-bad")
    sent = {name: services.gate.send(name) for name in names}
    results = {name: services.gate.verdict(message_id)["result"] for name, message_id in sent.items()}
    assert built_in_policy() != POLICY
    assert results == {
        "commit-file-good": "OK",
        "commit-file-bad": "WARN",
        "deploy-file-bad": "WARN",
        "freeze-node-bad": "OK",  # its operation of the OpenAPI knows no warning
    }


def test_what_parses_node_code_has_no_key(services: DeployedServices) -> None:
    for name in ("ingest", "worker-checks"):
        service = services.services[name]
        texts = [text for files in service.folders.values() for text in files.values()]
        assert not any(KEY_SECRET in text for text in (*texts, *service.environment.values()))
    assert not services.services["worker-checks"].reaches_dataworks
    assert services.services["worker-io"].reaches_dataworks


def test_the_doctor_finds_nothing_wrong_where_the_rights_are_fewest(services: DeployedServices) -> None:
    answer = services.run("worker-checks", "doctor", "--role=checks-cpu", "--json")
    wrong = [item for item in json.loads(answer.stdout)["diagnoses"] if item["health"] in ("wrong", "down")]
    assert wrong == []


def test_what_keda_asks_for_is_exported(services: DeployedServices) -> None:
    def series(name: str) -> set[str]:
        metrics = [
            services.gate.http.get(f"{url}/metrics").text
            for process, url in services.urls.items()
            if process.startswith(("worker", "watchdog"))
        ]
        return set(re.findall(rf"^({name}(?:{{.*}})?) ", "\n".join(metrics), re.MULTILINE))

    wait_for(lambda: any('queue="checks.cpu"' in found for found in series("dwgate_messages_waiting")))
    assert series("dwgate_verdicts_waiting")
    for end in ("sum", "count"):
        assert any('queue="checks.cpu"' in found for found in series(f"dwgate_task_seconds_{end}"))


def test_no_container_is_refused_anything_or_has_an_unknown_setting(services: DeployedServices) -> None:
    logs = services.gate.logs()
    for refusal in ("NOPERM", "NoPermission", "ACCESS_REFUSED", "AccessRefused", "NoCredentials"):
        assert refusal not in logs, refusal
    assert "unknown_setting" not in logs


def test_the_operator_waits_for_commands_and_has_all_roles(
    rendered: Rendered, services: DeployedServices
) -> None:
    [container] = rendered.of_kind("Deployment")["operator"]["spec"]["template"]["spec"]["containers"]
    waiting = subprocess.Popen(container["command"])
    try:
        assert waiting.poll() is None
    finally:
        waiting.terminate()
        assert waiting.wait(5) < 0
    [check] = re.findall(r"exec deployment/dwgate-operator -- dwgate (doctor .*)", chart.PAGE.read_text())
    answer = services.run("operator", *check.split(), "--json")
    wrong = [item for item in json.loads(answer.stdout)["diagnoses"] if item["health"] in ("wrong", "down")]
    assert wrong == []
