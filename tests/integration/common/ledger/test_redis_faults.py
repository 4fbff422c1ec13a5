"""A real server that does not serve: what the ledger's client makes of it, and that it recovers."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from common import clock
from common.events import Event
from common.ledger import Ledger, connect, redis_client
from common.ledger.redis_faults import TRANSIENT_ERRORS, RedisFault, classify
from common.ledger.write_probe import find_write_refusal
from tests.support.engines import Valkey, free_port
from tests.support.plans import plan_of
from tests.support.running_dwgate import wait_for


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    engine = Valkey(tmp_path)
    engine.start()
    yield engine
    engine.close()


@pytest.fixture
def admin(server: Valkey) -> Iterator[redis.Redis]:
    """A client of redis-py itself, connected before anything fails."""
    client = redis.Redis.from_url(server.url)
    client.ping()
    yield client
    client.close()


@pytest.fixture
def ledger(server: Valkey) -> Iterator[Ledger]:
    client = connect(server.url)
    yield Ledger(client, "ext-1")
    client.close()


def event() -> Event:
    return Event(uuid4().hex, "commit-file", 1, "u", True, {}, time.time())


def admit(ledger: Ledger, count: int = 1) -> None:
    now = time.time()
    ledger.admit_all([(event(), now + 60, now + 50) for _ in range(count)])


def fault_of(call: Callable[[], object]) -> RedisFault:
    """Return the fault by which a call fails; it must be one that tasks retry."""
    with pytest.raises(TRANSIENT_ERRORS) as caught:
        call()
    return classify(caught.value)


SETTINGS = {
    RedisFault.OUT_OF_MEMORY: ("maxmemory", 1, 0),
    RedisFault.TOO_FEW_REPLICAS: ("min-replicas-to-write", 1, 0),
}


@pytest.mark.parametrize("count", [1, 3], ids=["script", "pipeline"])
@pytest.mark.parametrize("fault", SETTINGS)
def test_a_server_that_refuses_writes(
    ledger: Ledger, admin: redis.Redis, fault: RedisFault, count: int
) -> None:
    name, bad, good = SETTINGS[fault]
    admin.config_set(name, bad)
    assert fault_of(lambda: admit(ledger, count)) is fault, "it does not know the script yet"
    admin.config_set(name, good)
    admit(ledger)
    admin.config_set(name, bad)
    assert fault_of(lambda: admit(ledger, count)) is fault
    admin.config_set(name, good)
    admit(ledger, count)


@pytest.mark.parametrize("count", [1, 3], ids=["script", "pipeline"])
def test_a_replica_is_left_on_all_connections(ledger: Ledger, admin: redis.Redis, count: int) -> None:
    client = ledger.client
    admit(ledger)
    first, second = client.connection_pool.get_connection(), client.connection_pool.get_connection()
    for connection in (first, second):
        client.connection_pool.release(connection)
    before = {each["id"] for each in admin.client_list()}
    admin.execute_command("REPLICAOF", "127.0.0.1", free_port())  # type: ignore[no-untyped-call]
    assert fault_of(lambda: admit(ledger, count)) is RedisFault.READONLY
    assert find_write_refusal(ledger.client, "probe") is RedisFault.READONLY
    admin.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]

    held = [client.connection_pool.get_connection() for _ in range(2)]
    for connection in held:
        connection.send_command("CLIENT", "ID")  # type: ignore[no-untyped-call]
        assert str(connection.read_response()) not in before
        client.connection_pool.release(connection)
    admit(ledger, count)
    assert find_write_refusal(ledger.client, "probe") is None


def test_a_replica_without_its_master(ledger: Ledger, admin: redis.Redis) -> None:
    admin.config_set("replica-serve-stale-data", "no")
    admin.execute_command("REPLICAOF", "127.0.0.1", free_port())  # type: ignore[no-untyped-call]
    assert fault_of(lambda: ledger.get("m-1")) is RedisFault.MASTER_DOWN


def test_a_server_that_cannot_save(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    server = Valkey(folder, appendonly="no", save="3600 1")
    server.start()
    try:
        client = connect(server.url)
        ledger = Ledger(client, "ext-1")
        admit(ledger)
        shutil.rmtree(folder)
        client.bgsave()
        wait_for(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        assert fault_of(lambda: admit(ledger)) is RedisFault.NOT_PERSISTED
        assert find_write_refusal(ledger.client, "probe") is RedisFault.NOT_PERSISTED
        client.close()
    finally:
        server.close()


def test_a_cluster_that_is_down(tmp_path: Path) -> None:
    server = Valkey(tmp_path, cluster_enabled="yes", cluster_port=str(free_port()))
    server.start()
    try:
        client = connect(server.url)
        assert fault_of(lambda: admit(Ledger(client, "ext-1"))) is RedisFault.CLUSTER_DOWN
        client.close()
    finally:
        server.close()


def test_a_server_that_is_busy_with_a_script(ledger: Ledger, admin: redis.Redis, server: Valkey) -> None:
    admin.config_set("busy-reply-threshold", 20)
    busy = redis.Redis.from_url(server.url)

    def loop() -> None:
        with pytest.raises(redis.ResponseError):
            busy.eval("while true do end", 0)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        wait_for(lambda: _try(lambda: ledger.get("m-1")) is RedisFault.BUSY)
    finally:
        admin.script_kill()
        thread.join(10)
        busy.close()
    admit(ledger)


def _try(call: Callable[[], object]) -> RedisFault | None:
    try:
        call()
    except redis.RedisError as error:
        return classify(error)
    return None


def test_a_server_with_too_many_clients(ledger: Ledger, admin: redis.Redis) -> None:
    admin.config_set("maxclients", 1)
    assert fault_of(lambda: admit(ledger)) is RedisFault.TOO_MANY_CLIENTS
    admin.config_set("maxclients", 100)
    admit(ledger)


def test_a_password_that_changes(server: Valkey, ledger: Ledger, admin: redis.Redis) -> None:
    admit(ledger)
    admin.config_set("requirepass", "another")
    ledger.client.connection_pool.disconnect()
    assert fault_of(lambda: admit(ledger)) is RedisFault.CREDENTIALS
    without = connect(server.url.replace(":made-up@", ""))
    assert fault_of(without.ping) is RedisFault.CREDENTIALS
    without.close()
    admin.config_set("requirepass", "made-up")
    admit(ledger)


def test_a_connection_that_is_reset(ledger: Ledger, admin: redis.Redis) -> None:
    admit(ledger)
    admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
    admit(ledger)


def test_only_the_first_call_waits_for_a_server_that_hangs(server: Valkey) -> None:
    client = connect(server.url, response_seconds=0.5)
    client.ping()
    server.stop_process()
    started = time.monotonic()
    assert fault_of(client.ping) is RedisFault.HANGS
    waited = time.monotonic() - started
    assert waited >= 0.5
    for _ in range(20):
        started = time.monotonic()
        assert fault_of(client.ping) is RedisFault.HANGS
        if time.monotonic() - started < 0.4:
            break
    else:
        pytest.fail("every call waits")
    server.resume()
    wait_for(lambda: _try(client.ping) is None)
    client.close()


def test_a_server_that_stood_still_starts_no_attempt_for_callers_that_are_gone(
    server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "RESPONSE_SECONDS", 0.3)
    monkeypatch.setattr(redis_client, "CLOCK_TOLERANCE", 0.1)
    client = connect(server.url, response_seconds=0.3)
    ledger = Ledger(client, "ext-1")
    planned, now = event(), time.time()
    ledger.admit(planned, now + 60, now - 1)
    assert ledger.save_plan(planned.message_id, 1, plan_of("code-review"), None, {})

    server.stop_process()
    for call in (
        lambda: ledger.start_attempts(planned.message_id, 1, ["code-review"]),
        lambda: ledger.acquire_report_lease(planned.message_id, "gone", 60),
        lambda: ledger.lease_due(60),
    ):
        wait_for(lambda call=call: isinstance(_error_of(call), redis.TimeoutError), every=0.2)  # type: ignore[misc]
    given_up = clock.now() + 0.5
    wait_for(lambda: clock.now() > given_up)
    server.resume()
    wait_for(lambda: _try(client.ping) is None)

    started = ledger.start_attempts(planned.message_id, 1, ["code-review"])
    assert started
    assert started.attempts == {"code-review": 1}
    assert ledger.acquire_report_lease(planned.message_id, "here", 60).record
    assert ledger.lease_due(60).message_ids == [planned.message_id]
    client.close()


def _error_of(call: Callable[[], object]) -> redis.RedisError | None:
    try:
        call()
    except redis.RedisError as error:
        return error
    return None
