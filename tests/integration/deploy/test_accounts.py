"""An account per service: with these rights everything works, and no service can do another's work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from amqp.exceptions import AccessRefused, AMQPError
from celery import Celery
from kombu import Connection
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    calculate_routing_key,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from common.ledger import Ledger, connect, key_prefix
from common.topology import QueueName
from common.verdicts import Outcome
from console.access.users import Role as UserRole
from console.access.users_file import write_user
from deploy.accounts.broker_objects import commands_exchange
from deploy.accounts.secret_files import ACL_FILE, DEFINITIONS_FILE, write_files
from tests.support.answered_events import add_event
from tests.support.console_process import ConsoleProcess, console_environment, form_token
from tests.support.emulator_process import EXTENSION_CODE, KEY_ID, KEY_SECRET, Emulator
from tests.support.engines_with_accounts import RabbitMQWithAccounts, ValkeyWithAccounts
from tests.support.measured import MEASURED
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import ACCOUNT, TARGET, TOKEN, RunningDwgate, fleet, wait_for
from workers.broker import kombu_queues
from workers.process.roles import Role

CONSOLE_PASSWORD = "correct horse battery"
DWGATE = Path(sys.executable).with_name("dwgate")
ROLES = {
    "checks": ("--role=checks-cpu", "--processes=1"),
    "io": ("--role=intake", "--role=checks-io", "--role=reporter"),
    "watchdog": ("--role=watchdog",),
}


@dataclass
class Accounts:
    """The accounts of running engines."""

    folder: Path
    broker: RabbitMQWithAccounts

    def broker_url(self, service: str) -> str:
        return (self.folder / f"{service}_broker_url").read_text().strip()

    def redis_url(self, service: str) -> str:
        return (self.folder / f"{service}_redis_url").read_text().strip()

    def settings(self, service: str) -> dict[str, str]:
        return {
            "DWGATE_BROKER_URL": self.broker_url(service),
            "DWGATE_REDIS_URL": self.redis_url(service),
            "DWGATE_BROKER_TOPOLOGY": "imported",
        }


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    folder = tmp_path_factory.mktemp("secrets")
    broker = RabbitMQWithAccounts(tmp_path_factory.mktemp("rabbitmq"))
    ledger = ValkeyWithAccounts(tmp_path_factory.mktemp("valkey"))
    write_files(
        folder,
        broker_url=f"amqp://127.0.0.1:{broker.port}/%2F",
        redis_url=f"redis://127.0.0.1:{ledger.port}/0",
        extension_code=EXTENSION_CODE,
        topology=TOPOLOGY,
    )
    accounts = Accounts(folder, broker)
    broker.load(folder / DEFINITIONS_FILE, accounts.broker_url("operator"))
    ledger.acl_file = folder / ACL_FILE
    ledger.url = accounts.redis_url("operator")
    try:
        broker.start()
        ledger.start()
        yield accounts
    finally:
        broker.close()
        ledger.close()


@pytest.fixture
def gate(accounts: Accounts, tmp_path: Path) -> Iterator[RunningDwgate]:
    """Every service as its own process with its own accounts; in other tests none consumes a queue."""
    with fleet(
        accounts.broker_url("ingest"),
        accounts.redis_url("operator"),
        tmp_path,
        workers=0,
        settings=accounts.settings("ingest"),
    ) as gate:
        for service, arguments in ROLES.items():
            gate.environment.update(accounts.settings(service))
            gate.start_worker(*arguments, ready=False)
        wait_for(lambda: len(gate.ledger.membership.workers()) == 6, 60)
        yield gate


def test_every_service_can_do_its_work(gate: RunningDwgate, accounts: Accounts) -> None:
    gate.environment["DWGATE_BROKER_URL"] = accounts.broker_url("flower")
    tasks_url = gate.start_flower()

    def shown(text: str) -> bool:
        return any(text in task for task in gate.http.get(tasks_url).json())

    def is_shown_soon(message_id: str) -> bool:
        gate.verdict(message_id)
        time.sleep(1)
        return shown(f"{message_id}.1.report")

    # Until Flower has enabled the events of every process.
    for name in ("commit-file-good", "freeze-node-good"):  # posted by the reporter, and inline
        wait_for(lambda name=name: is_shown_soon(gate.send(name)), 60)  # type: ignore[misc]
    expected = {"commit-file-bad": "FAIL", "commit-file-good": "OK", "freeze-node-bad": "FAIL"}
    sent = {gate.send(name): result for name, result in expected.items()}
    for message_id, result in sent.items():
        assert gate.verdict(message_id)["result"] == result
    for message_id in sent:
        wait_for(lambda message_id=message_id: shown(f"{message_id}.1.report"))  # type: ignore[misc]
    assert shown("code-review")

    def described() -> set[str]:
        """Return the kinds of the workers that have answered Flower's commands."""
        workers = gate.http.get(tasks_url.replace("/tasks", "/workers?refresh=1")).json()
        return {name.partition("-")[0] for name in workers}

    wait_for(lambda: described() >= {"io", "reporter"})
    metrics = gate.http.get(tasks_url.replace("/api/tasks", "/metrics")).text
    assert 'worker="checks-' in metrics
    for refusal in ("NOPERM", "NoPermission", "ACCESS_REFUSED", "AccessRefused", "lookup_cache_failed"):
        assert refusal not in gate.logs(), refusal


