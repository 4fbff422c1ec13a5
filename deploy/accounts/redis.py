"""Redis' ACL file: one user per service, with the keys and commands that it uses.

Keys are the unit of access, so a service that may record an outcome in an event's hash may also write the
other fields of that hash, a verdict included. Syntax: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from common.ledger import key_prefix
from common.topology import QueueName
from deploy.accounts.services import SERVICES, RedisAccess

_OUTCOME_KEYS = (
    *("event:*", "code:*", "deadlines", "all", "state:*", "reports:*"),
    *("lookup:*", "lookup-requests", "lookup-replies:*", "heartbeats*", "fingerprint-key"),
    *("cpu:*", "slow:*"),
    *(f"spool:{queue}" for queue in (QueueName.CHECKS_CPU, QueueName.CHECKS_SLOW)),
)
"""What a CPU-bound check needs: the scripts of the ledger, cached reviews, and requests for lookups."""

_REQUEUE_KEYS = (
    *("event:*", "code:*", "deadlines", "all", "state:*", "reports:*", "audit"),
    *("console-key", "quota:*", f"spool:{QueueName.INTAKE}"),
)
"""What a requeue needs: the scripts of the ledger, and intake; and the key that sessions are signed with."""

_KEYS = {
    RedisAccess.REJECTS: (("rejects",), ()),
    # Responses of DataWorks are cached by the processes that call it.
    RedisAccess.OUTCOMES: (_OUTCOME_KEYS, ("config:*", "answers:*", "lookup-leases:*")),
    RedisAccess.REQUEUES: (_REQUEUE_KEYS, ("*",)),
    RedisAccess.FULL: (("*",), ()),
}
"""Patterns of the keys that are read and written, and of those that are only read."""

_WORK = "+@read +@write +@scripting +@transaction +@connection +time -@dangerous -script|flush -script|kill"
_COMMANDS = {
    RedisAccess.REJECTS: "+@connection +time +multi +exec +lpush +ltrim +pexpire -@dangerous",
    RedisAccess.OUTCOMES: _WORK,
    RedisAccess.REQUEUES: f"{_WORK} +info",
    RedisAccess.FULL: f"{_WORK} +info",
}


def acl(passwords: Mapping[str, str], extension_code: str) -> str:
    """Return the content of the file `aclfile` names.

    Args:
        passwords: by service.
        extension_code: the extension whose keys the services use.
    """
    # A client that has not authenticated may do nothing but a health check.
    lines = ["user default on nopass resetkeys resetchannels -@all +ping"]
    prefix = re.sub(r"([\[\]*?\\])", r"\\\1", key_prefix(extension_code))
    for service in SERVICES:
        if service.redis is RedisAccess.NONE:
            continue
        written, read = _KEYS[service.redis]
        keys = [*(f"~{prefix}{key}" for key in written), *(f"%R~{prefix}{key}" for key in read)]
        password = hashlib.sha256(passwords[service.name].encode()).hexdigest()
        rights = f"{' '.join(keys)} resetchannels -@all {_COMMANDS[service.redis]}"
        lines.append(f"user {service.name} on #{password} {rights}")
    return "".join(f"{line}\n" for line in lines)
