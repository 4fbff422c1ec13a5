from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.settings import SettingsError, load_settings
from common.tls import TlsFiles
from ingest.settings import QueueIngestSettings
from tests.support.certificates import Authority
from tests.support.eventbridge_signing import ACCOUNT

SETTINGS = {
    "DWGATE_BROKER_URL": "amqp://guest:guest@127.0.0.1:5672/",
    "DWGATE_REDIS_URL": "redis://127.0.0.1:6379/0",
    "DWGATE_EXTENSION_CODE": "made-up",
    "DWGATE_REGION": "cn-shanghai",
    "DWGATE_EVENTBRIDGE_ACCOUNTS": f"{ACCOUNT}, 42",
    "DWGATE_SOURCE_URL": "amqps://MjppOms%3D:top-secret@source.example.com:5671/dataworks",
    "DWGATE_SOURCE_QUEUE": "eventbridge.events",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_the_queue_source_needs_neither_token_nor_target_url() -> None:
    settings = load_settings(QueueIngestSettings)
    assert settings.accounts == {ACCOUNT, "42"}
    assert settings.source_prefetch == 100
    assert settings.source_tls_files == TlsFiles()
    assert "top-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EVENTBRIDGE_ACCOUNTS", None, "missing; expected UIDs of the Alibaba Cloud accounts"),
        ("EVENTBRIDGE_ACCOUNTS", " , ", "UIDs of the Alibaba Cloud accounts"),
        ("EVENTBRIDGE_ACCOUNTS", "top-secret", "is not an account UID"),
        ("SOURCE_URL", None, "missing; expected amqp://"),
        ("SOURCE_URL", "https://top-secret/", "not a URL of the form amqp://"),
        ("SOURCE_URL", "amqps://u:p@h/?verify=ignore", "TLS is configured by DWGATE_SOURCE_TLS_CA_FILE"),
        ("SOURCE_URL", "amqp://u:SOURCE-PASSWORD@h/", "placeholder of the example file"),
        ("SOURCE_QUEUE", None, "missing; expected name of the queue"),
        ("SOURCE_QUEUE", "q" * 256, "expected text of at most 255 characters"),
        ("SOURCE_PREFETCH", "0", "1 to 1000"),
        ("SOURCE_PREFETCH", "1001", "1 to 1000"),
        ("SOURCE_TLS_CA_FILE", "/nowhere.pem", "/nowhere.pem: No such file or directory"),
        ("SOURCE_TLS_CERT_FILE", "/nowhere.pem", "/nowhere.pem: No such file or directory"),
        ("SOURCE_TLS_KEY_FILE", "/nowhere.pem", "DWGATE_SOURCE_TLS_CERT_FILE is missing"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(
    environment: pytest.MonkeyPatch, name: str, value: str | None, expected: str
) -> None:
    if value is None:
        environment.delenv(f"DWGATE_{name}")
    else:
        environment.setenv(f"DWGATE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings(QueueIngestSettings)
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).startswith(f"DWGATE_{name}: ")
    assert expected in str(caught.value)


def test_the_source_has_tls_files_of_its_own(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("client")
    files: dict[str, Any] = {"CA": authority.ca_file, "CERT": pair.cert_file, "KEY": pair.key_file}
    for name, file in files.items():
        environment.setenv(f"DWGATE_SOURCE_TLS_{name}_FILE", str(file))
    settings = load_settings(QueueIngestSettings)
    assert settings.source_tls_files == TlsFiles(authority.ca_file, pair.cert_file, pair.key_file)
    assert settings.tls_files == TlsFiles()
