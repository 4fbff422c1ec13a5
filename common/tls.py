"""TLS to the engines: what a client library needs to verify the broker, Redis and Sentinel.

The server's certificate is always required and verified, its host name always checked, and TLS 1.2 is the
minimum. No setting and no option in a URL weakens this. kombu by itself accepts any certificate for
`rediss://`, and py-amqp checks no host name.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_MINIMUM_VERSION = ssl.TLSVersion.TLSv1_2


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files for connections to the engines.

    Attributes:
        ca_file: certificates of the authorities that issue the engines' certificates; None for the system's
            store.
        cert_file: the certificate by which a client identifies itself; None for no client certificate.
        key_file: the private key of `cert_file`, without a passphrase; None if `cert_file` contains it.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


SYSTEM_STORE = TlsFiles()
"""Servers are verified with the system's store of authorities, and there is no client certificate."""


def tls_options(url: str, files: TlsFiles = SYSTEM_STORE) -> dict[str, Any] | None:
    """Return the TLS arguments for the engine at `url`; None if its scheme does not use TLS.

    For `amqps://` they are those of py-amqp (`kombu.Connection(ssl=…)`, Celery's `broker_use_ssl`); the host
    name is that of the first node. For `rediss://` and `rediss+sentinel://` they are those of redis-py, which
    kombu and Flower pass on.
    """
    parts = urlsplit(url)
    ca_file, cert_file, key_file = (
        str(file) if file else None for file in (files.ca_file, files.cert_file, files.key_file)
    )
    if parts.scheme == "amqps":
        return {
            "cert_reqs": ssl.CERT_REQUIRED,
            "server_hostname": parts.hostname,
            "tls_minimum_version": _MINIMUM_VERSION,
            "ca_certs": ca_file,
            "certfile": cert_file,
            "keyfile": key_file,
        }
    if parts.scheme in ("rediss", "rediss+sentinel"):
        return {
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_check_hostname": True,
            "ssl_min_version": _MINIMUM_VERSION,
            "ssl_ca_certs": ca_file,
            "ssl_certfile": cert_file,
            "ssl_keyfile": key_file,
        }
    return None


def create_context(files: TlsFiles = SYSTEM_STORE) -> ssl.SSLContext:
    """Return the same as `tls_options`, as a context, for aio-pika and HTTPS.

    Raises:
        ValueError: a file cannot be used; the text has its path and what is expected.
    """
    for file in (files.ca_file, files.cert_file, files.key_file):
        if file is not None:
            require_readable(file)
    try:
        context = ssl.create_default_context(cafile=files.ca_file)
    except ssl.SSLError:
        raise ValueError(f"{files.ca_file} contains no CA certificate in PEM format") from None
    context.minimum_version = _MINIMUM_VERSION
    if files.cert_file:
        _load_client_certificate(context, files.cert_file, files.key_file)
    return context


def require_readable(file: Path) -> None:
    """Check that `file` can be read.

    Raises:
        ValueError: it cannot; the text has its path and the reason.
    """
    try:
        file.open("rb").close()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None


def _load_client_certificate(context: ssl.SSLContext, cert_file: Path, key_file: Path | None) -> None:
    try:
        # Without a passphrase OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert_file, key_file, password="")
    except ssl.SSLError:
        raise ValueError(
            f"{cert_file} and its private key in {key_file or cert_file}: not a matching pair in PEM format"
            " without a passphrase"
        ) from None
