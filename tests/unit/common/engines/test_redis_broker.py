"""Redis as the broker: what kombu gets for a URL of the settings."""

from __future__ import annotations

import pytest
from kombu import Connection

from common.engines.redis_broker import kombu_options, kombu_url
from common.tls import SYSTEM_STORE

TIMEOUTS = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0}
SENTINELS = "{}://u:p%3B1@a:1,b/2?master=shop&sentinel_username=watcher&sentinel_password=top-secret"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://:p@h:1/0", "redis://:p@h:1/0"),
        ("redis://:p;1@h/0", "redis://:p%3B1@h/0"),
        (
            SENTINELS.format("rediss+sentinel"),
            "sentinel://u:p%3B1@a:1/2;sentinel://u:p%3B1@b:26379/2",
        ),
        ("redis+sentinel://a:1", "sentinel://a:1/0"),
    ],
)
def test_the_url_of_kombu(url: str, expected: str) -> None:
    assert kombu_url(url) == expected


def test_kombu_reads_the_credentials_of_the_master() -> None:
    connection = Connection(kombu_url(SENTINELS.format("redis+sentinel")))
    assert (connection.userid, connection.password, connection.virtual_host) == ("u", "p;1", "2")
    assert len(connection.alt) == 2


def test_options_without_sentinel_are_the_timeouts() -> None:
    assert kombu_options("redis://h/0", SYSTEM_STORE, TIMEOUTS) == TIMEOUTS


@pytest.mark.parametrize(("scheme", "has_tls"), [("redis+sentinel", False), ("rediss+sentinel", True)])
def test_options_of_sentinel(scheme: str, *, has_tls: bool) -> None:
    options = kombu_options(SENTINELS.format(scheme), SYSTEM_STORE, TIMEOUTS)
    assert options["master_name"] == "shop"
    of_sentinel = options["sentinel_kwargs"]
    assert (of_sentinel["username"], of_sentinel["password"]) == ("watcher", "top-secret")
    assert of_sentinel["ssl"] == has_tls
    assert of_sentinel.get("ssl_check_hostname", False) == has_tls
    assert of_sentinel["socket_timeout"] == 5.0


def test_the_name_of_the_master_has_a_default() -> None:
    assert kombu_options("redis+sentinel://a", SYSTEM_STORE, TIMEOUTS)["master_name"] == "mymaster"
