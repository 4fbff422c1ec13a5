"""Settings of ingest, in addition to the shared ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from common.settings import CommaList, SecretList, Settings
from ingest.certificates import read_key
from ingest.signature import TrustPolicy


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
    eventbridge_tokens: SecretList = Field(
        min_length=1,
        description="the token set on the EventBridge target; two, separated by a comma, during a rotation",
    )
    eventbridge_accounts: Annotated[CommaList, AfterValidator(_uids)] = Field(
        min_length=1,
        description="UIDs of the Alibaba Cloud accounts whose events are accepted, separated by commas",
    )
    eventbridge_certificate_file: Annotated[Path | None, AfterValidator(_certificate)] = Field(
        default=None,
        description="a PEM file with EventBridge's certificate, to use instead of downloading it",
    )
    eventbridge_allow_v1: bool = Field(
        default=False, description="true to accept requests with only the older HMAC-SHA1 signature"
    )

    def trust_policy(self) -> TrustPolicy:
        """Return the policy for which requests are authentic."""
        return TrustPolicy(
            target_urls=self.eventbridge_target_urls,
            tokens=tuple(token.get_secret_value().encode() for token in self.eventbridge_tokens),
            accounts=frozenset(self.eventbridge_accounts),
            allow_v1=self.eventbridge_allow_v1,
        )
