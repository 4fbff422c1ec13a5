"""docker-compose.yml: closed, healthy, and true to the settings and commands that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from common.settings import PREFIX, BrokerSettings
from common.topology import Topology
from console.flower.settings import FlowerSettings
from console.web.settings import ConsoleSettings
from deploy.accounts.secret_files import write_files
from ingest.settings import IngestSettings, QueueIngestSettings
from tests.support import plain_yaml
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
FILE: dict[str, Any] = plain_yaml.load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("dwgate:")}
SETTINGS: dict[str, type[BrokerSettings]] = {
    "ingest": IngestSettings,
    "worker": WorkerSettings,
    "console": ConsoleSettings,
    "flower": FlowerSettings,
    "doctor": WorkerSettings,
}
ACCOUNTS = {"worker-checks": "checks", "worker-io": "io"}
"""Accounts of services that have another name."""

every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_running = pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"operator"}))
every_own = pytest.mark.parametrize("name", sorted(OURS))


def settings_of(name: str) -> type[BrokerSettings]:
    return SETTINGS[OURS[name]["command"][0]]


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    """Return the secrets of a service, by the name under which it reads them."""
    items = [{"source": item} if isinstance(item, str) else item for item in service["secrets"]]
    return {item.get("target", item["source"]): item["source"] for item in items}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of `dwgate accounts` with its defaults."""
    folder = tmp_path_factory.mktemp("secrets")
    write_files(
        folder,
        broker_url="amqp://rabbitmq:5672/%2F",
        redis_url="redis://redis:6379/0",
        extension_code="my-extension-code",
        topology=Topology("my-extension-code"),
    )
    return folder


