from __future__ import annotations

from pathlib import Path

import pytest

from common.settings import SettingsError, load_settings
from workers.settings import WorkerSettings

BASE = {
    "DWGATE_BROKER_URL": "redis://127.0.0.1:6379/0",
    "DWGATE_REDIS_URL": "redis://127.0.0.1:6379/0",
    "DWGATE_EXTENSION_CODE": "ext",
    "DWGATE_REGION": "cn-shanghai",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in BASE.items():
        monkeypatch.setenv(name, value)


def test_the_endpoint_is_the_region_s_by_default() -> None:
    settings = load_settings(WorkerSettings)
    assert settings.endpoint == "dataworks.cn-shanghai.aliyuncs.com"
    assert (settings.openapi_protocol, settings.openapi_read_qps, settings.openapi_write_qps) == (
        "https",
        50,
        20,
    )
    assert (settings.policy_file, settings.lookup_cache_seconds) == (None, 60)


@pytest.mark.parametrize(
    "value", ["dataworks-vpc.cn-shanghai.aliyuncs.com", "127.0.0.1:8080", "localhost", "[::1]:80"]
)
def test_an_endpoint_may_be_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DWGATE_OPENAPI_ENDPOINT", value)
    assert load_settings(WorkerSettings).endpoint == value


@pytest.mark.parametrize(
    "value", ["https://a.b", "a.b/c", "a b", "a:0", "a:70000", "a:", "user@host", "a.b\n"]
)
def test_an_endpoint_is_a_host_and_perhaps_a_port(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DWGATE_OPENAPI_ENDPOINT", value)
    with pytest.raises(
        SettingsError, match=r"DWGATE_OPENAPI_ENDPOINT: .*; expected host or host:port"
    ) as raised:
        load_settings(WorkerSettings)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DWGATE_OPENAPI_READ_QPS", "0"),
        ("DWGATE_OPENAPI_WRITE_QPS", "1001"),
        ("DWGATE_OPENAPI_WRITE_QPS", "many"),
        ("DWGATE_OPENAPI_PROTOCOL", "ftp"),
        ("DWGATE_LOOKUP_CACHE_SECONDS", "0"),
        ("DWGATE_FINGERPRINT_KEY", "FINGERPRINT-KEY"),
    ],
)
def test_a_wrong_value_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: .*expected ") as raised:
        load_settings(WorkerSettings)
    assert len(str(raised.value).splitlines()) == 1


def test_the_fingerprint_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWGATE_FINGERPRINT_KEY", "k" * 31 + "!")
    settings = load_settings(WorkerSettings)
    assert settings.fingerprint_key
    assert settings.fingerprint_key.get_secret_value() == "k" * 31 + "!"
    assert "kkk" not in repr(settings)
