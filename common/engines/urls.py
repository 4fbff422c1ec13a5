"""The addresses in the URL of an engine.

A cluster of RabbitMQ has one URL per node, separated by semicolons, as kombu and Celery write it:
`amqp://user:password@host:5672/vhost;amqp://user:password@host2:5672/vhost`. A Redis with Sentinel has one
URL with all Sentinels: `redis+sentinel://user:password@host:26379,host2:26379/0?master=NAME`.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {
    "amqp": 5672,
    "amqps": 5671,
    "redis": 6379,
    "rediss": 6379,
    "redis+sentinel": 26379,
    "rediss+sentinel": 26379,
}
_MAX_PORT = 65535


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def node_urls(url: str) -> tuple[str, ...]:
    """Return the URL of each node that `url` names; only RabbitMQ has several."""
    return tuple(url.split(";")) if url.startswith(("amqp://", "amqps://")) else (url,)


def addresses_of(url: str) -> tuple[Address, ...]:
    """Return the addresses in `url`: of the nodes of RabbitMQ, of the Sentinels, or of Redis.

    Raises:
        ValueError: one of them cannot be read, or the nodes' URLs differ in more than host and port; the text
            quotes nothing of `url`, which contains a password.
    """
    nodes = [urlsplit(node) for node in node_urls(url)]
    found = tuple(address for node in nodes for address in _addresses(node))
    if len({_without_address(node) for node in nodes}) > 1:
        raise ValueError(
            "the addresses may differ in host and port only: scheme, user, password and virtual host belong"
            " to the cluster (a semicolon in a password is written as %3B)"
        )
    return found


def hosts_text(url: str) -> str:
    """Return the addresses in `url` as they are written there, or the path of its socket; no credentials."""
    nodes = [urlsplit(node) for node in node_urls(url)]
    return ", ".join(node.netloc.rpartition("@")[2] or node.path for node in nodes)


def with_user(url: str, user: str, password: str) -> str:
    """Return `url`, which has no user, with this one at each of its nodes."""
    nodes = [urlsplit(node) for node in node_urls(url)]
    return ";".join(node._replace(netloc=f"{user}:{password}@{node.netloc}").geturl() for node in nodes)


def _addresses(parts: SplitResult) -> tuple[Address, ...]:
    hosts = parts.netloc.rpartition("@")[2]
    several = hosts.split(",") if parts.scheme.endswith("+sentinel") else [hosts]
    return tuple(_address(host, _DEFAULT_PORTS.get(parts.scheme, 0)) for host in several)


def _address(text: str, default_port: int) -> Address:
    # The address itself may contain colons: [::1]:5672.
    closing = text.rfind("]") + 1
    host, port = (text[:closing], text[closing:]) if closing else (text, "")
    if not closing:
        host, colon, rest = text.partition(":")
        port = colon + rest
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise ValueError("an address has no host")
    if not port:
        return Address(host, default_port)
    number = port.removeprefix(":")
    if not (port.startswith(":") and number.isascii() and number.isdigit() and 0 < int(number) <= _MAX_PORT):
        raise ValueError(
            "an address has no port from 1 to 65535 (in a user or password / is written as %2F, ? as %3F,"
            " # as %23, @ as %40)"
        )
    return Address(host, int(number))


def _without_address(parts: SplitResult) -> tuple[str, ...]:
    return parts.scheme, parts.netloc.rpartition("@")[0], parts.path, parts.query, parts.fragment