def test_an_operator_can_requeue_and_diagnose(gate: RunningDwgate, accounts: Accounts) -> None:
    message_id = gate.send("freeze-node-good")
    gate.verdict(message_id)
    environment = {**gate.environment, **accounts.settings("operator")}

    def dwgate(*arguments: str) -> dict[str, Any]:
        answer = subprocess.run(
            [DWGATE, *arguments, "--json"], env=environment, capture_output=True, text=True, check=False
        )
        return dict(json.loads(answer.stdout))

    wait_for(lambda: dwgate("events", "show", message_id)["state"] == "reported")
    assert dwgate("requeue", message_id, "--reason", "try it")["events"][0]["action"] != "leave"
    wait_for(lambda: "rerun" in str(dwgate("events", "show", message_id)["timeline"]))
    roles = [f"--role={role.value}" for role in Role]
    diagnoses = {item["what"]: item for item in dwgate("doctor", *roles)["diagnoses"]}
    assert {item["health"] for item in diagnoses.values()} <= {"good", "warning"}, diagnoses
    assert diagnoses["workers"]["health"] == "good"
    shown = dwgate("status")
    assert shown["problems"] == []
    assert all(queue["messages"] is not None for queue in shown["queues"])
    assert shown["memory"]["used"] > 0
    of_workers = [name for name in QueueName if name is not QueueName.ARRIVALS]  # ingest publishes to that
    for what in ("broker", "Redis", *(f"queue {TOPOLOGY[name].name}" for name in of_workers)):
        assert diagnoses[what]["health"] == "good", diagnoses[what]


def refusals(client: redis.Redis) -> int:
    """Return how many commands the access list has refused."""
    stats = client.info("stats")
    return int(stats["acl_access_denied_cmd"]) + int(stats["acl_access_denied_key"])


