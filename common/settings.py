"""Settings shared by ingest and workers, read from the environment and a folder of secret files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.config_files.validation import describe
from common.engines.urls import addresses_of, node_urls
from common.errors import DwgateError
from common.subjects.fingerprints import MIN_KEY_LENGTH
from common.tls import TlsFiles, create_context, require_readable
from common.topology import Topology, default_namespace, is_namespace

PREFIX = "DWGATE_"
SECRETS = Path("/run/secrets")
SECRETS_VARIABLE = f"{PREFIX}SECRETS_DIR"
"""Names another folder with secret files, such as that of a service manager's credentials."""

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


_PLACEHOLDER = re.compile(r"\b[A-Z]+-(?:PASSWORD|TOKEN|KEY)\b")
"""The texts to replace in `deploy/compose/secrets.example`."""


def reject_placeholder(value: SecretStr) -> SecretStr:
    """Return `value` unchanged.

    Raises:
        ValueError: it contains a placeholder of the example files.
    """
    if placeholder := _PLACEHOLDER.search(value.get_secret_value()):
        raise ValueError(f"{placeholder[0]} is the placeholder of the example file, not a secret")
    return value


def engine_url(*, ca_setting: str = f"{PREFIX}TLS_CA_FILE", **options: tuple[str, ...]) -> AfterValidator:
    """Return a validator of an engine's URL.

    Args:
        ca_setting: name of the setting with the authorities that the engine is verified with.
        options: names of the options that the URL's query may contain, by scheme (`_` stands for `+`).
            Options of the client libraries could switch the verification of certificates off.
    """
    allowed = {scheme.replace("_", "+"): names for scheme, names in options.items()}
    wanted = " or ".join(f"{scheme}://…" for scheme in allowed)

    def check(value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        nodes = [_split_url(node) for node in node_urls(url)]
        if any(node.scheme not in allowed or not (node.netloc or node.path) for node in nodes):
            raise ValueError(f"not a URL of the form {wanted}")
        for node in nodes:
            _require_options(node.query, allowed[node.scheme], ca_setting)
        scheme, path = nodes[0].scheme, nodes[0].path
        if scheme.startswith("redis"):
            _require_redis(url, scheme, path)
        if scheme != "unix":
            addresses_of(url)
        return reject_placeholder(value)

    return AfterValidator(check)


def _split_url(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # its text would quote the password
        raise ValueError("brackets of an IPv6 address do not match") from None


def _require_options(query: str, supported: tuple[str, ...], ca_setting: str) -> None:
    """Check the options after the question mark.

    Raises:
        ValueError: one is not supported or empty. It is not quoted: a password with a question mark would be
            part of it.
    """
    options = parse_qsl(query, keep_blank_values=True)
    if any(name not in supported for name, _ in options):
        raise ValueError(
            f"unsupported option after the question mark (supported: {', '.join(supported) or 'none'});"
            f" TLS is configured by {ca_setting}"
        )
    if empty := next((name for name, content in options if not content), None):
        raise ValueError(f"the option {empty} has no value")


def _require_redis(url: str, scheme: str, path: str) -> None:
    """Check what only a URL of Redis has.

    Raises:
        ValueError: it is several URLs, or has another path than a database.
    """
    if f";{scheme}://" in url:
        raise ValueError(
            "only RabbitMQ has several URLs; several servers of Redis are found by Sentinel"
            " (redis+sentinel://host:26379,host2:26379/0?master=NAME)"
        )
    database = path.removeprefix("/")
    if database and not (database.isascii() and database.isdigit()):
        raise ValueError("the database after the host is not a number")


_SENTINEL_OPTIONS = ("master", "sentinel_username", "sentinel_password")


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A tuple of strings, written as one comma-separated value."""

SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
"""A `CommaList` of secrets, which are never shown."""


def _check_ca(file: Path | None) -> Path | None:
    if file:
        create_context(TlsFiles(ca_file=file))
    return file


def _check_certificate(file: Path | None) -> Path | None:
    if file:
        require_readable(file)
    return file


CaFile = Annotated[Path | None, AfterValidator(_check_ca)]
"""A PEM file with certificates of authorities."""

CertificateFile = Annotated[Path | None, AfterValidator(_check_certificate)]
"""A PEM file with a client certificate; `require_key_pair` checks it together with its key."""


def require_key_pair(certificate_field: str, key_file: Path | None, info: ValidationInfo) -> Path | None:
    """Return `key_file` unchanged; for the validator of its field.

    Args:
        certificate_field: name of the field with the certificate, which is validated first.
        key_file: the private key, or None if the certificate's file contains it.
        info: of the validator.

    Raises:
        ValueError: the two do not belong together, or there is a key without a certificate.
    """
    certificate = info.data.get(certificate_field)
    if certificate:
        create_context(TlsFiles(cert_file=certificate, key_file=key_file))
    elif key_file and certificate_field in info.data:
        raise ValueError(f"{PREFIX}{certificate_field.upper()} is missing")
    return key_file


def _check_namespace(value: str) -> str:
    if not is_namespace(value):
        raise ValueError("not a namespace")
    return value


class EngineSettings(BaseSettings):
    """Settings of whatever uses one of the engines."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    extension_code: str = Field(
        min_length=1, description="the extension's unique code from the Extensions page of DataWorks"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    tls_ca_file: CaFile = Field(
        default=None,
        description="a PEM file with the CA certificates that broker and Redis are verified with; without it"
        " the system's store",
    )
    tls_cert_file: CertificateFile = Field(
        default=None, description="a PEM file with the client certificate for broker and Redis"
    )
    tls_key_file: Path | None = Field(
        default=None,
        validate_default=True,
        description="a PEM file with the private key of DWGATE_TLS_CERT_FILE, without a passphrase; not"
        " needed if that file contains it",
    )

    @property
    def tls_files(self) -> TlsFiles:
        """The files for verified connections to the engines."""
        return TlsFiles(self.tls_ca_file, self.tls_cert_file, self.tls_key_file)

    @field_validator("tls_key_file")
    @classmethod
    def _check_key_pair(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        return require_key_pair("tls_cert_file", file, info)


class BrokerSettings(EngineSettings):
    """Settings of a process that only uses the broker."""

    broker_url: Annotated[
        SecretStr,
        engine_url(
            amqp=(),
            amqps=(),
            redis=(),
            rediss=(),
            redis_sentinel=_SENTINEL_OPTIONS,
            rediss_sentinel=_SENTINEL_OPTIONS,
        ),
    ] = Field(
        description="amqp://user:password@host:5672/vhost (RabbitMQ; one for each node of a cluster,"
        " separated by semicolons), redis://host:6379/0 or"
        " redis+sentinel://host:26379,host2:26379/0?master=NAME; with TLS amqps://, rediss:// or rediss+sentinel://"
    )
    namespace: Annotated[str, AfterValidator(_check_namespace)] | None = Field(
        default=None,
        description="up to 64 letters, digits, - and _, beginning with a letter or digit, in every name on"
        " the broker; without it the extension code",
    )

    @property
    def uses_rabbitmq(self) -> bool:
        """Whether the broker is RabbitMQ, which has exchanges and dead letters; otherwise it is Redis."""
        return self.broker_url.get_secret_value().startswith("amqp")

    @property
    def topology(self) -> Topology:
        """The fleet's exchanges and queues."""
        return Topology(self.namespace or default_namespace(self.extension_code))


class LedgerSettings(EngineSettings):
    """Settings of a command that only uses the ledger."""

    redis_url: Annotated[
        SecretStr,
        engine_url(
            redis=(),
            rediss=(),
            unix=("db",),
            redis_sentinel=_SENTINEL_OPTIONS,
            rediss_sentinel=_SENTINEL_OPTIONS,
        ),
    ] = Field(
        description="redis://host:6379/0, or redis+sentinel://host:26379,host2:26379/0?master=NAME; with TLS"
        " rediss:// or rediss+sentinel://"
    )


BrokerTopology = Literal["declare", "imported", "existing"]
"""Who creates exchanges and queues: dwgate at start; RabbitMQ, by importing the definitions that dwgate
writes; or the operator, who may have to leave out the quorum arguments."""


class Settings(BrokerSettings, LedgerSettings):
    """Settings of every other process. Error messages and docs/settings.md quote the descriptions."""

    broker_topology: BrokerTopology = Field(
        default="declare",
        description="declare (dwgate creates its queues), imported (from the definitions of dwgate accounts)"
        " or existing (created by hand, as ApsaraMQ requires)",
    )
    region: Literal[REGIONS] = Field(description=f"one of {', '.join(REGIONS)}")  # type: ignore[valid-type]
    event_days: float = Field(
        default=7, gt=0, le=365, description="days an event is kept, above 0, at most 365"
    )
    code_hours: float = Field(
        default=24,
        gt=0,
        le=8760,
        description="hours a node's code is kept for a requeue, above 0, at most 8760",
    )
    trace_ratio: float = Field(
        default=0, ge=0, le=1, description="share of the events that are traced, from 0 (none) to 1 (all)"
    )
    link_key: SecretStr | None = Field(
        default=None,
        min_length=MIN_KEY_LENGTH,
        description="a secret of at least 32 characters, with which the links in tips are signed; without it"
        " one is generated and kept in Redis",
    )


SettingsT = TypeVar("SettingsT", bound=EngineSettings)


def load_settings(model: type[SettingsT]) -> SettingsT:
    """Read `model` from the environment and the folder of secret files.

    Raises:
        SettingsError: one or more settings are missing or invalid.
    """
    try:
        return model(_secrets_dir=_secrets_folder())
    except ValidationError as error:
        raise SettingsError("\n".join(_lines(model, error))) from None


def secret_names() -> list[str]:
    """Return the names of the secret files of this process, from which settings are read."""
    folder = _secrets_folder()
    return sorted(file.name for file in folder.iterdir()) if folder else []


def _secrets_folder() -> Path | None:
    named = os.environ.get(SECRETS_VARIABLE)
    if named and not Path(named).is_dir():
        raise SettingsError(f"{SECRETS_VARIABLE}: no such folder; expected one with secret files")
    folder = Path(named) if named else SECRETS
    return folder if folder.is_dir() else None


def _lines(model: type[EngineSettings], error: ValidationError) -> list[str]:
    return [f"{PREFIX}{_field(problem).upper()}: {_message(model, problem)}" for problem in error.errors()]


def _field(problem: ErrorDetails) -> str:
    return str(problem["loc"][0]) if problem["loc"] else "settings"


def _message(model: type[EngineSettings], problem: ErrorDetails) -> str:
    # The description of a setting with named values lists them already.
    what = "unknown value" if problem["type"] == "literal_error" else describe(problem)
    field = model.model_fields.get(_field(problem))
    if field is None or field.description is None:
        return what
    return f"{what}{':' if what.startswith('expected') else '; expected'} {field.description}"
