"""A master and a replica behind one address, as in a managed Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import redis

from tests.support.engines import PASSWORD, Valkey
from tests.support.running_dwgate import wait_for
from tests.support.tcp_relay import TcpRelay


class ReplicatedRedis:
    """Two servers and their address.

    Args:
        directory: their data.
    """

    def __init__(self, directory: Path) -> None:
        self._servers = [Valkey(directory / name) for name in ("first", "second")]
        for server in self._servers:
            server.directory.mkdir()
        self._relay = TcpRelay(self.master.port)
        self.url = ""

    @property
    def master(self) -> Valkey:
        """The server that accepts writes."""
        return self._servers[0]

    @property
    def replica(self) -> Valkey:
        """The other one."""
        return self._servers[1]

    def start(self) -> None:
        """Start the servers, and replicate."""
        for server in self._servers:
            server.start()
        self._relay.start()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self._relay.port}/0"
        self._follow(self.replica, self.master)

    def close(self) -> None:
        """Stop everything."""
        self._relay.close()
        for server in self._servers:
            server.close()

    def demote(self) -> None:
        """Let the servers change roles; the address still leads to the old master."""
        self._wait_for_replication()
        _client(self.replica).execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]
        self._servers.reverse()
        self._follow(self.replica, self.master)

    def move_address(self) -> None:
        """Let the address lead to the master; open connections stay where they are."""
        self._relay.target = self.master.port

    def configure(self, name: str, value: str | int) -> None:
        """Set a configuration parameter of the master."""
        _client(self.master).config_set(name, value)

    def _follow(self, replica: Valkey, master: Valkey) -> None:
        client = _client(replica)
        client.config_set("masterauth", PASSWORD)
        client.execute_command("REPLICAOF", "127.0.0.1", master.port)  # type: ignore[no-untyped-call]
        wait_for(lambda: _info(replica).get("master_link_status") == "up", 30)

    def _wait_for_replication(self) -> None:
        wait_for(lambda: _info(self.replica)["slave_repl_offset"] >= _info(self.master)["master_repl_offset"])


def _info(server: Valkey) -> dict[str, Any]:
    return _client(server).info("replication")


def _client(server: Valkey) -> redis.Redis:
    return redis.Redis(port=server.port, password=PASSWORD, socket_timeout=10, single_connection_client=False)
