"""Runs the services of a deployment as processes: each with exactly its command, settings and secrets.

Containers are replaced by what this machine has: a process per service, a folder instead of `/run/secrets`,
free ports of loopback. Alibaba Cloud is replaced by the emulator, whose address only services get that have a
route to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from common.ledger import Ledger, connect
from deploy.accounts.secret_files import ACL_FILE, DEFINITIONS_FILE, write_files
from emulator.eventbridge.sender import CERTIFICATE_FILE, Signer
from tests.support.emulator_process import EXTENSION_CODE, KEY_ID, KEY_SECRET, Emulator, running
from tests.support.engines import free_port
from tests.support.engines_with_accounts import RabbitMQWithAccounts, ValkeyWithAccounts
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import ACCOUNT, TARGET, TOKEN, RunningDwgate, wait_for
from workers.process.roles import Role, groups_for

ROOT = Path(__file__).parents[2]
RUN_SECRETS = "/run/secrets"

SETTINGS = {
    "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
    "DWGATE_REGION": "cn-shanghai",
    "DWGATE_EVENTBRIDGE_TARGET_URLS": TARGET,
    "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
}
"""What an installation must set."""

PLACEHOLDERS = {
    "EVENTBRIDGE-TOKEN": TOKEN,
    "FINGERPRINT-KEY": "0123456789abcdef" * 4,
    "FLOWER-PASSWORD": "made-up-password-of-flower",
    "ACCESS-KEY-ID": KEY_ID,
    "ACCESS-KEY-SECRET": KEY_SECRET,
}
"""What the placeholders of the example secrets are replaced by."""

START_SECONDS = 90.0


@dataclass(frozen=True)
class Service:
    """One service, as its deployment describes it.

    Attributes:
        command: the arguments of dwgate; none if it only waits for commands.
        environment: its variables.
        folders: the files that it sees, by folder and name; in `/run/secrets` its secrets.
        port: the port that it listens on, if any.
        probes: the paths that must answer when it is ready.
        reaches_dataworks: whether it has a route to the OpenAPI.
        replicas: number of its processes.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folders: Mapping[str, Mapping[str, str]]
    port: int | None
    probes: tuple[str, ...]
    reaches_dataworks: bool = False
    replicas: int = 1

    @property
    def worker_processes(self) -> int:
        """The number of processes that send heartbeats."""
        if self.command[:1] != ("worker",):
            return 0
        roles = [Role(word.partition("=")[2]) for word in self.command if word.startswith("--role=")]
        return self.replicas * len(groups_for(roles))


