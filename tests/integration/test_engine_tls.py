"""TLS to the engines: no client sends anything to an impostor, and all of them work with the right server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
import redis
from kombu.exceptions import OperationalError

from common.events import Event
from common.ledger import Ledger, connect
from common.tls import SYSTEM_STORE, TlsFiles
from ingest.celery_message import SerializedEvent, build_message
from ingest.metrics import QueueMetrics
from ingest.publishers.amqp import AmqpPublisher
from ingest.publishers.base import Publisher, PublishFailed
from ingest.publishers.redis import RedisPublisher
from ingest.receiver import Receiver
from ingest.sources import queue_app
from ingest.sources.queue_consumer import QueueConsumer
from tests.support.certificates import LOOPBACK, Authority, KeyPair
from tests.support.engines import Engine, TlsRabbitMQ, TlsRedis, free_port
from tests.support.flower_process import Flower, running_flower
from tests.support.impostor import Impostor
from tests.support.measured import MEASURED
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import fleet, wait_for
from tests.support.source_queue import SourceQueue
from workers.celery_app import create_app
from workers.recovery import backstop_rabbitmq, backstop_redis
from workers.services import Services
from workers.settings import WorkerSettings

DWGATE = Path(sys.executable).with_name("dwgate")
USER, SECRET = "gatekeeper", "made-up-password"
AMQPS, REDISS = "amqps://{user}:{secret}@127.0.0.1:{port}/%2F", "rediss://{user}:{secret}@127.0.0.1:{port}/0"
SENTINEL = (
    "rediss+sentinel://{user}:{secret}@127.0.0.1:{port}/0"
    "?master=shop&sentinel_username={user}&sentinel_password={secret}"
)


@dataclass(frozen=True)
class Pki:
    """An authority with certificates: the right one, a client's, and those that no client may accept."""

    authority: Authority
    server: KeyPair
    client: KeyPair
    rejected: dict[str, KeyPair]

    @property
    def files(self) -> TlsFiles:
        return TlsFiles(self.authority.ca_file, self.client.cert_file, self.client.key_file)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder)
    return Pki(
        authority,
        authority.issue("server", *LOOPBACK),
        authority.issue("client"),
        {
            "untrusted": Authority(folder, "other").issue("untrusted", *LOOPBACK),
            "expired": authority.issue("expired", *LOOPBACK, is_expired=True),
            "wrong-host": authority.issue("wrong-host", "engine.example.com", "127.0.0.2"),
        },
    )


def worker_settings(broker_url: str, redis_url: str, tls: TlsFiles) -> WorkerSettings:
    return WorkerSettings.model_validate(
        {
            "broker_url": broker_url,
            "redis_url": redis_url,
            "extension_code": "ext",
            "region": "cn-shanghai",
            "tls_ca_file": tls.ca_file,
            "tls_cert_file": tls.cert_file,
            "tls_key_file": tls.key_file,
        }
    )


Attempt = Callable[[str, TlsFiles, Callable[[], bool]], None]
"""Connects to a URL with these files, until the callable returns true if the client itself retries."""


def ping_ledger(url: str, tls: TlsFiles, _: Callable[[], bool]) -> None:
    client = connect(url, tls=tls)
    with pytest.raises(redis.RedisError):
        client.ping()
    client.close()


def publish(publisher: Publisher, was_reached: Callable[[], bool]) -> None:
    event = Event("m-1", "freeze-node", 7, "u", True, {}, time.time())

    async def main() -> None:
        await publisher.start()
        while not was_reached():
            with pytest.raises(PublishFailed):
                await publisher.publish(build_message([SerializedEvent.from_event(event)]))
            await asyncio.sleep(0.05)
        assert not await publisher.ready()
        await publisher.close()

    asyncio.run(main())


def publish_amqp(url: str, tls: TlsFiles, was_reached: Callable[[], bool]) -> None:
    publish(AmqpPublisher(url, TOPOLOGY, tls=tls), was_reached)


