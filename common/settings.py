"""Settings shared by ingest and workers, read from the environment, `.env` and `/run/secrets`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.config_files.validation import describe
from common.errors import DwgateError

PREFIX = "DWGATE_"
SECRETS = Path("/run/secrets")

REGIONS = (
    "cn-beijing",
    "cn-hangzhou",
    "cn-shanghai",
    "cn-zhangjiakou",
    "cn-shenzhen",
    "cn-chengdu",
    "us-west-1",
    "us-east-1",
    "eu-central-1",
    "ap-northeast-1",
    "cn-hongkong",
    "ap-southeast-1",
)
"""Regions in which DataWorks has OpenEvent and extensions (help page "Enable OpenEvent")."""


class SettingsError(DwgateError):
    """A setting is missing or invalid; the text has one line for each: its name and what is expected."""


_PLACEHOLDER = re.compile(r"\b[A-Z]+-(?:PASSWORD|TOKEN)\b")
"""The texts to replace in `deploy/compose/secrets.example`."""


def reject_placeholder(value: SecretStr) -> SecretStr:
    """Return `value` unchanged.

    Raises:
        ValueError: it contains a placeholder of the example files.
    """
    if placeholder := _PLACEHOLDER.search(value.get_secret_value()):
        raise ValueError(f"{placeholder[0]} is the placeholder of the example file, not a secret")
    return value


def _scheme(*schemes: str) -> AfterValidator:
    wanted = " or ".join(f"{scheme}://…" for scheme in schemes)

    def check(value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in schemes or not (parts.hostname or parts.path):
            raise ValueError(f"not a URL of the form {wanted}")
        return reject_placeholder(value)

    return AfterValidator(check)


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A tuple of strings, written as one comma-separated value."""

SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
"""A `CommaList` of secrets, which are never shown."""


class BrokerSettings(BaseSettings):
    """Settings of a process that only uses the broker."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    broker_url: Annotated[SecretStr, _scheme("amqp", "amqps", "redis", "rediss")] = Field(
        description="amqp://user:password@host:5672/vhost (RabbitMQ) or redis://host:6379/0"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )


class Settings(BrokerSettings):
    """Settings of every other process. Error messages and docs/settings.md quote the descriptions."""

    broker_topology: Literal["declare", "existing"] = Field(
        default="declare",
        description="declare (dwgate creates its queues) or existing (created before, as ApsaraMQ requires)",
    )
    redis_url: Annotated[
        SecretStr, _scheme("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
    ] = Field(description="redis://host:6379/0, or redis+sentinel://host:26379,host2:26379/0?master=NAME")
    extension_code: str = Field(
        min_length=1, description="the extension's unique code from the Extensions page of DataWorks"
    )
    region: Literal[REGIONS] = Field(description=f"one of {', '.join(REGIONS)}")  # type: ignore[valid-type]
    event_days: float = Field(default=7, gt=0, le=365, description="days an event is kept, above 0")
    code_hours: float = Field(
        default=24, gt=0, le=8760, description="hours a node's code is kept for a requeue, above 0"
    )


SettingsT = TypeVar("SettingsT", bound=BrokerSettings)


def load_settings(model: type[SettingsT]) -> SettingsT:
    """Read `model` from the environment, `.env` and `/run/secrets`.

    Raises:
        SettingsError: one or more settings are missing or invalid.
    """
    try:
        return model(_secrets_dir=SECRETS if SECRETS.is_dir() else None)
    except ValidationError as error:
        raise SettingsError("\n".join(_lines(model, error))) from None


def _lines(model: type[BrokerSettings], error: ValidationError) -> list[str]:
    return [f"{PREFIX}{_field(problem).upper()}: {_message(model, problem)}" for problem in error.errors()]


def _field(problem: ErrorDetails) -> str:
    return str(problem["loc"][0]) if problem["loc"] else "settings"


def _message(model: type[BrokerSettings], problem: ErrorDetails) -> str:
    # The description of a setting with named values lists them already.
    what = "unknown value" if problem["type"] == "literal_error" else describe(problem)
    field = model.model_fields.get(_field(problem))
    if field is None or field.description is None:
        return what
    return f"{what}{':' if what.startswith('expected') else '; expected'} {field.description}"