def test_the_console_does_all_of_its_work_with_its_account(accounts: Accounts, tmp_path: Path) -> None:
    client = connect(accounts.redis_url("operator"))
    ledger = Ledger(client, EXTENSION_CODE)
    for message_id in ("answered", "ignored"):
        add_event(ledger, message_id, Outcome.of([]) if message_id == "answered" else None)
    ledger.mark_ignored("ignored", "no operation waits")
    write_user(tmp_path / "users.yaml", "ann", UserRole.ADMINISTRATOR, CONSOLE_PASSWORD, None)
    settings = accounts.settings("console") | {
        "DWGATE_CONSOLE_USERS_FILE": str(tmp_path / "users.yaml"),
    }
    before = refusals(client)
    console = ConsoleProcess(tmp_path, console_environment("") | settings)
    try:
        with console.browser() as ann:
            ann.post("/login", data={"name": "ann", "password": CONSOLE_PASSWORD})
            pages = ("/", "/events?q=dim", "/events/answered", "/report", "/policy", "/waivers")
            assert [ann.get(path).status_code for path in pages] == [200] * len(pages)
            page = ann.get("/events/requeue?id=answered&id=ignored").text
            form = {"form_token": form_token(page), "id": "answered", "why": "try it"}
            done = ann.post("/events/requeue", data=form)
            assert "1 event was requeued." in ann.get(done.headers["location"]).text
            policy = {
                "form_token": form_token(ann.get("/policy").text),
                "policy": "version: 1\n",
                "days": "7",
            }
            replay = ann.post("/policy", data=policy).headers["location"]
            wait_for(lambda: not ann.get(replay).headers.get("refresh"), 60)
            assert "0 newly blocked" in ann.get(replay).text
        assert refusals(client) == before
        recorded = [entry.action for entry in ledger.audit_trail.entries() if entry.actor == "ann (console)"]
        assert recorded == ["login", "requeue", "policy-replayed"]
    finally:
        console.close()
        client.close()


DIAGNOSED = {
    "ingest": ("ingest",),
    "checks": ("checks-cpu",),
    "io": ("intake", "checks-io", "reporter"),
    "watchdog": ("watchdog",),
}
"""Roles of each service of the Compose file, as `dwgate doctor` is called there."""