def consume_source(url: str, tls: TlsFiles, was_reached: Callable[[], bool]) -> None:
    metrics = QueueMetrics(0)

    async def is_ready() -> bool:
        return True

    async def main() -> None:
        receiver = Receiver(
            frozenset(),
            queue_app.ORIGIN,
            publisher=RedisPublisher("redis://127.0.0.1:1/0", TOPOLOGY),
            ledger=Ledger(connect("redis://127.0.0.1:1/0"), "ext"),
            metrics=metrics,
            clock=time.time,
        )
        consumer = QueueConsumer(
            url, "eventbridge.events", receiver, metrics, can_publish=is_ready, prefetch=1, tls=tls
        )
        await consumer.start()
        while not was_reached():
            assert not consumer.is_consuming
            await asyncio.sleep(0.05)
        await consumer.close()

    asyncio.run(main())


def publish_redis(url: str, tls: TlsFiles, was_reached: Callable[[], bool]) -> None:
    publish(RedisPublisher(url, TOPOLOGY, tls=tls), was_reached)


def connect_worker(url: str, tls: TlsFiles, _: Callable[[], bool]) -> None:
    app = create_app(worker_settings(url, "redis://127.0.0.1:1/0", tls))
    with (
        app.connection_for_read(connect_timeout=3) as connection,
        pytest.raises((OperationalError, redis.RedisError, OSError)),
    ):
        connection.ensure_connection(max_retries=1, timeout=3)
    app.close()


def run_loop(
    url: str,
    tls: TlsFiles,
    was_reached: Callable[[], bool],
    loop: Callable[[Services, threading.Event], None],
) -> None:
    settings = worker_settings(url, "redis://127.0.0.1:1/0", tls)
    services = Services(settings, create_app(settings))
    stop = threading.Event()
    thread = threading.Thread(target=loop, args=(services, stop))
    thread.start()
    wait_for(was_reached)
    stop.set()
    thread.join()
    services.app.close()


def run_backstop(url: str, tls: TlsFiles, was_reached: Callable[[], bool]) -> None:
    loop = backstop_rabbitmq.run if url.startswith("amqp") else backstop_redis.run
    run_loop(url, tls, was_reached, loop)


def run_event_sender(url: str, tls: TlsFiles, was_reached: Callable[[], bool]) -> None:
    run_loop(url, tls, was_reached, lambda services, stop: services.app.background_sender.run(stop))


def environment(broker_url: str, redis_url: str, tls: TlsFiles, folder: Path) -> dict[str, str]:
    files = {
        "DWGATE_TLS_CA_FILE": tls.ca_file,
        "DWGATE_TLS_CERT_FILE": tls.cert_file,
        "DWGATE_TLS_KEY_FILE": tls.key_file,
    }
    return {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "DWGATE_BROKER_URL": broker_url,
        "DWGATE_REDIS_URL": redis_url,
        "DWGATE_EXTENSION_CODE": "ext",
        "DWGATE_REGION": "cn-shanghai",
        "DWGATE_OPENAPI_ENDPOINT": "127.0.0.1:1",
        "DWGATE_OPENAPI_PROTOCOL": "http",
        "DWGATE_FLOWER_USERS": "watcher:password-of-the-watcher-1",
        "DWGATE_FLOWER_DB": str(folder / "flower.db"),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "local",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "made-up",
        **{name: str(file) for name, file in files.items() if file},
    }


def doctor(settings: dict[str, str]) -> dict[str, dict[str, str]]:
    answer = subprocess.run(
        [DWGATE, "doctor", "--json"], env=settings, cwd="/", capture_output=True, text=True, check=False
    )
    assert answer.stderr == ""
    assert SECRET not in answer.stdout
    return {item["what"]: item for item in json.loads(answer.stdout)["diagnoses"]}


