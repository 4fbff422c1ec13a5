"""`dwgate accounts`: writes the accounts of RabbitMQ and Redis, one per service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from common.engines.urls import addresses_of, node_urls
from console.options import ExtensionCode, Namespace, named_topology
from deploy.accounts import secret_files

app = typer.Typer(add_completion=False)


@app.command()
def command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of the secret files.")],
    extension_code: ExtensionCode,
    namespace: Namespace = None,
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL", help="RabbitMQ without a user, amqp:// or amqps://; nodes separated by ;."
        ),
    ] = "amqp://rabbitmq:5672/%2F",
    redis: Annotated[
        str, typer.Option(metavar="URL", help="Redis without a user, redis:// or rediss://.")
    ] = "redis://redis:6379/0",
) -> None:
    """Write a user of RabbitMQ and of Redis for every service, with its rights and password."""
    _require_url(broker, "--broker", ("amqp", "amqps"))
    _require_url(redis, "--redis", ("redis", "rediss", "redis+sentinel", "rediss+sentinel"))
    files = secret_files.write_files(
        folder,
        broker_url=broker,
        redis_url=redis,
        extension_code=extension_code,
        topology=named_topology(extension_code, namespace),
    )
    for file in files:
        print(file)


def _require_url(url: str, option: str, schemes: tuple[str, ...]) -> None:
    for node in node_urls(url):
        parts = urlsplit(node)
        if parts.scheme not in schemes or not parts.netloc or "@" in parts.netloc:
            expected = " or ".join(f"{scheme}://" for scheme in schemes)
            raise typer.BadParameter(f"expected {expected} with a host and without a user", param_hint=option)
    try:
        addresses_of(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
