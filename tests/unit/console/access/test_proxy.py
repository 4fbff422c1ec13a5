"""Headers count only from the addresses of trusted proxies."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from console.access.proxy import TrustedProxy

PROXY = TrustedProxy((ip_network("10.0.0.0/28"), ip_network("::1/128")), "X-Forwarded-User")


def connection(address: str | None, *headers: tuple[str, str]) -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return HTTPConnection({"type": "http", "client": address and (address, 1), "headers": raw})


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("10.0.0.3", [("X-Forwarded-User", "lin")], "lin"),
        ("::1", [("X-Forwarded-User", "lin")], "lin"),
        ("10.0.0.16", [("X-Forwarded-User", "lin")], None),
        (None, [("X-Forwarded-User", "lin")], None),
        ("unix", [("X-Forwarded-User", "lin")], None),
        ("10.0.0.3", [], None),
        ("10.0.0.3", [("X-Forwarded-User", " ")], None),
        ("10.0.0.3", [("X-Forwarded-User", "root"), ("X-Forwarded-User", "lin")], None),
    ],
)
def test_a_name_is_that_of_one_header_from_a_trusted_address(
    address: str | None, headers: list[tuple[str, str]], expected: str | None
) -> None:
    assert PROXY.user_name(connection(address, *headers)) == expected


@pytest.mark.parametrize(
    ("address", "forwarded", "expected"),
    [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.3", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.3", "203.0.113.7, 198.51.100.9, 10.0.0.4", "198.51.100.9"),
        ("10.0.0.3", "nonsense", "10.0.0.3"),
        ("10.0.0.3", "", "10.0.0.3"),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(
    address: str, forwarded: str, expected: str
) -> None:
    assert PROXY.client_address(connection(address, ("X-Forwarded-For", forwarded))) == expected