@pytest.mark.parametrize("service", DIAGNOSED)
def test_the_doctor_passes_in_every_service(
    accounts: Accounts, emulator: Emulator, tmp_path: Path, service: str
) -> None:
    environment = {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
        "DWGATE_REGION": "cn-shanghai",
        **accounts.settings(service),
    }
    if service == "ingest":
        environment["DWGATE_EVENTBRIDGE_TARGET_URLS"] = TARGET
        environment["DWGATE_EVENTBRIDGE_TOKENS"] = TOKEN
        environment["DWGATE_EVENTBRIDGE_ACCOUNTS"] = ACCOUNT
    elif service != "checks":
        environment["DWGATE_OPENAPI_ENDPOINT"] = emulator.host_port
        environment["DWGATE_OPENAPI_PROTOCOL"] = "http"
        environment["ALIBABA_CLOUD_ACCESS_KEY_ID"] = KEY_ID
        environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = KEY_SECRET
    roles = [f"--role={role}" for role in DIAGNOSED[service]]
    client = connect(accounts.redis_url("operator"))
    rejects = client.llen(key_prefix(EXTENSION_CODE) + "rejects")
    answer = subprocess.run(
        [DWGATE, "doctor", *roles, "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    diagnoses = {item["what"]: item for item in json.loads(answer.stdout)["diagnoses"]}
    assert answer.returncode == 0, diagnoses
    assert diagnoses["Redis writes"]["health"] == diagnoses["broker"]["health"] == "good"
    assert ("DataWorks" in diagnoses) is (service not in ("ingest", "checks"))
    assert ("settings of ingest" in diagnoses) is (service == "ingest")
    assert (f"queue {TOPOLOGY[QueueName.CHECKS_CPU].name}" in diagnoses) is (service == "checks")
    assert client.llen(key_prefix(EXTENSION_CODE) + "rejects") == rejects, "the probe leaves nothing"
    client.close()


def test_a_delayed_task_returns_to_its_queue(accounts: Accounts) -> None:
    """`checks` retries a check later, with the queues of Celery's delayed delivery."""
    app = Celery("dwgate", broker=accounts.broker_url("checks"), set_as_current=False)
    queue = kombu_queues.build_amqp_queue(TOPOLOGY[QueueName.CHECKS_CPU], declare=False, is_quorum=True)
    app.conf.update(task_queues=[queue], task_default_exchange=TOPOLOGY.exchange)
    app.conf.update(task_default_exchange_type="topic", task_create_missing_queues=False)
    with Connection(accounts.broker_url("checks")) as connection:
        sent = app.send_task("dwgate.check", queue=queue.name, countdown=1, ignore_result=True)

        def delayed() -> Any:
            # Other tests may have left messages in the queue.
            message = queue(connection.default_channel).get(no_ack=True)
            return message if message and message.headers.get("id") == sent.id else None

        message = wait_for(delayed)
        assert kombu_queues.find_queue(TOPOLOGY, message.delivery_info["routing_key"]) is QueueName.CHECKS_CPU
    app.close()


def test_the_definitions_are_what_dwgate_declares(accounts: Accounts) -> None:
    """An account that may declare finds everything as it declares it, and adds nothing."""
    before = accounts.broker.topology()
    with Connection(accounts.broker.administrator_url()) as connection:
        for queue in TOPOLOGY.queues:
            kombu_queues.build_amqp_queue(queue, declare=True)(connection.default_channel).declare()
        declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum")
        for queue in TOPOLOGY.task_queues:
            built = kombu_queues.build_amqp_queue(queue, declare=True)
            bind_queue_to_native_delayed_delivery_exchange(connection, built)
    # Celery also binds the key of new events, with which nothing is ever delayed.
    unused = {
        f"{exchange}\t#.{TOPOLOGY.event_key}" for exchange in (TOPOLOGY.exchange, "celery_delayed_delivery")
    }
    assert {line for line in accounts.broker.topology() - before if line not in unused} == set()


Action = Callable[[Any], object]
"""Does something over a channel."""


def publish(exchange: str, key: str, **options: Any) -> Action:
    def act(channel: Any) -> None:
        channel.confirm_select()
        message = channel.prepare_message(b"{}", **options)
        channel.basic_publish_confirm(message, exchange=exchange, routing_key=key)

    return act


KEYS = {name: TOPOLOGY[name].routing_key for name in QueueName}
EVENTS, COMMANDS = TOPOLOGY.task_events_exchange, commands_exchange(TOPOLOGY)
INTAKE_QUEUE, CPU_QUEUE = TOPOLOGY[QueueName.INTAKE].name, TOPOLOGY[QueueName.CHECKS_CPU].name
DELAYED_INTAKE = calculate_routing_key(1, KEYS[QueueName.INTAKE])
DELAYED_CHECK = calculate_routing_key(1, KEYS[QueueName.CHECKS_CPU])
DLX = {
    "x-dead-letter-exchange": TOPOLOGY.exchange,
    "x-dead-letter-routing-key": KEYS[QueueName.INTAKE],
    "x-expires": 60_000,
}
REFUSED: dict[str, dict[str, Action]] = {
    "checks": {
        "intake": publish(TOPOLOGY.exchange, KEYS[QueueName.INTAKE]),
        "event": publish(TOPOLOGY.exchange, TOPOLOGY.event_key),
        "backstop": publish(TOPOLOGY.exchange, KEYS[QueueName.BACKSTOP]),
        "due": publish(TOPOLOGY.exchange, KEYS[QueueName.DUE]),
        "other check": publish(TOPOLOGY.exchange, KEYS[QueueName.CHECKS_IO]),
        "key with a prefix": publish(TOPOLOGY.exchange, f"x.{KEYS[QueueName.INTAKE]}"),
        "default exchange": publish("", INTAKE_QUEUE),
        "dead letter": publish(TOPOLOGY.dead_exchange, INTAKE_QUEUE),
        "another exchange": publish("amq.topic", KEYS[QueueName.INTAKE]),
        "delayed intake": publish("celery_delayed_27", DELAYED_INTAKE),
        "delivered at once": publish("celery_delayed_delivery", DELAYED_INTAKE),
        "remote control": publish(COMMANDS, ""),
        "new queue": lambda channel: channel.queue_declare("mine", auto_delete=True),
        "queue that expires into intake": lambda channel: channel.queue_declare(EVENTS, arguments=DLX),
        "queue with a changed delay": lambda channel: channel.queue_declare(
            "celery_delayed_0", arguments=DLX
        ),
        "exchange that forwards": lambda channel: (
            channel.exchange_delete(EVENTS),
            channel.exchange_declare(
                EVENTS, "topic", durable=True, arguments={"alternate-exchange": TOPOLOGY.exchange}
            ),
        ),
        "binding": lambda channel: channel.queue_bind(CPU_QUEUE, EVENTS, "#"),
        "deletion": lambda channel: channel.queue_delete(INTAKE_QUEUE),
        "deletion of the exchange": lambda channel: channel.exchange_delete(TOPOLOGY.exchange),
        "purge": lambda channel: channel.queue_purge(INTAKE_QUEUE),
        "other queue": lambda channel: channel.basic_get(INTAKE_QUEUE),
        "reports": lambda channel: channel.basic_get(TOPOLOGY[QueueName.REPORTS].name),
    },
    "ingest": {
        "check": publish(TOPOLOGY.exchange, KEYS[QueueName.CHECKS_CPU]),
        "intake": publish(TOPOLOGY.exchange, KEYS[QueueName.INTAKE]),
        "report": publish(TOPOLOGY.exchange, KEYS[QueueName.REPORTS]),
        "default exchange": publish("", CPU_QUEUE),
        "new queue": lambda channel: channel.queue_declare("mine", auto_delete=True),
        "own queue": lambda channel: channel.basic_get(INTAKE_QUEUE),
    },
    "watchdog": {
        "event": publish(TOPOLOGY.exchange, TOPOLOGY.event_key),
        "new queue": lambda channel: channel.queue_declare("mine", auto_delete=True),
        "intake": lambda channel: channel.basic_get(INTAKE_QUEUE),
    },
    "console": {
        "check": publish(TOPOLOGY.exchange, KEYS[QueueName.CHECKS_CPU]),
        "event": publish(TOPOLOGY.exchange, TOPOLOGY.event_key),
        "task": lambda channel: channel.basic_get(INTAKE_QUEUE),
    },
    "flower": {
        "intake": publish(TOPOLOGY.exchange, KEYS[QueueName.INTAKE]),
        "default exchange": publish("", INTAKE_QUEUE),
        "task": lambda channel: channel.basic_get(INTAKE_QUEUE),
        "deletion": lambda channel: channel.queue_delete(INTAKE_QUEUE),
    },
    "operator": {
        "check": publish(TOPOLOGY.exchange, KEYS[QueueName.CHECKS_CPU]),
        "report": publish(TOPOLOGY.exchange, KEYS[QueueName.REPORTS]),
        "remote control": publish(COMMANDS, ""),
        "task": lambda channel: channel.basic_get(INTAKE_QUEUE),
    },
}
CASES = [(service, what) for service, actions in REFUSED.items() for what in actions]


@pytest.mark.parametrize(("service", "what"), CASES)
def test_rabbitmq_refuses_the_work_of_others(accounts: Accounts, service: str, what: str) -> None:
    with Connection(accounts.broker_url(service)) as connection:
        channel = connection.channel()
        with pytest.raises(AccessRefused):
            REFUSED[service][what](channel)
    # What was deleted on the way to a refusal is declared again by the next client.
    with Connection(accounts.broker_url("io")) as connection, connection.channel() as channel:
        channel.exchange_declare(EVENTS, "topic", durable=True, auto_delete=False)


@pytest.mark.parametrize("queue", [QueueName.CHECKS_CPU, QueueName.REPORTS])
def test_checks_may_publish_what_it_has_to(accounts: Accounts, queue: QueueName) -> None:
    with Connection(accounts.broker_url("checks")) as connection:
        publish(TOPOLOGY.exchange, KEYS[queue])(connection.channel())
        publish("celery_delayed_27", DELAYED_CHECK)(connection.channel())


def test_nobody_has_the_default_account(accounts: Accounts) -> None:
    host = accounts.broker_url("io").rpartition("@")[2]
    with Connection(f"amqp://guest:guest@{host}") as connection, pytest.raises(AMQPError):
        connection.connect()


PREFIX = key_prefix(EXTENSION_CODE)
Command = tuple[str | int, ...]
REFUSED_COMMANDS: dict[str, list[Command]] = {
    "checks": [
        ("SET", f"{PREFIX}config:x", "policy"),
        ("SET", f"{PREFIX}answers:lookup:x", "j{}"),
        ("SET", f"{PREFIX}lookup-leases:x", ""),
        ("ZADD", f"{PREFIX}quota:read:grants", 1, "x"),
        ("GET", f"{PREFIX}quota:read:grants"),
        ("SET", f"{PREFIX}leader:reconciler", 1),
        ("LPUSH", f"{PREFIX}rejects", "x"),
        ("ZADD", f"{PREFIX}project:1", 1, "m"),
        ("SET", "dwgate:{other}:lookup:x", "y"),
        ("GET", "dwgate:{other}:code:m"),
        ("EVAL", f"return redis.call('SET', '{PREFIX}config:x', 'policy')", 0),
        ("COPY", f"{PREFIX}lookup:x", f"{PREFIX}config:x"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("SCRIPT", "FLUSH"),
        ("SHUTDOWN", "NOSAVE"),
        ("REPLICAOF", "127.0.0.1", 1),
        ("MONITOR",),
        ("INFO",),
    ],
    "ingest": [
        ("HGETALL", f"{PREFIX}event:m"),
        ("SET", f"{PREFIX}lookup:x", "y"),
        ("LRANGE", f"{PREFIX}rejects", 0, -1),
        ("EVAL", "return 1", 0),
        ("FLUSHALL",),
    ],
    "io": [("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "dwgate:{other}:code:m"), ("ACL", "LIST")],
    "watchdog": [("FLUSHALL",), ("CONFIG", "GET", "*")],
    "console": [
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("GET", "dwgate:{other}:code:m"),
        ("ACL", "LIST"),
        ("SET", f"{PREFIX}config:x", "policy"),
        ("SET", f"{PREFIX}answers:lookup:x", "j{}"),
        ("SET", f"{PREFIX}lookup:x", "y"),
        ("SET", f"{PREFIX}link-key", "k"),
        ("HSET", f"{PREFIX}counts:2026-01-01", "x", 1),
        ("ZADD", f"{PREFIX}index:result:FAIL", 1, "m"),
        ("HSET", f"{PREFIX}history", "x", 1),
        ("LPUSH", f"{PREFIX}rejects", "x"),
        ("ZADD", f"{PREFIX}spool:checks.cpu", 1, "x"),
    ],
    "operator": [("FLUSHALL",), ("CONFIG", "SET", "maxmemory", 0), ("ACL", "SETUSER", "x")],
}
REDIS_CASES = [(service, command) for service, commands in REFUSED_COMMANDS.items() for command in commands]


@pytest.mark.parametrize(("service", "command"), REDIS_CASES, ids=lambda case: str(case)[:40])
def test_redis_refuses_the_work_of_others(accounts: Accounts, service: str, command: Command) -> None:
    client = connect(accounts.redis_url(service))
    with pytest.raises(
        redis.exceptions.ResponseError, match=r"(?i)no permissions|can't run|NOPERM|ACL failure"
    ):
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    client.close()


def test_checks_requests_lookups_and_reads_cached_responses(accounts: Accounts) -> None:
    client = connect(accounts.redis_url("checks"))
    assert client.zadd(f"{PREFIX}lookup-requests", {"x": 1}) == 1
    assert client.blpop([f"{PREFIX}lookup-replies:x"], timeout=0.01) is None
    assert client.get(f"{PREFIX}answers:lookup:x") is None
    assert not client.exists(f"{PREFIX}lookup-leases:x")
    assert client.zrem(f"{PREFIX}lookup-requests", "x") == 1
    client.close()


def test_checks_reads_remembered_policies(accounts: Accounts) -> None:
    client = connect(accounts.redis_url("checks"))
    assert client.get(f"{PREFIX}config:x") is None
    client.close()


def test_without_a_password_redis_answers_a_health_check_only(accounts: Accounts) -> None:
    host = accounts.redis_url("io").rpartition("@")[2]
    client = connect(f"redis://{host}")
    assert client.ping()
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.get(f"{PREFIX}event:m")
    client.close()