CLIENTS: dict[str, tuple[str, Attempt]] = {
    "ledger": (REDISS, ping_ledger),
    "sentinel": (SENTINEL, ping_ledger),
    "ingest-amqp": (AMQPS, publish_amqp),
    "ingest-redis": (REDISS, publish_redis),
    "ingest-source": (AMQPS, consume_source),
    "worker-amqp": (AMQPS, connect_worker),
    "worker-redis": (REDISS, connect_worker),
}
LOOPS: dict[str, tuple[str, Attempt]] = {  # they retry by themselves, which takes seconds
    "backstop-amqp": (AMQPS, run_backstop),
    "backstop-redis": (REDISS, run_backstop),
    "events-amqp": (AMQPS, run_event_sender),
    "events-redis": (REDISS, run_event_sender),
}


CASES = [
    (client, certificate) for client in CLIENTS for certificate in ("untrusted", "expired", "wrong-host")
]


@pytest.mark.parametrize(("client", "certificate"), [*CASES, *((client, "wrong-host") for client in LOOPS)])
def test_a_client_sends_nothing_to_an_impostor(pki: Pki, client: str, certificate: str) -> None:
    form, attempt = {**CLIENTS, **LOOPS}[client]
    with Impostor(pki.rejected[certificate]) as impostor:
        url = form.format(user=USER, secret=SECRET, port=impostor.port)
        attempt(url, TlsFiles(pki.authority.ca_file), lambda: impostor.connections > 0)
        wait_for(lambda: impostor.connections)
        assert impostor.received == b""


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_ca_file_the_system_s_store_is_used(pki: Pki, client: str) -> None:
    form, attempt = CLIENTS[client]
    with Impostor(pki.server) as impostor:
        url = form.format(user=USER, secret=SECRET, port=impostor.port)
        attempt(url, SYSTEM_STORE, lambda: impostor.connections > 0)
        wait_for(lambda: impostor.connections)
        assert impostor.received == b""


@pytest.mark.parametrize(("form", "password"), [(REDISS, SECRET), (AMQPS, f"{USER}\0{SECRET}")])
def test_the_impostor_would_see_the_password(pki: Pki, form: str, password: str) -> None:
    """The impostor of the tests above records: a client that trusts its certificate gives it the password."""
    attempt = publish_amqp if form is AMQPS else ping_ledger
    with Impostor(pki.server) as impostor:
        url = form.format(user=USER, secret=SECRET, port=impostor.port)
        attempt(url, TlsFiles(pki.authority.ca_file), lambda: password.encode() in impostor.received)
        wait_for(lambda: password.encode() in impostor.received)


@pytest.mark.parametrize("form", [AMQPS, REDISS])
def test_the_doctor_names_the_reason(pki: Pki, form: str, tmp_path: Path) -> None:
    with Impostor(pki.rejected["expired"]) as impostor:
        broker_url = form.format(user=USER, secret=SECRET, port=impostor.port)
        redis_url = REDISS.format(user=USER, secret=SECRET, port=impostor.port)
        tls = TlsFiles(pki.authority.ca_file)
        diagnoses = doctor(environment(broker_url, redis_url, tls, tmp_path))
        assert impostor.received == b""
    for what in ("broker", "Redis"):
        assert diagnoses[what]["health"] == "down"
        assert diagnoses[what]["detail"].endswith("its certificate is rejected: certificate has expired")


@pytest.fixture
def start_flower(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Flower]]:
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(running_flower(settings, tmp_path))


@pytest.mark.parametrize("certificate", ["untrusted", "expired", "wrong-host"])
@pytest.mark.parametrize("form", [AMQPS, REDISS])
def test_flower_sends_nothing_to_an_impostor(
    pki: Pki,
    start_flower: Callable[[dict[str, str]], Flower],
    tmp_path: Path,
    form: str,
    certificate: str,
) -> None:
    with Impostor(pki.rejected[certificate]) as broker, Impostor(pki.rejected[certificate]) as management:
        settings = environment(
            form.format(user=USER, secret=SECRET, port=broker.port),
            "redis://127.0.0.1:1",
            TlsFiles(pki.authority.ca_file),
            tmp_path,
        )
        settings["DWGATE_FLOWER_BROKER_API"] = f"https://127.0.0.1:{management.port}/api/"
        flower = start_flower(settings)
        wait_for(lambda: broker.connections)
        flower.get("/api/queues/length")
        contacted = management if form is AMQPS else broker
        wait_for(lambda: contacted.connections)
        assert broker.received == management.received == b""