@dataclass
class DeployedServices:
    """The running services.

    Attributes:
        gate: sends events, and reads ledger and emulator.
        folder: of the secrets that `dwgate accounts` wrote and of the services.
        services: those of the deployment, by name.
        urls: the address of each process.
    """

    gate: RunningDwgate
    folder: Path
    services: Mapping[str, Service]
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def emulator(self) -> Emulator:
        """The emulator of DataWorks."""
        return self.gate.emulator

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment of a service: its own, and what replaces container and cloud."""
        service = self.services[name]
        replaced = self._write_folders(name)
        own = dict(service.environment)
        for folder, here in replaced.items():
            own = {key: value.replace(folder, str(here)) for key, value in own.items()}
        own |= {"DWGATE_SECRETS_DIR": str(replaced[RUN_SECRETS]), "HOME": str(self.folder)}
        own |= {
            key: value
            for key, value in os.environ.items()
            if key.startswith(("COVERAGE", "PATH", "PYTHONPATH"))
        }
        if service.reaches_dataworks:
            own |= {
                "DWGATE_OPENAPI_ENDPOINT": self.emulator.host_port,
                "DWGATE_OPENAPI_PROTOCOL": "http",
            }
        if name == "ingest":
            own["DWGATE_EVENTBRIDGE_CERTIFICATE_FILE"] = str(self.folder / CERTIFICATE_FILE)
        return own

    def start(self, name: str, number: int = 1) -> subprocess.Popen[bytes]:
        """Start a process of a service."""
        service, port, process = self.services[name], free_port(), f"{name}-{number}"
        # In the container it listens on all addresses of its own network.
        command = [
            word.replace("0.0.0.0", "127.0.0.1").replace(str(service.port), str(port))  # noqa: S104
            for word in service.command
        ]
        self.urls[process] = f"http://127.0.0.1:{port}"
        if name == "ingest":
            self.gate.url = self.urls[process]
        with (self.gate.directory / f"{process}.log").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "console.main", *command],
                env=self.environment(name),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.gate.workers.append(started)
        return started

    def start_all(self) -> None:
        """Start all services, and wait until each process answers its probes."""
        for name, service in self.services.items():
            for number in range(service.replicas if service.command else 0):
                self.start(name, number + 1)
        for process, url in self.urls.items():
            for path in self.services[process.rpartition("-")[0]].probes:
                wait_for(lambda url=url, path=path: self.status(url + path) == httpx.codes.OK, START_SECONDS)  # type: ignore[misc]
        count = sum(service.worker_processes for service in self.services.values())
        wait_for(lambda: len(self.gate.ledger.membership.workers()) == count, START_SECONDS)

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of dwgate in a service, as by `docker compose exec` or `kubectl exec`."""
        return subprocess.run(
            [sys.executable, "-m", "console.main", *arguments],
            env=self.environment(name),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def status(self, url: str) -> int:
        """Return the status with which a URL answers; 0 if nothing does."""
        try:
            return self.gate.http.get(url).status_code
        except httpx.TransportError:
            return 0

    def _write_folders(self, name: str) -> dict[str, Path]:
        """Write the files that a service sees, and no others; return where each of its folders is."""
        places = {}
        for number, (folder, files) in enumerate(self.services[name].folders.items()):
            places[folder] = self.folder / f"{name}-{number}"
            places[folder].mkdir(exist_ok=True)
            for file, text in files.items():
                (places[folder] / file).write_text(text)
        return places


def secret_text(folder: Path, name: str) -> str:
    """Return a secret: as `dwgate accounts` wrote it to `folder`, or the example, filled in."""
    if (folder / name).is_file():
        return (folder / name).read_text()
    text = (ROOT / "deploy" / "compose" / "secrets.example" / name).read_text()
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return text


@contextmanager
def running_services(
    describe: Callable[[Path], Mapping[str, Service]],
    ledger_type: type[ValkeyWithAccounts] = ValkeyWithAccounts,
) -> Iterator[DeployedServices]:
    """Run engines with accounts, the emulator and services.

    Args:
        describe: returns the services, in the order in which they are started, from the folder of the files
            that `dwgate accounts` wrote.
        ledger_type: the Redis server.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dwgate-services-")))
        for name in ("rabbitmq", "redis", "logs"):
            (folder / name).mkdir()
        broker, ledger = RabbitMQWithAccounts(folder / "rabbitmq"), ledger_type(folder / "redis")
        write_files(
            folder,
            broker_url=f"amqp://127.0.0.1:{broker.port}/%2F",
            redis_url=f"redis://127.0.0.1:{ledger.port}/0",
            extension_code=EXTENSION_CODE,
            topology=TOPOLOGY,
        )
        broker.load(folder / DEFINITIONS_FILE, (folder / "operator_broker_url").read_text().strip())
        ledger.acl_file = folder / ACL_FILE
        ledger.url = (folder / "operator_redis_url").read_text().strip()
        for engine in (broker, ledger):
            stack.callback(engine.close)
            engine.start()
        signer = Signer.generate()
        signer.save(folder)
        gate = RunningDwgate(
            stack.enter_context(running()),
            Ledger(connect(ledger.url), EXTENSION_CODE),
            {},
            folder / "logs",
            signer,
            httpx.Client(trust_env=False, timeout=10),
        )
        stack.callback(gate.close)
        services = DeployedServices(gate, folder, describe(folder))
        services.start_all()
        yield services
