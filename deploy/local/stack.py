"""All of dwgate on one machine: Valkey, the DataWorks emulator, ingest, a worker; also console and Flower.

Each runs as its real command in its own process, on loopback, with generated secrets. Nothing is installed,
root is not needed, and nothing remains afterwards.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx
import redis

from common.ledger import Ledger, connect
from deploy.local import valkey
from deploy.local.private_folder import PRIVATE_UMASK
from deploy.local.process import ManagedProcess, free_port, stop_all, wait_for
from emulator.eventbridge.sender import CERTIFICATE_FILE, Signer

ACCOUNT = "1023456789012345"
"""A sample Alibaba Cloud account, whose events are accepted."""

EXTENSION = "dwgate-local"
REGION = "cn-shanghai"
FLOWER_USER = "admin"
SETTINGS_FILE = "dwgate.env"

WORKER_PROCESSES = frozenset({"checks", "slow", "io", "reporter", "watchdog", "recovery"})
"""Prefixes of the process names of a worker with every role (`checks-1a2b3c@host`), from its heartbeats."""

_FOREIGN = ("DWGATE_", "ALIBABA_", "FLOWER_", "CELERY_", "PROMETHEUS_")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Stack:
    """The running stack.

    Attributes:
        folder: its data, its logs, the signer's key and certificate, and its settings (`dwgate.env`).
        events_url: the URL at which ingest receives events; also the signed URL.
        emulator_url: the DataWorks emulator.
        ledger: the ledger of its events.
        signer: signs requests like EventBridge.
        token: the EventBridge target's token.
        console_url: the console's URL; None without the console.
        flower_url: Flower's URL; None without Flower.
        flower_password: the password of FLOWER_USER.
    """

    folder: Path
    events_url: str
    emulator_url: str
    ledger: Ledger
    signer: Signer
    token: str
    console_url: str | None
    flower_url: str | None
    flower_password: str


@contextmanager
def running_stack(
    folder: Path,
    *,
    port: int = 0,
    console_port: int | None = None,
    flower_port: int | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Stack]:
    """Start the stack, and stop it when the block exits for any reason.

    SIGTERM and SIGHUP exit the block as Ctrl-C does: with KeyboardInterrupt.

    Args:
        folder: an existing folder for the stack alone; its data is reused.
        port: port of ingest; 0 for a free one.
        console_port: port of the console, 0 for a free one; None for no console. It is open to everyone on
            this machine, and tips link to it.
        flower_port: port of Flower, 0 for a free one; None for no Flower.
        settings: additional settings of the worker, such as DWGATE_POLICY_FILE.

    Raises:
        ServiceError: a process did not start.
    """
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    umask = os.umask(PRIVATE_UMASK)  # inherited by the processes, whose files contain node code
    parts = _Parts(folder, port or free_port())
    try:
        _set(dict.fromkeys(_SIGNALS, signal.default_int_handler))
        yield _start(parts, console_port, flower_port, settings)
    finally:
        # Signals must not interrupt the shutdown. The commands that use the engines are stopped before them.
        _set(dict.fromkeys(_SIGNALS, signal.SIG_IGN))
        stop_all(parts.commands)
        stop_all(parts.engines)
        _set(handlers)
        os.umask(umask)


@dataclass(slots=True)
class _Parts:
    """The processes started so far, so that they are also stopped if the start fails halfway."""

    folder: Path
    port: int
    engines: list[ManagedProcess] = field(default_factory=list)
    commands: list[ManagedProcess] = field(default_factory=list)

    def run(self, name: str, environment: Mapping[str, str], *options: str) -> ManagedProcess:
        """Start the command `dwgate NAME`."""
        command = [sys.executable, "-m", "console.main", name, *options]
        service = ManagedProcess(name, command, self.folder, {**_inherited(), **environment})
        (self.engines if name == "emulator" else self.commands).append(service)
        return service


def _start(
    parts: _Parts, console_port: int | None, flower_port: int | None, settings: Mapping[str, str]
) -> Stack:
    folder, signer, token, password = parts.folder, Signer.generate(REGION), _secret(), _secret()
    signer.save(folder)
    engine = valkey.start(folder)
    parts.engines.append(engine.service)
    access = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": f"local-{_secret()}",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": _secret(),
    }
    emulator = parts.run(
        "emulator", {**access, "DWGATE_EXTENSION_CODE": EXTENSION}, "--host=127.0.0.1", "--port=0"
    )
    wait_for("valkey", engine.answers, [engine.service])
    ledger = Ledger(connect(engine.url), EXTENSION)
    earlier = frozenset(ledger.membership.workers())
    events_url = f"http://127.0.0.1:{parts.port}/events"
    ingest_environment = _ingest_environment(folder, engine.url, events_url, token)
    ingest = parts.run("ingest", ingest_environment, "--host=127.0.0.1", f"--port={parts.port}")
    emulator_url = wait_for("the emulator", emulator.listening, [emulator])
    console_url = None
    if console_port is not None:
        console_url = f"http://127.0.0.1:{console_port or free_port()}"
    environment = {
        **ingest_environment,
        **access,
        "DWGATE_OPENAPI_ENDPOINT": emulator_url.removeprefix("http://"),
        "DWGATE_OPENAPI_PROTOCOL": "http",
        "DWGATE_FLOWER_USERS": f"{FLOWER_USER}:{password}",
        "DWGATE_FLOWER_DB": str(folder / "flower.db"),
        **({"DWGATE_DETAILS_URL": f"{console_url}/events/{{message_id}}"} if console_url else {}),
        **settings,
    }
    _write(folder / SETTINGS_FILE, environment)
    worker = parts.run("worker", environment)
    if console_url:
        options = ("--host=127.0.0.1", f"--port={urlsplit(console_url).port}")
        console = parts.run("console", {**environment, "DWGATE_CONSOLE_OPEN": "true"}, *options)
        wait_for("the console", console.listening, [console])
    flower_url = None
    if flower_port is not None:
        flower = parts.run("flower", environment, "--host=127.0.0.1", f"--port={flower_port}")
        flower_url = wait_for("flower", flower.listening, [flower])
    wait_for("ingest", lambda: _ready(events_url), [ingest])
    wait_for("worker", lambda: _are_workers_ready(ledger, earlier), [worker])
    return Stack(folder, events_url, emulator_url, ledger, signer, token, console_url, flower_url, password)


def _set(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _ingest_environment(folder: Path, redis_url: str, events_url: str, token: str) -> dict[str, str]:
    return {
        "DWGATE_BROKER_URL": redis_url,
        "DWGATE_REDIS_URL": redis_url,
        "DWGATE_EXTENSION_CODE": EXTENSION,
        "DWGATE_REGION": REGION,
        "DWGATE_EVENTBRIDGE_TARGET_URLS": events_url,
        "DWGATE_EVENTBRIDGE_TOKENS": token,
        "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
        "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE": str(folder / CERTIFICATE_FILE),
    }


def _inherited() -> dict[str, str]:
    """Return this process's environment without variables that would configure the stack from outside."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
    }


def _write(file: Path, environment: Mapping[str, str]) -> None:
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))


def _ready(events_url: str) -> bool | None:
    try:
        answer = httpx.get(events_url.removesuffix("/events") + "/readyz", timeout=2, trust_env=False)
    except httpx.TransportError:
        return None
    return True if answer.is_success else None


def _are_workers_ready(ledger: Ledger, earlier: frozenset[str]) -> bool | None:
    try:
        heard = {name.partition("-")[0] for name in ledger.membership.workers() if name not in earlier}
    except redis.RedisError:
        return None
    return True if heard >= WORKER_PROCESSES else None


def _secret() -> str:
    return secrets.token_hex(16)
