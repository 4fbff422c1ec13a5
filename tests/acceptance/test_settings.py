"""Each role with a missing or wrong setting: exit 2, one line that names it and what is expected."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.measured import MEASURED

DWGATE = Path(sys.executable).with_name("dwgate")
"""Generous: the machine may be busy with other tests."""

SHARED = {
    "DWGATE_EXTENSION_CODE": "ext",
    "DWGATE_REDIS_URL": "redis://:top-secret@127.0.0.1:1/0",
    "DWGATE_BROKER_URL": "amqp://u:top-secret@127.0.0.1:1/",
    "DWGATE_REGION": "cn-shanghai",
}
RECEIVING = {
    "DWGATE_EVENTBRIDGE_TARGET_URLS": "https://gate.example.com/events",
    "DWGATE_EVENTBRIDGE_TOKENS": "top-secret-0123456789-made-up",
    "DWGATE_EVENTBRIDGE_ACCOUNTS": "1023456789012345",
}
ROLES: dict[str, dict[str, str]] = {
    "ingest": {**SHARED, **RECEIVING},
    "ingest --source amqp": {
        **SHARED,
        "DWGATE_EVENTBRIDGE_ACCOUNTS": "1023456789012345",
        "DWGATE_SOURCE_URL": "amqp://u:top-secret@127.0.0.1:1/",
        "DWGATE_SOURCE_QUEUE": "eventbridge.events",
    },
    "worker": SHARED,
    "flower": {
        "DWGATE_BROKER_URL": SHARED["DWGATE_BROKER_URL"],
        "DWGATE_EXTENSION_CODE": "ext",
        "DWGATE_FLOWER_USERS": "me:top-secret",
    },
    "emulator": {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "local",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "top-secret",
        "DWGATE_EXTENSION_CODE": "ext",
    },
}
MISSING = [
    (role, name)
    for role, settings in ROLES.items()
    for name in settings
    if role != "ingest --source amqp" or name not in SHARED  # these are read as without the option
]
WRONG = [
    ("ingest", "DWGATE_BROKER_URL", "http://top-secret", "amqp://"),
    ("ingest", "DWGATE_REDIS_URL", "top-secret", "redis://"),
    ("ingest", "DWGATE_NAMESPACE", "a.b", "up to 64 letters"),
    ("ingest", "DWGATE_REGION", "cn-nowhere", "one of cn-beijing"),
    ("ingest", "DWGATE_LOG_LEVEL", "loud", "debug, info, warning or error"),
    ("ingest", "DWGATE_EVENTBRIDGE_TARGET_URLS", "gate.example.com", "the URL exactly as set"),
    ("ingest", "DWGATE_EVENTBRIDGE_ACCOUNTS", "somebody", "account UID"),
    ("ingest", "DWGATE_EVENTBRIDGE_TOKENS", "top-secret", "at least 24"),
    ("ingest", "DWGATE_BROKER_URL", "amqp://dwgate:BROKER-PASSWORD@rabbitmq:5672/%2F", "placeholder"),
    ("ingest", "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE", "/nowhere.pem", "a PEM file"),
    ("ingest --source amqp", "DWGATE_SOURCE_URL", "redis://:top-secret@h/", "amqp://user:password@host"),
    ("worker", "DWGATE_SECRETS_DIR", "/nowhere", "no such folder"),
    ("worker", "DWGATE_OPENAPI_ENDPOINT", "https://top-secret", "without https://"),
    ("worker", "DWGATE_OPENAPI_READ_QPS", "0", "1 to 1000"),
    ("worker", "DWGATE_OPENAPI_PROTOCOL", "ftp", "https or http"),
    ("worker", "DWGATE_BROKER_TOPOLOGY", "maybe", "declare"),
    ("flower", "DWGATE_FLOWER_USERS", "top-secret", "user:password pairs"),
    ("flower", "DWGATE_FLOWER_USERS", "watcher:FLOWER-PASSWORD", "placeholder"),
]


def start(role: str, settings: dict[str, str]) -> list[str]:
    """Start a role that must end by itself; return the lines on stderr."""
    options = ["--port=0"] if role != "worker" else []
    answer = subprocess.run(
        [DWGATE, *role.split(), *options],
        env={**MEASURED, "PATH": "/usr/bin:/bin", **settings},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2, answer.stderr
    assert answer.stdout == ""
    assert "top-secret" not in answer.stderr
    return answer.stderr.splitlines()


@pytest.mark.parametrize(("role", "name"), MISSING)
def test_a_missing_setting(role: str, name: str) -> None:
    settings = {other: value for other, value in ROLES[role].items() if other != name}
    (line,) = start(role, settings)
    assert line.startswith(f"dwgate: {name}: missing; expected ")


@pytest.mark.parametrize(("role", "name", "value", "expected"), WRONG)
def test_a_wrong_setting(role: str, name: str, value: str, expected: str) -> None:
    (line,) = start(role, {**ROLES[role], name: value})
    assert line.startswith(f"dwgate: {name}: ")
    assert expected in line


def test_secrets_are_read_from_the_named_folder(tmp_path: Path) -> None:
    settings = {name: value for name, value in SHARED.items() if name != "DWGATE_BROKER_URL"}
    (tmp_path / "dwgate_broker_url").write_text("http://top-secret")
    (line,) = start("worker", {**settings, "DWGATE_SECRETS_DIR": str(tmp_path)})
    assert line.startswith("dwgate: DWGATE_BROKER_URL: not a URL")


def test_a_wrong_policy_names_the_place(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\npoints:\n  commit-file: {deadline: 1}\n")
    # The engines of these settings are down, which a worker only logs.
    *_, line = start("worker", {**SHARED, "DWGATE_POLICY_FILE": str(file)})
    assert line.startswith(f"dwgate: {file}:3:")


@pytest.mark.parametrize("role", ["ingest", "ingest --source amqp"])
def test_nothing_set_names_every_setting_at_once(role: str) -> None:
    lines = start(role, {})
    assert {line.split(": ")[1] for line in lines} == ROLES[role].keys()
