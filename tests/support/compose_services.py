"""The services of docker-compose.yml as `tests.support.deployed_services` runs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from deploy.accounts.secret_files import ACL_FILE
from tests.support import deployed_services, plain_yaml
from tests.support.deployed_services import (
    ROOT,
    RUN_SECRETS,
    SETTINGS,
    DeployedServices,
    Service,
    secret_text,
)
from tests.support.engines_with_accounts import ValkeyWithAccounts
from tests.support.source_queue import QUEUE

COMPOSE = ROOT / "deploy" / "compose"
SERVICES: dict[str, dict[str, Any]] = plain_yaml.load((ROOT / "docker-compose.yml").read_text())["services"]

_VARIABLE = re.compile(r"\$\{(\w+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\}")
_STARTED = ("worker-io", "worker-checks", "watchdog", "ingest")
_PORTS = {"ingest": 8080}
_METRICS_PORT = 9100
_VARIABLES = {**SETTINGS, "DWGATE_SOURCE_QUEUE": QUEUE}


def describe(folder: Path) -> dict[str, Service]:
    """Return ingest and the workers, with secrets from the folder of `dwgate accounts`."""
    return {name: describe_service(folder, name) for name in _STARTED}


def describe_service(folder: Path, name: str, addition: str = "") -> Service:
    """Return one service.

    Args:
        folder: of `dwgate accounts`.
        name: of the service.
        addition: name of a further Compose file that changes the service; empty for none.
    """
    described = SERVICES[name] if not addition else _merged(name, addition)
    secrets = {}
    for item in described["secrets"]:
        source, target = (item, item) if isinstance(item, str) else (item["source"], item["target"])
        secrets[target] = secret_text(folder, source)
    [path] = re.findall(r"http://127\.0\.0\.1:\d+(/\w+)", " ".join(described["healthcheck"]["test"]))
    return Service(
        command=tuple(described["command"]),
        environment={key: _interpolate(str(value)) for key, value in described["environment"].items()},
        folders={RUN_SECRETS: secrets},
        port=_PORTS.get(name, _METRICS_PORT),
        probes=(path,),
        reaches_dataworks="egress" in described["networks"],
        replicas=described["deploy"].get("replicas", 1),
    )


def _merged(name: str, addition: str) -> dict[str, Any]:
    """Return a service, as Compose merges it with that of a further file."""
    service = SERVICES[name]
    changes = plain_yaml.load((COMPOSE / f"{addition}.yml").read_text())["services"][name]
    return {
        **service,
        **changes,
        "environment": {**service["environment"], **changes.get("environment", {})},
        "secrets": [*service["secrets"], *changes.get("secrets", [])],
    }


def _interpolate(value: str, variables: Mapping[str, str] = _VARIABLES) -> str:
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


def running_services() -> AbstractContextManager[DeployedServices]:
    """Run the engines, the emulator, ingest and the workers of the Compose file."""
    return deployed_services.running_services(describe, ComposeValkey)
