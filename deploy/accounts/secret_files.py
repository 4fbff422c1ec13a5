"""The secret files of an installation: definitions, access list, and each service's URLs with passwords."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from common.engines.urls import with_user
from common.errors import DwgateError
from common.topology import Topology
from deploy.accounts import rabbitmq, redis
from deploy.accounts.services import SERVICES, RedisAccess

DEFINITIONS_FILE = "rabbitmq_definitions"
ACL_FILE = "redis_acl"


class AccountFileExists(DwgateError):
    """A secret file exists already: new passwords would lock out the services that have the old ones."""


def write_files(
    folder: Path, *, broker_url: str, redis_url: str, extension_code: str, topology: Topology
) -> list[Path]:
    """Generate passwords, and write the files of both engines and of every service.

    Args:
        folder: an existing folder.
        broker_url: URL of RabbitMQ without a user.
        redis_url: URL of Redis without a user.
        extension_code: the extension whose keys in Redis the services use.
        topology: the fleet's names on RabbitMQ.

    Returns:
        The files, in the order in which they were written.

    Raises:
        AccountFileExists: one of the files exists; nothing was written.
    """
    contents = _contents(broker_url, redis_url, extension_code, topology)
    files = {folder / name: content for name, content in contents.items()}
    if existing := next((file for file in files if file.exists()), None):
        raise AccountFileExists(
            f"{existing} exists; to replace all passwords, delete the files and restart everything"
        )
    for file, content in files.items():
        file.write_text(content, encoding="utf-8")
    return list(files)


def _contents(broker_url: str, redis_url: str, extension_code: str, topology: Topology) -> Mapping[str, str]:
    in_broker = {service.name: secrets.token_hex(24) for service in SERVICES}
    in_redis = {service.name: secrets.token_hex(24) for service in SERVICES}
    contents = {
        DEFINITIONS_FILE: json.dumps(rabbitmq.definitions(in_broker, topology), indent=1) + "\n",
        ACL_FILE: redis.acl(in_redis, extension_code),
    }
    for service in SERVICES:
        name = service.name
        contents[f"{name}_broker_url"] = with_user(broker_url, name, in_broker[name]) + "\n"
        if service.redis is not RedisAccess.NONE:
            contents[f"{name}_redis_url"] = with_user(redis_url, name, in_redis[name]) + "\n"
    return contents
