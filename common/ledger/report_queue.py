"""The queue of reports: verdicts to be posted, over the whole fleet the nearest deadline first.

It is kept in Redis, beside the events, since queues of a broker are first in, first out. The ledger enqueues
a report in the step that records the last outcome, and removes it in the step that marks the event as
reported. Reporters lease reports one at a time; a lease that ends makes the report available again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import redis

_SCRIPTS = Path(__file__).parent / "scripts"

MAX_TOKENS = 32
"""As long as no more reports wait, each that is enqueued gets a token.

A token serves reports until none waits, so the others need none of their own. As many posts at once are more
than the quota of DataWorks lets through.
"""


@dataclass(frozen=True, slots=True)
class PendingReport:
    """A leased report: one run of an event whose verdict is to be posted.

    Attributes:
        message_id: the event.
        run: the run to report.
        deadline_at: when the verdict must have been posted, in seconds since the epoch.
        attempts: how often it was leased, this time included.
        is_takeover: whether the same owner held it before, and was killed.
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
        """Read an entry of the queue."""
        deadline, run, message_id = key.split(" ", 2)
        return cls(message_id, int(run), int(deadline) / 1000, attempts, is_takeover)


class Backlog(NamedTuple):
    """What waits in the queue, and how many tokens must be issued since none seems to be on its way."""

    waiting: int
    tokens_needed: int


class ReportQueue:
    """The reports of one extension that are to be posted.

    Args:
        client: a Redis client that returns bytes.
        prefix: the start of the keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._waiting_key, self._leased, self._leases, self._activity = (
            f"{prefix}reports:{name}" for name in ("waiting", "leased", "leases", "activity")
        )
        self._lease = client.register_script((_SCRIPTS / "lease.lua").read_text())
        self._retry_later = client.register_script((_SCRIPTS / "retry_later.lua").read_text())
        self._backlog = client.register_script((_SCRIPTS / "backlog.lua").read_text())

    @property
    def keys(self) -> tuple[str, str, str]:
        """The keys that the ledger's steps work on: reports waiting, reports leased, and leases."""
        return self._waiting_key, self._leased, self._leases

    def lease(self, owner: str, seconds: float, *, is_redelivery: bool = False) -> PendingReport | None:
        """Lease the most urgent report: one whose lease ended, else the one with the nearest deadline.

        Args:
            owner: an id of the caller.
            seconds: after this another may lease it.
            is_redelivery: whether the owner may have been killed with a lease: that report comes first.

        Returns:
            The report; None when there is none.
        """
        keys = [*self.keys, self._activity]
        found = self._lease(keys=keys, args=[owner, round(seconds * 1000), int(is_redelivery)])
        if not found:
            return None
        entry, attempts, own = found
        return PendingReport.from_key(entry.decode(), attempts, is_takeover=bool(own))

    def retry_later(self, report: PendingReport, seconds: float) -> None:
        """Give back a leased report; it can be leased again in `seconds`."""
        arguments: list[str | int] = [report.key, round(seconds * 1000), report.attempts]
        self._retry_later(keys=[self._leased, self._leases], args=arguments)

    def remove(self, report: PendingReport) -> None:
        """Remove a report from the queue: there is nothing more to do."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zrem(self._waiting_key, report.key)
        pipe.zrem(self._leased, report.key)
        pipe.hdel(self._leases, report.key)
        pipe.execute()

    def backlog(self, *, idle_seconds: float, issue_seconds: float) -> Backlog:
        """Return what waits, and how many tokens to issue; count these as issued.

        Args:
            idle_seconds: after so long without a lease, tokens count as lost.
            issue_seconds: for so long tokens are not returned again while no report is leased.
        """
        keys = [self._waiting_key, self._leased, self._activity]
        arguments = [round(idle_seconds * 1000), round(issue_seconds * 1000), MAX_TOKENS]
        return Backlog(*self._backlog(keys=keys, args=arguments))
