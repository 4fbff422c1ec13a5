"""Users that a trusted proxy identifies, and the addresses of clients behind it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network


class TrustedProxy:
    """The proxies whose headers count; from every other address they are ignored.

    Args:
        networks: addresses of the proxies.
        header: the header with the user's name; the proxy must remove it from what clients send.
    """

    def __init__(self, networks: Sequence[Network], header: str) -> None:
        self._networks = networks
        self._header = header

    def user_name(self, connection: HTTPConnection) -> str | None:
        """Return the name that a trusted proxy reports; None if the request has none or is from elsewhere."""
        names = connection.headers.getlist(self._header)
        if len(names) != 1 or not names[0].strip() or not self._is_trusted(_peer(connection)):
            return None
        return names[0].strip()

    def client_address(self, connection: HTTPConnection) -> str:
        """Return the address of the client: the last one that no trusted proxy has (`X-Forwarded-For`)."""
        address = _peer(connection)
        hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        while hops and self._is_trusted(address):
            candidate = hops.pop().strip()
            if not _is_address(candidate):
                break
            address = candidate
        return address

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._networks)


def _peer(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
