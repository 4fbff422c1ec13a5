"""The settings of Flower, without Flower: other processes know by them which names are settings."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic.types import SecretStr

from common.engines.urls import addresses_of
from common.settings import BrokerSettings, SecretList, reject_placeholder
from workers.settings import DetailsUrl, WorkerSettings


class FlowerSettings(BrokerSettings):
    """Settings of Flower besides the broker."""

    flower_users: SecretList = Field(
        min_length=1, description="one or more user:password pairs, separated by commas, in ASCII"
    )
    flower_db: Path = Field(
        default=Path("flower.db"), description="a file in a directory that only dwgate may write to"
    )
    flower_broker_api: SecretStr | None = Field(
        default=None,
        description="RabbitMQ's management API: https://host:15671/api/, with user:password@ if they differ"
        " from those of DWGATE_BROKER_URL; default: the broker's first host, port 15671 with TLS, else port"
        " 15672",
    )

    details_url: DetailsUrl | None = Field(
        default=None, description=WorkerSettings.model_fields["details_url"].description
    )

    @field_validator("flower_users")
    @classmethod
    def _pairs(cls, users: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for pair in users:
            user, colon, password = pair.get_secret_value().partition(":")
            if not (user and colon and password) or not pair.get_secret_value().isascii():
                raise ValueError("not a list of user:password pairs")
            reject_placeholder(pair)
        return users

    @field_validator("flower_db")
    @classmethod
    def _writable(cls, file: Path) -> Path:
        if not file.parent.is_dir():
            raise ValueError(f"{file.parent} is not a directory")
        return file

    @field_validator("flower_broker_api")
    @classmethod
    def _api(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if url is None:
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.endswith("/api/"):
            raise ValueError("not an http(s) URL that ends with /api/")
        broker = info.data.get("broker_url")
        if parts.scheme == "http" and broker and broker.get_secret_value().startswith("amqps:"):
            raise ValueError("the password must not be sent over plain HTTP while the broker uses TLS")
        return url

    @property
    def management_api(self) -> str:
        """URL of RabbitMQ's management API; Flower adds the broker's user and password if it has none."""
        if self.flower_broker_api:
            return self.flower_broker_api.get_secret_value()
        url = self.broker_url.get_secret_value()
        host = addresses_of(url)[0].host
        host = f"[{host}]" if ":" in host else host
        return f"https://{host}:15671/api/" if url.startswith("amqps:") else f"http://{host}:15672/api/"
