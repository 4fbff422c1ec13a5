"""Redis as the broker: its URL and the options of Sentinel as kombu, Celery and Flower expect them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from common.engines.urls import addresses_of
from common.ledger.redis_client import master_name, sentinel_options
from common.tls import TlsFiles


def kombu_url(url: str) -> str:
    """Return the URL of Redis for kombu; with Sentinel one URL for each of them, separated by semicolons."""
    parts = urlsplit(url.replace(";", "%3B"))
    if not parts.scheme.endswith("+sentinel"):
        return parts.geturl()
    credentials, at, _ = parts.netloc.rpartition("@")
    return ";".join(
        f"sentinel://{credentials}{at}{address}/{parts.path.removeprefix('/') or 0}"
        for address in addresses_of(url)
    )


def kombu_options(url: str, tls: TlsFiles, timeouts: Mapping[str, float]) -> dict[str, Any]:
    """Return the transport options of kombu that depend on the URL of Redis.

    Args:
        url: the setting.
        tls: files for verified TLS.
        timeouts: `socket_timeout` and `socket_connect_timeout` in seconds.
    """
    if not urlsplit(url).scheme.endswith("+sentinel"):
        return dict(timeouts)
    return {
        **timeouts,
        "master_name": master_name(url),
        "sentinel_kwargs": sentinel_options(url, tls, timeouts),
    }
