"""The services of docker-compose.yml, with exactly their settings and secrets, give the right verdicts."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.snapshot import FileSnapshot
from common.verdicts import OutcomeKind
from tests.conftest import Broker
from tests.support.compose_services import SERVICES, describe_service, running_services
from tests.support.deployed_services import DeployedServices
from tests.support.emulator_process import KEY_SECRET
from tests.support.running_dwgate import SAMPLES, wait_for, wait_until_final
from tests.support.source_queue import SourceQueue
from workers.checks import registry
from workers.policy_testing import cases
from workers.policy_testing.cases import Case

CASES = Path(__file__).parents[1] / "data" / "policy_cases"
CODE = {
    "partitions": (
        "INSERT OVERWRITE TABLE shop.dws_trade_shop_1d PARTITION (ds = '${bizdate}')\n"
        "SELECT shop_id, COUNT(order_id) AS order_cnt FROM shop.dwd_trade_order_di GROUP BY shop_id;\n"
    ),
    "rename": "ALTER TABLE shop.dws_trade_shop_1d RENAME TO shop.dws_trade_shop_old;\n",
    "join": (
        "INSERT OVERWRITE TABLE shop.dws_trade_shop_1d PARTITION (ds = '${bizdate}')\n"
        "SELECT o.shop_id, COUNT(o.order_id) AS order_cnt FROM shop.dwd_trade_order_di o\n"
        "JOIN shop.dim_user_df u ON o.user_id = u.user_id AND u.ds = '${bizdate}'\n"
        "WHERE o.ds = '${bizdate}' GROUP BY o.shop_id;\n"
    ),
}


@pytest.fixture(scope="module")
def services() -> Iterator[DeployedServices]:
    with running_services() as services:
        yield services


def send(services: DeployedServices, code: str, data: dict[str, Any], snapshot: dict[str, Any] | None) -> str:
    """Start an operation like a good sample's, with this data and snapshot; return its message id."""
    message_id, event, sample = services.gate.sample(f"{code}-good")
    event["data"] |= data
    services.emulator.start_process(message_id, code, snapshot=snapshot)
    assert sample.event_code == code
    assert services.gate.post(event).status_code == 200
    return message_id


def commit(services: DeployedServices, code: str) -> str:
    """Commit this code of the node dws_trade_shop_1d, which declares one of its inputs."""
    snapshot = copy.deepcopy(SAMPLES["deploy-file-bad"].snapshot)
    assert snapshot
    file = snapshot["CommittedFile"]
    file["Content"] = code
    file["NodeConfiguration"]["InputList"] = [{"Input": "shop.dwd_trade_order_di", "ParseType": "AUTO"}]
    names = {key: value for key, value in SAMPLES["deploy-file-bad"].data.items() if key.startswith("file")}
    return send(services, "commit-file", names, snapshot)


def rules(services: DeployedServices, message_id: str) -> dict[str, set[str]]:
    """Return the findings of an event by check; no check may have failed."""
    record = wait_until_final(services.gate, message_id)
    kinds = {name: outcome.kind for name, outcome in record.outcomes.items()}
    assert OutcomeKind.ERROR not in kinds.values(), record.outcomes
    return {name: {item.rule for item in found.findings} for name, found in record.outcomes.items()}


def test_every_sample_has_its_verdict(services: DeployedServices) -> None:
    sent = {name: services.gate.send(name) for name in SAMPLES}
    results = {name: services.gate.verdict(message_id)["result"] for name, message_id in sent.items()}
    assert results == {name: sample.expected.value for name, sample in SAMPLES.items()}
    assert len(results) == 20


def test_code_checks_look_up_tables_without_credentials(services: DeployedServices) -> None:
    sent = {name: commit(services, code) for name, code in CODE.items()}
    results = {name: services.gate.verdict(sent[name])["result"] for name in ("partitions", "rename")}
    found = {name: rules(services, message_id) for name, message_id in sent.items()}
    assert "MC-P01" in found["partitions"]["code-review"]
    assert "lost-table-read" in found["rename"]["change-impact"]
    assert "input-undeclared" in found["join"]["declared-inputs"]
    assert results == {"partitions": "FAIL", "rename": "FAIL"}


