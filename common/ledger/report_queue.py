"""The report queue: verdicts to be posted, shared by all reporters, earliest deadline first.

It is stored in Redis with the events, since the queues of a broker are first in, first out. The ledger
enqueues a report in the script that records the last outcome, and removes it in the script that marks the
event as reported. Reporters lease reports one at a time; a report with an expired lease can be leased again.

The plan queue, of events that wait to be planned, is a second queue of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import redis

from common.ledger.redis_client import waits_until

_SCRIPTS = Path(__file__).parent / "scripts"

MAX_IDLE = 4
"""Maximum number of reporters in the fleet that stay idle for the next reports."""

MAX_TOKENS = 32
"""Maximum number of pending reports up to which each enqueued report gets a token of its own.

A token processes reports until none is left, so further reports need no token. This many concurrent posts
already exceed the quota of DataWorks.
"""


@dataclass(frozen=True, slots=True)
class PendingReport:
    """A leased report: one run of an event whose verdict must be posted.

    Attributes:
        message_id: the event.
        run: the run to report.
        deadline_at: when the verdict must have been posted, in seconds since the epoch.
        attempts: number of leases so far, including this one.
        is_takeover: whether the same owner leased it before and was killed.
    """

    message_id: str
    run: int
    deadline_at: float
    attempts: int = 1
    is_takeover: bool = False

    @property
    def key(self) -> str:
        """The report's entry in the queue."""
        return f"{round(self.deadline_at * 1000)} {self.run} {self.message_id}"

    @classmethod
    def from_key(cls, key: str, attempts: int, *, is_takeover: bool) -> PendingReport:
        """Return the report for an entry of the queue."""
        deadline, run, message_id = key.split(" ", 2)
        return cls(message_id, int(run), int(deadline) / 1000, attempts, is_takeover)


class Backlog(NamedTuple):
    """Number of waiting reports, and number of tokens to issue because the previous ones seem to be lost."""

    waiting: int
    tokens_needed: int


class ReportQueue:
    """The pending reports of one extension.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
        kind: what is waiting: `reports` or `plans`.
    """

    def __init__(self, client: redis.Redis, prefix: str, kind: str = "reports") -> None:
        self._client = client
        self._waiting_key, self._leased, self._leases, self._idle, self._activity = (
            f"{prefix}{kind}:{name}" for name in ("waiting", "leased", "leases", "idle", "activity")
        )
        self._lease = client.register_script(
            (_SCRIPTS / "queue_lease.lua").read_text() + (_SCRIPTS / "lease_entry.lua").read_text()
        )
        self._retry_later = client.register_script((_SCRIPTS / "retry_later.lua").read_text())
        self._backlog = client.register_script((_SCRIPTS / "backlog.lua").read_text())
        self._enqueue = client.register_script((_SCRIPTS / "enqueue_entries.lua").read_text())

    @property
    def keys(self) -> tuple[str, str, str, str]:
        """The keys that the scripts use: waiting reports, leased reports, leases, and idle owners."""
        return self._waiting_key, self._leased, self._leases, self._idle

    @property
    def lease_keys(self) -> tuple[str, str, str, str, str]:
        """The keys that the scripts use which lease: `keys`, and activity."""
        return *self.keys, self._activity

    def enqueue(self, reports: Iterable[PendingReport]) -> int:
        """Enqueue reports; one that is enqueued keeps its position. Return the number that need a token."""
        arguments: list[str | int] = []
        for report in reports:
            arguments += [report.key, round(report.deadline_at * 1000)]
        return int(self._enqueue(keys=[self._waiting_key, self._leased, self._idle], args=arguments))

    def waiting_count(self) -> int:
        """Return the number of reports that no reporter has leased."""
        return int(self._client.zcard(self._waiting_key))

    def has_waiting(self) -> bool:
        """Whether any report is waiting."""
        return bool(self._client.exists(self._waiting_key))

    def lease(self, owner: str, seconds: float, *, is_redelivery: bool = False) -> PendingReport | None:
        """Lease the most urgent report: one with an expired lease, else the one with the earliest deadline.

        Args:
            owner: an id of the caller.
            seconds: duration of the lease.
            is_redelivery: whether the owner may have been killed while it had a lease; that report is
                preferred.
        """
        arguments = [*lease_arguments(owner, seconds, is_redelivery=is_redelivery), waits_until()]
        found = self._lease(keys=[*self.lease_keys], args=arguments)
        return leased_report(*found) if found else None

    def retry_later(self, report: PendingReport, seconds: float) -> None:
        """Return a leased report to the queue; it can be leased again after `seconds`."""
        arguments: list[str | int] = [report.key, round(seconds * 1000), report.attempts]
        self._retry_later(keys=[self._leased, self._leases], args=arguments)

    def remove(self, report: PendingReport) -> None:
        """Remove a report from the queue."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zrem(self._waiting_key, report.key)
        pipe.zrem(self._leased, report.key)
        pipe.hdel(self._leases, report.key)
        pipe.execute()

    def backlog(self, *, idle_seconds: float, issue_seconds: float) -> Backlog:
        """Return the number of waiting reports and of tokens to issue; the latter then count as issued.

        Args:
            idle_seconds: seconds without a lease after which tokens count as lost.
            issue_seconds: minimum seconds between two issues while no report is leased.
        """
        keys = [self._waiting_key, self._leased, self._activity]
        arguments = [round(idle_seconds * 1000), round(issue_seconds * 1000), MAX_TOKENS]
        return Backlog(*self._backlog(keys=keys, args=arguments))


def lease_arguments(
    owner: str, seconds: float, *, is_redelivery: bool, idle_seconds: float = 0.0
) -> list[str | int]:
    """Return the arguments of the scripts that lease; see `ReportQueue.lease` and `Ledger.lease_report`."""
    return [owner, round(seconds * 1000), int(is_redelivery), round(idle_seconds * 1000), MAX_IDLE]


def leased_report(entry: bytes, attempts: int, is_own: int) -> PendingReport:
    """Return the report that a script has leased."""
    return PendingReport.from_key(entry.decode(), attempts, is_takeover=bool(is_own))
