"""Settings of the console."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from common.settings import CommaList
from console.access.proxy import Network
from workers.settings import WorkerSettings

_MIN_KEY_LENGTH = 32


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an http or https URL without a query")
    return value.rstrip("/")


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise ValueError(f"{value} is not an address or a network") from None
    return values


WebAddress = Annotated[str, AfterValidator(_web_address)]


class ConsoleSettings(WorkerSettings):
    """Settings of the console, in addition to those of the workers."""

    console_open: bool = Field(
        default=False,
        description="true: whoever reaches the console sees every event without a link or a login; only on an"
        " address of loopback",
    )
    console_url: WebAddress | None = Field(
        default=None,
        description="address of the console as browsers reach it, such as https://gate.example.com; needed"
        " for OIDC",
    )
    console_users_file: Path | None = Field(
        default=None,
        description="path of a users file, which gives each user of the console a role; without it nobody can"
        " log in",
    )
    console_key: SecretStr | None = Field(
        default=None,
        min_length=_MIN_KEY_LENGTH,
        description="a secret of at least 32 characters, with which sessions of the console are signed;"
        " without it one is generated and kept in Redis",
    )
    console_oidc_issuer: WebAddress | None = Field(
        default=None,
        description="address of an OpenID Connect provider, such as https://login.example.com/realms/data",
    )
    console_oidc_client_id: str = Field(default="dwgate", description="id of the console at the provider")
    console_oidc_client_secret: SecretStr | None = Field(
        default=None, validate_default=True, description="secret of the console at the provider"
    )
    console_oidc_claim: str = Field(
        default="email", min_length=1, description="claim with the name that the users file contains"
    )
    console_proxy_addresses: Annotated[CommaList, AfterValidator(_networks)] = Field(
        default=(),
        description="addresses or networks of proxies that log users in, such as 10.0.0.0/28; only their"
        " headers are trusted",
    )
    console_proxy_header: str = Field(
        default="X-Forwarded-User",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
        description="header in which the proxy reports the user's name",
    )

    @field_validator("console_oidc_client_secret")
    @classmethod
    def _is_complete(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("console_oidc_issuer") and secret is None:
            raise ValueError("missing, although DWGATE_CONSOLE_OIDC_ISSUER is set")
        if info.data.get("console_oidc_issuer") and not info.data.get("console_url"):
            raise ValueError("DWGATE_CONSOLE_URL is missing, to which the provider returns")
        return secret

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The addresses of the proxies whose headers are trusted."""
        return tuple(map(ip_network, self.console_proxy_addresses))

    @property
    def has_login(self) -> bool:
        """Whether anyone can log in."""
        return self.console_users_file is not None