def test_flower_s_password_stays_with_the_right_management_api(
    pki: Pki, start_flower: Callable[[dict[str, str]], Flower], tmp_path: Path
) -> None:
    with Impostor(None) as elsewhere:
        redirect = (
            f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\nContent-Length: 0\r\n\r\n"
        )
        with Impostor(pki.server, reply=redirect.encode()) as management:
            settings = environment(
                AMQPS.format(user=USER, secret=SECRET, port=1),
                "redis://127.0.0.1:1",
                TlsFiles(pki.authority.ca_file),
                tmp_path,
            )
            settings["DWGATE_FLOWER_BROKER_API"] = f"https://127.0.0.1:{management.port}/api/"
            start_flower(settings).get("/api/queues/length")
            assert b"Authorization: Basic" in management.received
        assert elsewhere.connections == 0


@pytest.fixture(scope="module")
def tls_redis(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    """Redis that requires a client certificate."""
    yield from started(TlsRedis(tmp_path_factory.mktemp("redis"), pki.authority, pki.server, is_mutual=True))


@pytest.fixture(scope="module")
def tls_rabbitmq(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRabbitMQ]:
    """RabbitMQ that requires a client certificate."""
    yield from started(TlsRabbitMQ(tmp_path_factory.mktemp("rabbitmq"), pki.authority, pki.server))


SomeEngine = TypeVar("SomeEngine", bound=Engine)


def started(engine: SomeEngine) -> Iterator[SomeEngine]:
    try:
        engine.start()
        yield engine
    finally:
        engine.close()


def test_a_server_certificate_alone_suffices(pki: Pki, tmp_path: Path) -> None:
    for engine in started(TlsRedis(tmp_path, pki.authority, pki.server, is_mutual=False)):
        client = connect(engine.url, tls=TlsFiles(pki.authority.ca_file))
        assert client.ping()
        client.close()


def test_a_client_certificate_is_used(pki: Pki, tls_redis: TlsRedis) -> None:
    client = connect(tls_redis.url, tls=pki.files)
    assert client.ping()
    client.close()
    client = connect(tls_redis.url, tls=TlsFiles(pki.authority.ca_file))
    with pytest.raises(redis.RedisError):
        client.ping()
    client.close()


def test_a_source_with_an_authority_of_its_own_is_consumed(
    pki: Pki, tls_rabbitmq: TlsRabbitMQ, broker_url: str, clean_redis_url: str, tmp_path: Path
) -> None:
    """The own broker and Redis have no TLS here, so that the files of the source alone can serve."""
    source = SourceQueue(tls_rabbitmq.url)
    source.declare()
    port = free_port()
    settings = environment(broker_url, clean_redis_url, SYSTEM_STORE, tmp_path) | {
        "DWGATE_EVENTBRIDGE_ACCOUNTS": "1107550004250001",
        "DWGATE_SOURCE_URL": tls_rabbitmq.tls_url,
        "DWGATE_SOURCE_QUEUE": source.name,
        "DWGATE_SOURCE_TLS_CA_FILE": str(pki.authority.ca_file),
        "DWGATE_SOURCE_TLS_CERT_FILE": str(pki.client.cert_file),
        "DWGATE_SOURCE_TLS_KEY_FILE": str(pki.client.key_file),
    }
    command = [str(DWGATE), "ingest", "--source=amqp", f"--port={port}"]
    with (tmp_path / "log").open("wb") as log:
        ingest = subprocess.Popen(command, env=settings, cwd=tmp_path, stdout=log, stderr=log)

    def is_ready() -> bool:
        assert ingest.poll() is None, (tmp_path / "log").read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        wait_for(is_ready, 30)
        ingest.terminate()
        assert ingest.wait(20) == 0
    finally:
        ingest.kill()
        ingest.wait()


@pytest.mark.parametrize("broker", ["rabbitmq", pytest.param("redis", marks=pytest.mark.faults)])
def test_everything_works_over_mutual_tls(
    pki: Pki, tls_redis: TlsRedis, request: pytest.FixtureRequest, tmp_path: Path, broker: str
) -> None:
    if broker == "redis":
        broker_url = tls_redis.url
    else:
        node = request.getfixturevalue("tls_rabbitmq").tls_url
        broker_url = f"amqps://guest:guest@127.0.0.1:{free_port()}/%2F;{node}"  # one of two nodes is down
    files = {
        "DWGATE_TLS_CA_FILE": str(pki.authority.ca_file),
        "DWGATE_TLS_CERT_FILE": str(pki.client.cert_file),
        "DWGATE_TLS_KEY_FILE": str(pki.client.key_file),
    }
    with fleet(broker_url, tls_redis.url, tmp_path, settings=files, tls=pki.files) as gate:
        tasks_url = gate.start_flower()
        message_id = gate.send("commit-file-bad")
        assert gate.verdict(message_id)["result"] == "FAIL"
        wait_for(lambda: any(message_id in task for task in gate.http.get(tasks_url).json()))
        answer = subprocess.run(
            [DWGATE, "doctor", "--json"], env=gate.environment, capture_output=True, text=True, check=False
        )
        diagnoses = {item["what"]: item for item in json.loads(answer.stdout)["diagnoses"]}
        assert diagnoses["broker"]["health"] == diagnoses["Redis"]["health"] == "good"
        assert diagnoses["workers"]["health"] == "good"
        assert gate.http.get(tasks_url.replace("/tasks", "/queues/length")).status_code == 200


class TlsSentinel(Engine):
    """A Sentinel with TLS and a password of its own, which monitors one master."""

    PASSWORD = "made-up-for-sentinel"

    def __init__(self, directory: Path, master: TlsRedis, pki: Pki) -> None:
        super().__init__(directory)
        self.port = free_port()
        (directory / "sentinel.conf").write_text(
            f"port 0\ntls-port {self.port}\nbind 127.0.0.1\ndir {directory}\nrequirepass {self.PASSWORD}\n"
            f"tls-cert-file {pki.server.cert_file}\ntls-key-file {pki.server.key_file}\n"
            f"tls-ca-cert-file {pki.authority.ca_file}\ntls-auth-clients yes\ntls-replication yes\n"
            f"sentinel monitor shop 127.0.0.1 {master.port} 1\nsentinel auth-pass shop made-up\n"
        )

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return ["redis-server", str(self.directory / "sentinel.conf"), "--sentinel"], {}

    def _answers(self) -> bool:
        return "+monitor" in self.log.read_text()


@pytest.fixture
def sentinel(pki: Pki, tls_redis: TlsRedis, tmp_path: Path) -> Iterator[TlsSentinel]:
    yield from started(TlsSentinel(tmp_path, tls_redis, pki))


def test_sentinel_and_master_over_mutual_tls(pki: Pki, sentinel: TlsSentinel) -> None:
    url = (
        f"rediss+sentinel://:made-up@127.0.0.1:{sentinel.port}/0"
        f"?master=shop&sentinel_password={TlsSentinel.PASSWORD}"
    )
    client = connect(url, tls=pki.files)
    ledger = Ledger(client, "ext-tls")
    event = Event("m-1", "freeze-node", 7, "u", True, {}, time.time())

    def is_admitted() -> bool:
        try:
            return ledger.admit(event, time.time() + 60, time.time() + 50)[0]
        except redis.RedisError:  # Sentinel has not checked the master yet
            return False

    wait_for(is_admitted)
    client.close()
