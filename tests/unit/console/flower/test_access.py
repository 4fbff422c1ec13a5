"""Flower's password gate, and the address of its management API."""

from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import ValidationError

from console.flower.access import PasswordGate
from console.flower.settings import FlowerSettings
from console.guess_lock import MAX_FAILURES, WINDOW_SECONDS

USERS = ["watcher:made-up", "admin:other"]


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def basic(credentials: str) -> str:
    return "Basic " + b64encode(credentials.encode()).decode()


@pytest.mark.parametrize("user", USERS)
def test_each_user_is_accepted(user: str) -> None:
    assert PasswordGate(USERS).check("1.2.3.4", basic(user))


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !",
        "Basic " + "=" * 5,
        "Bearer x",
        basic("watcher:"),
        basic("wätcher:made-up"),
        basic(""),
    ],
)
def test_anything_else_is_rejected(header: str) -> None:
    assert not PasswordGate(USERS).check("1.2.3.4", header)


def test_an_address_that_guesses_is_locked_out_for_a_while() -> None:
    clock = Clock()
    gate = PasswordGate(USERS, clock)
    for attempt in range(MAX_FAILURES):
        assert not gate.is_locked("1.2.3.4"), attempt
        gate.check("1.2.3.4", basic(f"watcher:{attempt}"))
    assert gate.is_locked("1.2.3.4")
    assert not gate.is_locked("1.2.3.5")
    clock.now = WINDOW_SECONDS - 0.1
    assert gate.is_locked("1.2.3.4")
    clock.now = WINDOW_SECONDS + 0.1
    assert not gate.is_locked("1.2.3.4")


def settings(broker_url: str, api: str | None = None) -> FlowerSettings:
    return FlowerSettings.model_validate(
        {
            "broker_url": broker_url,
            "extension_code": "ext",
            "flower_users": "a:bbbbbbbbbbbbbbbbbbbbbbbb",
            "flower_broker_api": api,
        }
    )


@pytest.mark.parametrize(
    ("broker_url", "api"),
    [
        ("amqp://u:p@host:5672/", "http://host:15672/api/"),
        ("amqps://u:p@host:5671/", "https://host:15671/api/"),
        ("amqps://u:p@[::1]/", "https://[::1]:15671/api/"),
        ("amqps://u:p@a:5671/v;amqps://u:p@b:5671/v", "https://a:15671/api/"),
    ],
)
def test_the_management_api_is_on_the_broker_s_host(broker_url: str, api: str) -> None:
    assert settings(broker_url).management_api == api


def test_the_management_api_may_be_elsewhere() -> None:
    api = "https://monitor:secret@balancer.example.com/api/"
    assert settings("amqps://u:p@host/", api).management_api == api
    assert settings("amqp://u:p@host/", "http://host:1/api/").management_api == "http://host:1/api/"


@pytest.mark.parametrize(
    ("broker_url", "api", "expected"),
    [
        ("amqps://u:p@host/", "http://host:15672/api/", "must not be sent over plain HTTP"),
        ("amqp://u:p@host/", "https://host:15672/", "ends with /api/"),
        ("amqp://u:p@host/", "ftp://host/api/", "not an http"),
    ],
)
def test_a_wrong_management_api(broker_url: str, api: str, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(broker_url, api)
