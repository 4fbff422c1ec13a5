"""Records in the audit trail which policy and waivers the workers use, whenever that changes.

A file is changed by an editor, a deployment or a restart, which dwgate does not see. So each process that
uses the files compares what it uses with what the ledger knows; the first one to use another version records
it.
"""

from __future__ import annotations

import hashlib
import threading

import redis
import structlog

from common.config_files.errors import ConfigError
from common.ledger import AuditAction, FileState
from workers.services import Services

EVERY_SECONDS = 5.0
"""Seconds between two comparisons."""

log = structlog.get_logger()


class FileAudit:
    """What one process has recorded.

    Args:
        services: its services.
        name: the name of the process in the audit trail.
    """

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._recorded: dict[AuditAction, str] = {}

    def run(self, stop: threading.Event) -> None:
        """Record every change until `stop`."""
        while True:
            try:
                self.record()
            except redis.RedisError as error:
                log.warning("file_audit_failed", error=type(error).__name__)
            if stop.wait(EVERY_SECONDS):
                return

    def record(self) -> None:
        """Record the files in force, unless this process has done so.

        Raises:
            redis.RedisError: Redis is down; the next call tries again.
        """
        try:
            self._record(AuditAction.POLICY_CHANGED, "policy", self._policy())
            self._record(AuditAction.WAIVERS_CHANGED, "waivers", self._waivers())
        except ConfigError:
            # Reported by whatever uses the file; there is no version in force to record.
            log.debug("file_audit_skipped")

    def _record(self, action: AuditAction, file: str, state: FileState) -> None:
        if self._recorded.get(action) == state.digest:
            return
        self._services.ledger.audit_trail.record_file(self._name, action, file, state)
        self._recorded[action] = state.digest

    def _policy(self) -> FileState:
        _ = self._services.policy  # reads the file if it changed
        return FileState(self._services.policy_digest, {})

    def _waivers(self) -> FileState:
        waivers = self._services.waivers
        items = {item.id: _digest(item.model_dump_json()) for item in waivers.items}
        return FileState(self._services.waivers_digest, items)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