def built_in_cases() -> Iterator[Case]:
    """Yield the policy cases with a file under the built-in policy, whose verdict depends on no lookup."""
    checks = registry.load_checks()
    for file in cases.find_files([CASES]):
        for case in cases.load_cases(file, checks):
            own = case.policy or case.waivers is not None or case.world != type(case.world)()
            if not own and case.snapshot and case.snapshot.file and case.expected.verdict:
                yield case


def event_detail(file: FileSnapshot) -> dict[str, Any]:
    """Return the `EventDetail` from which DataWorks' client reads `file`."""
    node = {
        "ParaValue": file.parameters,
        "RerunMode": file.rerun_mode,
        "SchedulerType": file.scheduler,
        "CronExpress": file.cron,
        "InputList": [{"Input": name} for name in file.inputs],
        "OutputList": [{"Output": name} for name in file.outputs],
    }
    return {
        "CommittedFile": {
            "FileId": file.file_id,
            "FileName": file.name,
            "FileType": file.file_type,
            "NodeId": file.node_id,
            "ChangeType": file.change_type,
            "Content": file.content,
            "FilePropertyContent": {"Owner": file.owner, "CurrentVersion": file.version},
            "NodeConfiguration": node,
        }
    }


def test_policy_cases_have_their_verdicts(services: DeployedServices) -> None:
    sent = []
    for case in built_in_cases():
        assert case.snapshot
        assert case.snapshot.file
        assert case.event.event_code in ("commit-file", "deploy-file")
        detail = event_detail(case.snapshot.file)
        sent.append((case, send(services, case.event.event_code, dict(case.event.data), detail)))
    assert len(sent) >= 5
    results = {case.name: services.gate.verdict(message_id)["result"] for case, message_id in sent}
    assert results == {case.name: case.expected.verdict for case, _ in sent}


def test_only_services_with_a_key_have_it(services: DeployedServices) -> None:
    """The rest of the environment is what the Compose file gives, so this holds in its containers, too."""
    for name in ("ingest", "worker-checks"):
        environment = services.environment(name)
        files = {file.name: file.read_text() for file in Path(environment["DWGATE_SECRETS_DIR"]).iterdir()}
        assert not any(KEY_SECRET in text for text in (*environment.values(), *files.values()))
        assert not any(key.startswith(("ALIBABA_CLOUD", "DWGATE_OPENAPI")) for key in environment)
        assert "egress" not in SERVICES[name]["networks"]


def test_events_from_a_queue_have_their_verdicts(services: DeployedServices, rabbitmq: Broker) -> None:
    """source-amqp.yml: one more ingest, whose queue is on another RabbitMQ."""
    source = SourceQueue(rabbitmq.fresh_url())
    source.declare()
    (services.folder / "dwgate_source_url").write_text(source.url)
    added = describe_service(services.folder, "ingest", "source-amqp")
    services.services = {**services.services, "ingest-amqp": added}
    process = services.start("ingest-amqp")
    for path in added.probes:
        wait_for(lambda path=path: services.status(services.urls["ingest-amqp-1"] + path) == 200, 60)  # type: ignore[misc]
    for name in ("commit-file-bad", "freeze-node-good"):
        message_id, event, sample = services.gate.sample(name)
        services.gate.start_process(message_id, sample)
        source.publish(event)
        assert services.gate.verdict(message_id)["result"] == sample.expected
    process.terminate()
    assert process.wait(20) == 0


def test_no_service_is_refused_anything(services: DeployedServices) -> None:
    logs = services.gate.logs()
    for refusal in (
        "NOPERM",
        "NoPermission",
        "ACCESS_REFUSED",
        "AccessRefused",
        "NoCredentials",
        "cache_failed",
    ):
        assert refusal not in logs, refusal


@pytest.mark.parametrize("role", ["checks-cpu", "checks-io", "watchdog"])
def test_the_doctor_finds_nothing_wrong_in_a_service(services: DeployedServices, role: str) -> None:
    name = {"checks-cpu": "worker-checks", "checks-io": "worker-io"}.get(role, role)
    answer = services.run(name, "doctor", "--role", role, "--json")
    wrong = [item for item in json.loads(answer.stdout)["diagnoses"] if item["health"] in ("wrong", "down")]
    assert wrong == []
