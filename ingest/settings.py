"""Settings of ingest, in addition to the shared ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from common.settings import (
    PREFIX,
    CaFile,
    CertificateFile,
    CommaList,
    SecretList,
    Settings,
    engine_url,
    reject_placeholder,
    require_key_pair,
)
from common.tls import TlsFiles
from ingest.certificates import certificate_host, read_key
from ingest.signature import TrustPolicy

MIN_TOKEN_LENGTH = 24
"""Minimum length of a token, as Standard Webhooks 1.0.0 asks for secrets."""

MIN_TOKEN_CHARACTERS = 6
"""Minimum number of different characters in a token; a random one of 24 decimal digits has more."""


def _tokens(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for number, value in enumerate(values, 1):
        text = reject_placeholder(value).get_secret_value()
        which = f"token {number} of {len(values)}" if len(values) > 1 else "the token"
        if len(text) < MIN_TOKEN_LENGTH:
            raise ValueError(f"{which} has {len(text)} characters, at least {MIN_TOKEN_LENGTH} are required")
        if len(set(text)) < MIN_TOKEN_CHARACTERS:
            raise ValueError(f"{which} repeats fewer than {MIN_TOKEN_CHARACTERS} different characters")
    return values


def _urls(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is not an http(s) URL")
    return values


def _uids(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not (value.isascii() and value.isdigit()):
            raise ValueError(f"{value!r} is not an account UID")
    return values


def _certificate(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        read_key(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} contains no RSA certificate") from None
    return path


class SourceSettings(Settings):
    """Settings of `dwgate ingest`, whatever its source."""

    eventbridge_accounts: Annotated[CommaList, AfterValidator(_uids)] = Field(
        min_length=1,
        description="UIDs of the Alibaba Cloud accounts whose events are accepted, separated by commas",
    )

    @property
    def accounts(self) -> frozenset[str]:
        """The accepted account UIDs."""
        return frozenset(self.eventbridge_accounts)


class IngestSettings(SourceSettings):
    """Settings of `dwgate ingest` with the source http, the default."""

    eventbridge_target_urls: Annotated[CommaList, AfterValidator(_urls)] = Field(
        min_length=1,
        description="the URL exactly as set on the EventBridge target, or several, separated by commas",
    )
    eventbridge_tokens: Annotated[SecretList, AfterValidator(_tokens)] = Field(
        min_length=1,
        description=(
            "the token set on the EventBridge target, at least 24 random characters without a comma"
            " (openssl rand -hex 32); two, separated by a comma, during a rotation"
        ),
    )
    eventbridge_certificate_file: Annotated[Path | None, AfterValidator(_certificate)] = Field(
        default=None,
        description="a PEM file with EventBridge's certificate, to use instead of downloading it",
    )

    def trust_policy(self) -> TrustPolicy:
        """Return the policy for which requests are authentic."""
        return TrustPolicy(
            target_urls=self.eventbridge_target_urls,
            tokens=tuple(token.get_secret_value().encode() for token in self.eventbridge_tokens),
            certificate_host=certificate_host(self.region),
        )


class QueueIngestSettings(SourceSettings):
    """Settings of `dwgate ingest` with the source amqp: a queue of RabbitMQ that EventBridge writes to."""

    source_url: Annotated[
        SecretStr, engine_url(ca_setting=f"{PREFIX}SOURCE_TLS_CA_FILE", amqp=(), amqps=())
    ] = Field(
        description="amqp://user:password@host:5672/vhost, or amqps:// with TLS: the RabbitMQ that"
        " EventBridge writes to, with a user that may read the queue; special characters percent-encoded"
    )
    source_queue: str = Field(
        min_length=1, max_length=255, description="name of the queue that EventBridge writes to"
    )
    source_prefetch: int = Field(
        default=100,
        ge=1,
        le=1000,
        description="messages that each process holds unacknowledged at the same time, 1 to 1000",
    )
    source_tls_ca_file: CaFile = Field(
        default=None,
        description="a PEM file with the CA certificates that the RabbitMQ of DWGATE_SOURCE_URL is verified"
        " with; without it the system's store",
    )
    source_tls_cert_file: CertificateFile = Field(
        default=None,
        description="a PEM file with the client certificate for the RabbitMQ of DWGATE_SOURCE_URL",
    )
    source_tls_key_file: Path | None = Field(
        default=None,
        validate_default=True,
        description="a PEM file with the private key of DWGATE_SOURCE_TLS_CERT_FILE, without a passphrase;"
        " not needed if that file contains it",
    )

    @property
    def source_tls_files(self) -> TlsFiles:
        """The files for verified connections to the source."""
        return TlsFiles(self.source_tls_ca_file, self.source_tls_cert_file, self.source_tls_key_file)

    @field_validator("source_tls_key_file")
    @classmethod
    def _check_source_key_pair(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        return require_key_pair("source_tls_cert_file", file, info)
