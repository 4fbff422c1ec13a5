"""The addresses in the URL of an engine, and what the settings accept."""

from __future__ import annotations

import pytest

from common.engines.urls import Address, addresses_of, hosts_text, with_user
from common.settings import BrokerSettings, LedgerSettings, SettingsError, load_settings

NODES = "amqps://u:p@a:5671/v;amqps://u:p@b:5672/v;amqps://u:p@c/v"
SENTINELS = "redis+sentinel://u:top-secret@a:26380,b,[::1]:26381/0?master=shop"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://u:p@a/v", [("a", 5672)]),
        ("amqp://u:p@[::1]:5673/v", [("::1", 5673)]),
        (NODES, [("a", 5671), ("b", 5672), ("c", 5671)]),
        (SENTINELS, [("a", 26380), ("b", 26379), ("::1", 26381)]),
        ("redis://:a;b@h/0", [("h", 6379)]),
    ],
)
def test_addresses(url: str, expected: list[tuple[str, int]]) -> None:
    assert list(addresses_of(url)) == expected


@pytest.mark.parametrize(
    ("url", "text"),
    [(NODES, "a:5671, b:5672, c"), (SENTINELS, "a:26380,b,[::1]:26381"), ("unix:///run/redis", "/run/redis")],
)
def test_hosts_are_shown_without_credentials(url: str, text: str) -> None:
    assert hosts_text(url) == text


def test_an_address_is_written_as_in_a_url() -> None:
    assert [str(Address("a", 1)), str(Address("::1", 2))] == ["a:1", "[::1]:2"]


def test_a_user_is_added_to_every_node() -> None:
    assert with_user("amqp://a:1/v;amqp://b:2/v", "u", "p") == "amqp://u:p@a:1/v;amqp://u:p@b:2/v"
    assert with_user("redis+sentinel://a,b/0", "u", "p") == "redis+sentinel://u:p@a,b/0"


def refusal(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> str:
    """Return the only line that a wrong URL is refused with."""
    monkeypatch.setenv("DWGATE_EXTENSION_CODE", "ext")
    monkeypatch.setenv(name, url)
    model = BrokerSettings if name == "DWGATE_BROKER_URL" else LedgerSettings
    with pytest.raises(SettingsError) as raised:
        load_settings(model)
    [line] = str(raised.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert "top-secret" not in line
    return line.removeprefix(f"{name}: ").partition("; expected ")[0]


DIFFERENT = "the addresses may differ in host and port only"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("amqp://u:top-secret@a/v;amqp://u:other@b/v", DIFFERENT),
        ("amqp://u:top-secret@a/v;amqp://u:top-secret@b/w", DIFFERENT),
        ("amqp://u:top-secret@a/v;amqps://u:top-secret@b/v", DIFFERENT),
        ("amqp://u:top-secret@a/v;", "not a URL of the form amqp://…"),
        ("amqp://u:top-secret@a/v;b:5672", "not a URL of the form amqp://…"),
        ("amqp://u:top-secret;x@a/v", "not a URL of the form amqp://…"),
        ("amqp://u:top-secret@a/v;amqp://u:top-secret@/v", "an address has no host"),
        ("amqp://u:top-secret@a:x/v", "an address has no port from 1 to 65535"),
        ("amqp://u:top-secret@a:0/v", "an address has no port from 1 to 65535"),
        ("amqp://u:top-secret@a:5672,b:5672/v", "an address has no port from 1 to 65535"),
        ("amqp://u:top-secret/2@a:5672/v", "an address has no port from 1 to 65535"),
        ("amqp://u:top-secret@[::1/v", "brackets of an IPv6 address do not match"),
        ("amqp://u:top-secret@a/v;amqp://u:top-secret@b/v?ssl=0", "unsupported option"),
        ("redis://:top-secret@a/0;redis://:top-secret@b/0", "only RabbitMQ has several URLs"),
        ("redis+sentinel://:top-secret@a:1,:2/0", "an address has no host"),
        ("redis+sentinel://:top-secret@a:1,b:port/0", "an address has no port from 1 to 65535"),
        ("redis+sentinel://:top-secret@a:1/mymaster/0", "the database after the host is not a number"),
        ("redis+sentinel://:top-secret@a:1/0?master=", "the option master has no value"),
        ("sentinel://:top-secret@a:1/0", "not a URL of the form amqp://…"),
    ],
)
def test_a_wrong_address_of_the_broker_is_one_line(
    monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    assert refusal(monkeypatch, "DWGATE_BROKER_URL", url).startswith(reason)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis+sentinel://:top-secret@a:1,b:port/0", "an address has no port from 1 to 65535"),
        ("rediss+sentinel://:top-secret@a:1/0?name=shop", "unsupported option"),
        ("redis://:top-secret@a/0;redis://:top-secret@b/0", "only RabbitMQ has several URLs"),
    ],
)
def test_a_wrong_address_of_the_ledger_is_one_line(
    monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    assert refusal(monkeypatch, "DWGATE_REDIS_URL", url).startswith(reason)


@pytest.mark.parametrize("url", [NODES, SENTINELS, "redis://:a;b@h/0", "rediss+sentinel://a/"])
def test_several_addresses_are_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DWGATE_EXTENSION_CODE", "ext")
    monkeypatch.setenv("DWGATE_BROKER_URL", url)
    settings = load_settings(BrokerSettings)
    assert settings.broker_url.get_secret_value() == url
    assert settings.uses_rabbitmq == (url == NODES)
