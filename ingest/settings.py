"""Settings of ingest, in addition to the shared ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from common.settings import CommaList, SecretList, Settings, reject_placeholder
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


class IngestSettings(Settings):
    """Settings of `dwgate ingest`."""

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
    eventbridge_accounts: Annotated[CommaList, AfterValidator(_uids)] = Field(
        min_length=1,
        description="UIDs of the Alibaba Cloud accounts whose events are accepted, separated by commas",
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
            accounts=frozenset(self.eventbridge_accounts),
            certificate_host=certificate_host(self.region),
        )