@every_service
def test_service_is_closed(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in ("0", "root", "0:0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert not {"privileged", "cap_add", "network_mode", "pid", "container_name"} & service.keys()


@every_running
def test_service_is_bounded_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["healthcheck"].keys() >= {"test", "interval", "timeout", "retries", "start_period"}
    assert service["restart"] == "unless-stopped"
    assert "stop_grace_period" in service
    assert "max-size" in service["logging"]["options"]


@every_service
def test_image_is_pinned(name: str) -> None:
    assert re.search(r":[\w${}:.-]*\d+\.\d+", SERVICES[name]["image"])


@every_own
def test_own_service_waits_for_its_engines(name: str) -> None:
    waits = OURS[name]["depends_on"]
    assert "rabbitmq" in waits
    assert {wait["condition"] for wait in waits.values()} == {"service_healthy"}
    assert OURS[name]["user"] == "10001:10001"


def test_only_ingest_and_the_console_publish() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"ingest", "console"}
    assert all(port.startswith("127.0.0.1:") for port in published["console"])
    assert all("edge" in SERVICES[name]["networks"] for name in published)


def test_backend_leads_nowhere() -> None:
    assert FILE["networks"]["backend"] == {"internal": True}
    inside = {name for name, service in SERVICES.items() if service["networks"] == ["backend"]}
    assert inside == {"rabbitmq", "redis", "flower", "worker-checks"}


def test_every_secret_is_a_file_that_is_generated_or_has_an_example(generated: Path) -> None:
    used = {secret for service in SERVICES.values() for secret in secrets_of(service).values()}
    assert used == FILE["secrets"].keys()
    for name, secret in FILE["secrets"].items():
        assert secret == {"file": f"deploy/compose/secrets/{name}"}
    made = {file.name for file in generated.iterdir()}
    examples = {file.name for file in (COMPOSE / "secrets.example").iterdir()}
    assert made | examples == used
    assert not made & examples


@every_own
def test_service_has_its_own_accounts_only(name: str) -> None:
    account = ACCOUNTS.get(name, name)
    urls = {source for target, source in secrets_of(OURS[name]).items() if target.endswith("_url")}
    assert urls <= {f"{account}_broker_url", f"{account}_redis_url"}
    assert not {"rabbitmq_definitions", "redis_acl"} & secrets_of(OURS[name]).keys()


def test_every_configuration_is_there() -> None:
    for config in FILE["configs"].values():
        assert (ROOT / config["file"]).is_file()


@every_own
def test_what_a_service_is_given_is_what_it_reads(name: str) -> None:
    fields = settings_of(name).model_fields
    given = {secret for secret in secrets_of(OURS[name]) if secret.startswith(PREFIX.lower())}
    given |= {key.lower() for key in OURS[name]["environment"] if key.startswith(PREFIX)}
    assert given <= {PREFIX.lower() + field for field in fields}
    must = {PREFIX.lower() + field for field, info in fields.items() if info.is_required()}
    assert must <= given


@every_own
def test_no_secret_stands_in_the_environment(name: str) -> None:
    secret = {
        PREFIX + field.upper()
        for field, info in settings_of(name).model_fields.items()
        if "SecretStr" in str(info.annotation)
    }
    assert not secret & OURS[name]["environment"].keys()


def example_settings(
    name: str, monkeypatch: pytest.MonkeyPatch, generated: Path, folder: Path, *, is_filled: bool
) -> BrokerSettings:
    """Return the settings of a service from the example files, with or without its placeholders replaced."""
    example = dict(
        line.split("=", 1)
        for line in (COMPOSE / ".env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    for key, value in OURS[name]["environment"].items():
        if key.startswith(PREFIX) and "${" in value:
            variable = re.match(r"\$\{(\w+)", value)
            assert variable, value
            monkeypatch.setenv(key, example[variable[1]])
    for target, source in secrets_of(OURS[name]).items():
        origin = generated if (generated / source).exists() else COMPOSE / "secrets.example"
        text = (origin / source).read_text()
        filled = re.sub(r"[A-Z]+-(PASSWORD|TOKEN|KEY)", "0123456789abcdef" * 4, text)
        (folder / target).write_text(filled if is_filled else text)
    return settings_of(name)(_env_file=None, _secrets_dir=folder)


@every_own
def test_examples_are_settings(
    name: str, monkeypatch: pytest.MonkeyPatch, generated: Path, tmp_path: Path
) -> None:
    settings = example_settings(name, monkeypatch, generated, tmp_path, is_filled=True)
    assert settings.broker_url.get_secret_value().endswith("@rabbitmq:5672/%2F")
    assert "0123456789abcdef" not in repr(settings)


@pytest.mark.parametrize("name", ["ingest", "flower"])
def test_placeholders_of_the_examples_are_rejected(
    name: str, monkeypatch: pytest.MonkeyPatch, generated: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match="is the placeholder of the example file"):
        example_settings(name, monkeypatch, generated, tmp_path, is_filled=False)


@every_own
def test_command_is_understood(name: str) -> None:
    dwgate = Path(sys.executable).with_name("dwgate")
    command = [str(dwgate), *SERVICES[name]["command"], "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("file", sorted(COMPOSE.glob("*.yml")), ids=lambda file: str(file.stem))
def test_addition_names_services_that_there_are_or_adds_its_own(file: Path) -> None:
    services = plain_yaml.load(file.read_text())["services"]
    assert services.keys() <= SERVICES.keys() | {file.stem}


def test_prometheus_is_closed_and_reaches_every_target() -> None:
    service = plain_yaml.load((COMPOSE / "prometheus.yml").read_text())["services"]["prometheus"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert re.search(r":v\d+\.\d+", service["image"])
    assert service["ports"] == ["127.0.0.1:9090:9090"], "its pages have no password"
    assert "backend" in service["networks"]
    config = plain_yaml.load((ROOT / "deploy" / "observability" / "prometheus.yml").read_text())
    targets = {
        name: item["port"] for item in config["scrape_configs"][0]["dns_sd_configs"] for name in item["names"]
    }
    ports = {
        name: port
        for name, own in OURS.items()
        if own["command"][0] in ("ingest", "worker")
        for port in re.findall(r"--(?:metrics-)?port[=,](\d+)", ",".join(own["command"]))
    }
    assert targets == {name: int(port) for name, port in ports.items()}
    assert all("backend" in OURS[name]["networks"] for name in targets)


FIXED = {"DWGATE_FLOWER_BROKER_API", "DWGATE_CONSOLE_OPEN"}
"""The management API of the Compose file's own RabbitMQ is at its default address; and the console listens on
every address of its container, so it is never open."""


def test_every_setting_of_the_page_can_be_set() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    settings = set(re.findall(r"^\| `(DWGATE_\w+)` \|", page, re.MULTILINE))
    given = {name for service in OURS.values() for name in service["environment"]}
    given |= {name.upper() for service in OURS.values() for name in secrets_of(service)}
    additions = [plain_yaml.load(file.read_text()) for file in COMPOSE.glob("*.yml")]
    given |= {name.upper() for addition in additions for name in addition.get("secrets", {})}
    parts = [part for addition in additions for part in addition["services"].values()]
    given |= {name for part in parts for name in part.get("environment", {})}
    assert settings - given == FIXED


FILES = [ROOT / "docker-compose.yml", *sorted(COMPOSE.glob("*.yml"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_every_variable_is_in_the_example_once(file: Path) -> None:
    example = re.findall(r"^(\w+)=", (COMPOSE / ".env.example").read_text(), re.MULTILINE)
    assert len(example) == len(set(example))
    assert set(re.findall(r"\$\{(\w+)", file.read_text())) <= {*example, "DWGATE_VERSION"}


def test_the_proxy_is_closed() -> None:
    service = plain_yaml.load((COMPOSE / "proxy.yml").read_text())["services"]["proxy"]
    assert service["user"] == "101:101"
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["networks"] == ["edge"], "it reaches no engine"
    assert all("edge" in OURS[name]["networks"] for name in ("ingest", "console"))


def test_the_queue_source_has_what_it_reads() -> None:
    addition = plain_yaml.load((COMPOSE / "source-amqp.yml").read_text())["services"]
    assert addition.keys() == {"ingest"}
    ingest = addition["ingest"]
    given = {PREFIX.lower() + field for field in QueueIngestSettings.model_fields}
    own = {name.lower() for name in ingest["environment"]} | set(ingest["secrets"])
    assert own <= given
    base = {name.lower() for name in OURS["ingest"]["environment"]} | set(secrets_of(OURS["ingest"]))
    required = {
        PREFIX.lower() + name for name, info in QueueIngestSettings.model_fields.items() if info.is_required()
    }
    assert required <= base | own
    assert ingest["command"][1:3] == ["--source", "amqp"]
    assert ingest["command"][3:] == OURS["ingest"]["command"][1:], "the same port, for health and Prometheus"
    assert "edge" in OURS["ingest"]["networks"], "it leads to the source"


def test_own_keys_are_given_to_whoever_signs_and_verifies() -> None:
    services = plain_yaml.load((COMPOSE / "keys.yml").read_text())["services"]
    given = {name: set(service["secrets"]) for name, service in services.items()}
    assert given.pop("console") == {"dwgate_link_key", "dwgate_console_key"}
    assert given == {key: {"dwgate_link_key"} for key in ("worker-io", "watchdog", "operator")}
