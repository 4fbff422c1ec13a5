"""Runs the services of docker-compose.yml as processes: each with exactly its command, settings and secrets.

Containers are replaced by what this machine has: a process per service, a folder instead of `/run/secrets`,
free ports of loopback. Alibaba Cloud is replaced by the emulator, whose address only services of the network
`egress` get.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from common.ledger import Ledger, connect
from deploy.accounts.secret_files import ACL_FILE, DEFINITIONS_FILE, write_files
from emulator.eventbridge.sender import CERTIFICATE_FILE, Signer
from tests.support import plain_yaml
from tests.support.emulator_process import EXTENSION_CODE, KEY_ID, KEY_SECRET, Emulator, running
from tests.support.engines import free_port
from tests.support.engines_with_accounts import RabbitMQWithAccounts, ValkeyWithAccounts
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import ACCOUNT, TARGET, TOKEN, RunningDwgate, wait_for
from tests.support.source_queue import QUEUE

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
SERVICES: dict[str, dict[str, Any]] = plain_yaml.load((ROOT / "docker-compose.yml").read_text())["services"]
RUN_SECRETS = "/run/secrets"

VARIABLES = {
    "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
    "DWGATE_REGION": "cn-shanghai",
    "DWGATE_EVENTBRIDGE_TARGET_URLS": TARGET,
    "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
    "DWGATE_SOURCE_QUEUE": QUEUE,
}
"""The `.env` of the installation."""

PLACEHOLDERS = {
    "EVENTBRIDGE-TOKEN": TOKEN,
    "FINGERPRINT-KEY": "0123456789abcdef" * 4,
    "FLOWER-PASSWORD": "made-up-password-of-flower",
    "ACCESS-KEY-ID": KEY_ID,
    "ACCESS-KEY-SECRET": KEY_SECRET,
}
"""What the placeholders of the example secrets are replaced by."""

START_SECONDS = 90.0
_VARIABLE = re.compile(r"\$\{(\w+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\}")


@dataclass
class ComposeServices:
    """The running services.

    Attributes:
        gate: sends events, and reads ledger and emulator.
        folder: of the secrets that `dwgate accounts` wrote and of the services.
        health_urls: the URL of each health check, by process.
    """

    gate: RunningDwgate
    folder: Path
    health_urls: dict[str, str] = field(default_factory=dict)

    @property
    def emulator(self) -> Emulator:
        """The emulator of DataWorks."""
        return self.gate.emulator

    def environment(self, name: str, addition: str = "") -> dict[str, str]:
        """Return the environment of a service: its own, and what replaces container and cloud.

        Args:
            name: of the service.
            addition: name of a further Compose file that changes the service; empty for none.
        """
        service, secrets = service_of(name, addition), self._secrets(name, addition)
        own = {key: _interpolate(str(value)) for key, value in service["environment"].items()}
        own = {key: value.replace(RUN_SECRETS, str(secrets)) for key, value in own.items()}
        own |= {"DWGATE_SECRETS_DIR": str(secrets), "PATH": os.environ["PATH"], "HOME": str(self.folder)}
        own |= {key: value for key, value in os.environ.items() if key.startswith("COVERAGE")}
        if "egress" in service["networks"]:
            own |= {
                "DWGATE_OPENAPI_ENDPOINT": self.emulator.host_port,
                "DWGATE_OPENAPI_PROTOCOL": "http",
            }
        if "edge" in service["networks"]:
            own["DWGATE_EVENTBRIDGE_CERTIFICATE_FILE"] = str(self.folder / CERTIFICATE_FILE)
        return own

    def start(self, name: str, number: int = 1, addition: str = "") -> subprocess.Popen[bytes]:
        """Start a process of a service, as a further Compose file changes it."""
        port, process = free_port(), f"{name}-{number}"
        replaced = {
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - in the container it listens on its own network
            "--metrics-host=0.0.0.0": "--metrics-host=127.0.0.1",
            "--metrics-port=9100": f"--metrics-port={port}",
            "8080": str(port),
        }
        command = [replaced.get(part, part) for part in service_of(name, addition)["command"]]
        base = f"http://127.0.0.1:{port}"
        if name == "ingest":
            self.gate.url = base
        self.health_urls[process] = base + ("/readyz" if name == "ingest" else "/healthz")
        with (self.gate.directory / f"{process}.log").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "console.main", *command],
                env=self.environment(name, addition),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.gate.workers.append(started)
        return started

    def start_all(self) -> None:
        """Start ingest and the workers, and wait until they are healthy."""
        for name in ("worker-io", "worker-checks", "watchdog", "ingest"):
            for number in range(SERVICES[name]["deploy"].get("replicas", 1)):
                self.start(name, number + 1)
        for process in self.health_urls:
            self.wait_until_healthy(process)
        # Two processes each of worker-checks, worker-io and the two watchdogs.
        wait_for(lambda: len(self.gate.ledger.membership.workers()) == 8, START_SECONDS)

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of dwgate in a service, as `docker compose exec` and `run` do."""
        return subprocess.run(
            [sys.executable, "-m", "console.main", *arguments],
            env=self.environment(name),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _is_healthy(self, url: str) -> bool:
        try:
            return self.gate.http.get(url).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def wait_until_healthy(self, process: str) -> None:
        """Wait until a process passes its health check."""
        wait_for(lambda: self._is_healthy(self.health_urls[process]), START_SECONDS)

    def _secrets(self, name: str, addition: str = "") -> Path:
        """Return a folder with the secrets of a service and no others, by the names that it reads."""
        folder = self.folder / f"{name}{addition}"
        folder.mkdir(exist_ok=True)
        for item in service_of(name, addition)["secrets"]:
            source, target = (item, item) if isinstance(item, str) else (item["source"], item["target"])
            (folder / target).write_text(secret_text(self.folder, source))
        return folder


def service_of(name: str, addition: str = "") -> dict[str, Any]:
    """Return a service, as Compose merges it with that of a further file."""
    service = SERVICES[name]
    if not addition:
        return service
    changes = plain_yaml.load((COMPOSE / f"{addition}.yml").read_text())["services"][name]
    return {
        **service,
        **changes,
        "environment": {**service["environment"], **changes.get("environment", {})},
        "secrets": [*service["secrets"], *changes.get("secrets", [])],
    }


def secret_text(folder: Path, name: str) -> str:
    """Return a secret: as `dwgate accounts` wrote it to `folder`, or the example, filled in."""
    if (folder / name).is_file():
        return (folder / name).read_text()
    text = (COMPOSE / "secrets.example" / name).read_text()
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return text


def _interpolate(value: str, variables: Mapping[str, str] = VARIABLES) -> str:
    """Return `value` with variables replaced as Compose does it."""

    def replace(match: re.Match[str]) -> str:
        if match[1] in variables:
            return variables[match[1]]
        assert match["how"] == "-", f"{match[1]} must be set: {match['rest']}"
        return match["rest"]

    return _VARIABLE.sub(replace, value)


class ComposeValkey(ValkeyWithAccounts):
    """Valkey with the options of the service `redis`."""

    def _command(self) -> tuple[list[str], dict[str, str]]:
        server, *options = SERVICES["redis"]["command"]
        assert server == "redis-server"
        options = [str(self.acl_file) if part == f"{RUN_SECRETS}/{ACL_FILE}" else part for part in options]
        here = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory)]
        return [super()._command()[0][0], *options, *here], {}


@contextmanager
def running_services() -> Iterator[ComposeServices]:
    """Run the engines, the emulator, ingest and the workers of the Compose file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dwgate-compose-")))
        for name in ("rabbitmq", "redis", "logs"):
            (folder / name).mkdir()
        broker, ledger = RabbitMQWithAccounts(folder / "rabbitmq"), ComposeValkey(folder / "redis")
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
        services = ComposeServices(gate, folder)
        services.start_all()
        yield services
