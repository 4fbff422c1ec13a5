"""TLS arguments and the settings that they come from."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from common.settings import BrokerSettings, Settings, SettingsError, load_settings
from common.tls import SYSTEM_STORE, TlsFiles, create_context, tls_options
from tests.support.certificates import Authority

BASE = {
    "DWGATE_BROKER_URL": "amqps://u:p@host/",
    "DWGATE_REDIS_URL": "rediss://:p@host/0",
    "DWGATE_EXTENSION_CODE": "ext",
    "DWGATE_REGION": "cn-shanghai",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in BASE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "url", ["amqp://host/", "redis://host/0", "unix:///socket", "redis+sentinel://a:1,b:2/0"]
)
def test_a_scheme_without_tls_has_no_arguments(url: str) -> None:
    assert tls_options(url, TlsFiles(Path("ca.pem"))) is None


@pytest.mark.parametrize("url", ["rediss://h/0", "rediss+sentinel://a:1,b:2/0?master=m", "amqps://h:5671/"])
def test_certificate_and_host_name_are_always_verified(url: str) -> None:
    options = tls_options(url, SYSTEM_STORE) or {}
    names = {name.removeprefix("ssl_").removeprefix("tls_"): value for name, value in options.items()}
    assert names["cert_reqs"] is ssl.CERT_REQUIRED
    assert names.get("check_hostname") or names["server_hostname"] == "h"
    assert (names.get("min_version") or names["minimum_version"]) is ssl.TLSVersion.TLSv1_2


def test_the_context_verifies_as_well() -> None:
    context = create_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] == ssl.create_default_context().cert_store_stats()["x509_ca"]


def test_the_ca_file_replaces_the_system_s_store(tmp_path: Path) -> None:
    context = create_context(TlsFiles(Authority(tmp_path).ca_file))
    assert context.cert_store_stats()["x509_ca"] == 1


def error_of(monkeypatch: pytest.MonkeyPatch, **settings: object) -> str:
    for name, value in settings.items():
        monkeypatch.setenv(f"DWGATE_{name.upper()}", str(value))
    with pytest.raises(SettingsError) as raised:
        load_settings(Settings)
    (line,) = str(raised.value).splitlines()
    return line


def test_files_are_read_at_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("client")
    both = tmp_path / "both.pem"
    both.write_bytes(pair.cert_file.read_bytes() + pair.key_file.read_bytes())
    monkeypatch.setenv("DWGATE_TLS_CA_FILE", str(authority.ca_file))
    monkeypatch.setenv("DWGATE_TLS_CERT_FILE", str(both))
    assert load_settings(BrokerSettings).tls_files == TlsFiles(authority.ca_file, both, None)
    monkeypatch.setenv("DWGATE_TLS_CERT_FILE", str(pair.cert_file))
    monkeypatch.setenv("DWGATE_TLS_KEY_FILE", str(pair.key_file))
    assert load_settings(BrokerSettings).tls_files == TlsFiles(authority.ca_file, *_files(pair))


def _files(pair: object) -> tuple[Path, Path]:
    return pair.cert_file, pair.key_file  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["tls_ca_file", "tls_cert_file"])
@pytest.mark.parametrize("reason", ["No such file or directory", "Is a directory"])
def test_a_file_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, reason: str
) -> None:
    file = tmp_path if reason.startswith("Is") else tmp_path / "missing.pem"
    line = error_of(monkeypatch, **{name: file})
    assert line.startswith(f"DWGATE_{name.upper()}: {file}: {reason}; expected a PEM file")


@pytest.mark.parametrize("content", ["", "no certificate\n", "key"])
def test_a_ca_file_without_a_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "wrong.pem"
    file.write_bytes(
        Authority(tmp_path).issue("x").key_file.read_bytes() if content == "key" else content.encode()
    )
    assert "contains no CA certificate in PEM format" in error_of(monkeypatch, tls_ca_file=file)


def test_a_key_of_another_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    line = error_of(monkeypatch, tls_cert_file=one.cert_file, tls_key_file=other.key_file)
    assert line.startswith("DWGATE_TLS_KEY_FILE: ")
    assert "not a matching pair" in line


def test_a_missing_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("one")
    assert "not a matching pair" in error_of(monkeypatch, tls_cert_file=pair.cert_file)


def test_a_key_without_a_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("one")
    line = error_of(monkeypatch, tls_key_file=pair.key_file)
    assert line.startswith("DWGATE_TLS_KEY_FILE: DWGATE_TLS_CERT_FILE is missing; expected ")


def test_a_key_with_a_passphrase_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("one")
    key = serialization.load_pem_private_key(pair.key_file.read_bytes(), None)
    pair.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    line = error_of(monkeypatch, tls_cert_file=pair.cert_file, tls_key_file=pair.key_file)
    assert "without a passphrase" in line


WEAKENING = [
    ("DWGATE_REDIS_URL", "rediss://:top-secret@h/0?ssl_cert_reqs=none"),
    ("DWGATE_REDIS_URL", "rediss://:top-secret@h/0?ssl_check_hostname=false"),
    ("DWGATE_REDIS_URL", "rediss://:top-secret@h/0?ssl_ca_certs=/other.pem"),
    ("DWGATE_REDIS_URL", "rediss://:top-secret@h/0?SSL_CERT_REQS=none"),
    ("DWGATE_REDIS_URL", "rediss://:top-secret@h/0?connection_class=x"),
    ("DWGATE_REDIS_URL", "rediss://:top-secret@h/0?verify"),
    ("DWGATE_REDIS_URL", "rediss+sentinel://:top-secret@h/0?master=m&ssl_cert_reqs=none"),
    ("DWGATE_BROKER_URL", "rediss://:top-secret@h/0?ssl_cert_reqs=CERT_NONE"),
    ("DWGATE_BROKER_URL", "amqps://u:top-secret@h/?no_verify_ssl=1"),
    ("DWGATE_BROKER_URL", "amqps://u:top-secret@h/?verify=verify_none"),
    ("DWGATE_BROKER_URL", "amqps://u:top-secret@h/?cafile=/other.pem"),
    ("DWGATE_BROKER_URL", "amqps://u:top-secret@h/?transport=memory"),
]


@pytest.mark.parametrize(("name", "url"), WEAKENING)
def test_an_option_in_a_url_cannot_weaken_it(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(name, url)
    line = error_of(monkeypatch)
    assert line.startswith(f"{name}: ")
    assert "DWGATE_TLS_CA_FILE" in line
    assert "secret" not in line


@pytest.mark.parametrize(
    "url",
    [
        "unix:///run/redis.sock?db=1",
        "redis+sentinel://u:p@h:26379,h2/0?master=m&sentinel_username=s&sentinel_password=q",
        "rediss+sentinel://h/0?master=m",
    ],
)
def test_other_options_remain(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DWGATE_REDIS_URL", url)
    assert load_settings(Settings).redis_url.get_secret_value() == url
