"""The ledger through Sentinel: the master is looked up, and again after a failover."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.events import Event
from common.ledger import Ledger, connect
from tests.support.engines import PASSWORD, Valkey, free_port
from tests.support.sentinel import MASTER, Sentinel


@pytest.fixture
def sentinel(valkey: Valkey, tmp_path: Path) -> Iterator[Sentinel]:
    valkey.restore()
    engine = Sentinel(tmp_path, valkey)
    engine.start()
    yield engine
    engine.close()


def test_the_master_is_found_and_followed(sentinel: Sentinel, tmp_path: Path) -> None:
    client = connect(
        f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/0?master={MASTER}"
    )
    ledger = Ledger(client, "ext-sentinel")
    event = Event("m-1", "commit-file", 1, "u", True, {}, time.time())
    assert ledger.admit(event, time.time() + 60, time.time() + 50)[0]

    (tmp_path / "other").mkdir()
    other = Valkey(tmp_path / "other")
    other.start()
    try:
        sentinel.move(other)
        client.connection_pool.disconnect()
        assert ledger.get("m-1") is None
        assert ledger.admit(event, time.time() + 60, time.time() + 50)[0]
    finally:
        client.close()
        other.close()
