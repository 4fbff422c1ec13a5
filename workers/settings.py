"""Settings of the workers: the OpenAPI endpoint and its quota, policy and waivers files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from common.settings import Settings
from common.subjects.fingerprints import MIN_KEY_LENGTH
from workers.notifications.targets import parse_targets

_HOST_PORT = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:(?P<port>\d{1,5}))?")
_DETAILS_URL = re.compile(r"(?=.{1,200}$)https?://[^\s{}]+\{message_id\}[^\s{}]*")
_LAST_PORT = 65535


def _host_port(value: str) -> str:
    match = _HOST_PORT.fullmatch(value)
    if match is None or not 1 <= int(match["port"] or 1) <= _LAST_PORT:
        raise ValueError("invalid host name or port")
    return value


def _details_url(value: str) -> str:
    if not _DETAILS_URL.fullmatch(value):
        raise ValueError("not an http or https URL of at most 200 characters that contains {message_id}")
    return value


def _targets(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        parse_targets(value.get_secret_value())
    return value


DetailsUrl = Annotated[str, AfterValidator(_details_url)]
"""The address of the page of an event."""


class WorkerSettings(Settings):
    """Settings of the workers, in addition to those of every process."""

    openapi_endpoint: Annotated[str, AfterValidator(_host_port)] | None = Field(
        default=None,
        description="host or host:port without https://, such as dataworks-vpc.cn-shanghai.aliyuncs.com",
    )
    openapi_protocol: Literal["https", "http"] = Field(default="https", description="https or http")
    openapi_read_qps: int = Field(
        default=50, ge=1, le=1000, description="reads a second for the whole fleet, 1 to 1000"
    )
    openapi_write_qps: int = Field(
        default=20, ge=1, le=1000, description="writes a second for the whole fleet, 1 to 1000"
    )
    policy_file: Path | None = Field(
        default=None, description="path of a policy file; without it the built-in policy applies"
    )
    waivers_file: Path | None = Field(
        default=None, description="path of a waivers file; without it there are no waivers"
    )
    fingerprint_key: SecretStr | None = Field(
        default=None,
        min_length=MIN_KEY_LENGTH,
        description="a secret of at least 32 characters, with which fingerprints of secrets are computed;"
        " without it one is generated and kept in Redis",
    )
    details_url: DetailsUrl | None = Field(
        default=None,
        description="link to details at the end of the tip, such as https://gate.example.com/events/{message_id}",
    )
    notification_targets: Annotated[SecretStr | None, AfterValidator(_targets)] = Field(
        default=None,
        description="targets of notifications, one a line: name=url, with a URL of apprise such as"
        " dingtalk://SECRET@TOKEN; needed by the role watchdog only",
    )
    lookup_cache_seconds: int = Field(
        default=60, ge=1, le=3600, description="seconds that the result of a lookup is cached, 1 to 3600"
    )
    reconcile_seconds: float = Field(
        default=60,
        ge=1,
        le=3600,
        description="seconds between two sweeps for operations that still wait, 1 to 3600",
    )

    @property
    def endpoint(self) -> str:
        """Host, or host:port, of the OpenAPI; by default the public endpoint of the region."""
        return self.openapi_endpoint or f"dataworks.{self.region}.aliyuncs.com"
