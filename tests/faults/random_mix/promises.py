"""Checks what was observed against the promises; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from common.ledger import State
from common.verdicts import Result


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known about one event at the end of a mix.

    Attributes:
        message_id: the event.
        sample: name of its sample.
        expected: result of the sample if all checks run.
        accepted_at: when ingest first answered 200; None if it never did. Seconds since the epoch.
        deadline_at: until when the verdict had to be posted, counted from `accepted_at`.
        results: results that DataWorks applied, in order.
        posted_at: when the first one was applied; None without one.
        state: of the event in the ledger; None if it is unknown there.
        not_run: checks without a result, or that failed.
    """

    message_id: str
    sample: str
    expected: Result
    accepted_at: float | None
    deadline_at: float
    results: tuple[Result, ...]
    posted_at: float | None
    state: State | None
    not_run: tuple[str, ...]

    @property
    def is_incomplete(self) -> bool:
        """Whether it was decided without all its checks, with the result that the policy gives them."""
        return bool(self.not_run)


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """One broken promise: its number in docs/architecture.md, the event, and what was seen."""

    promise: str
    message_id: str
    seen: str

    def __str__(self) -> str:
        return f"{self.promise} {self.message_id}: {self.seen}"


def broken_promises(observations: Iterable[Observation]) -> list[BrokenPromise]:
    """Return the promises that the events of a mix show to be broken."""
    return [
        BrokenPromise(promise, item.message_id, f"{item.sample}: {seen}")
        for item in observations
        for promise, seen in _broken(item)
    ]


def _broken(item: Observation) -> Iterator[tuple[str, str]]:
    if item.accepted_at is None:
        # EventBridge retries for a day; no fault of a mix lasts that long.
        yield "P1", "ingest never accepted it"
        return
    if not item.results or item.posted_at is None:
        yield "P1", f"no verdict; state in the ledger: {item.state}"
        return
    if len(set(item.results)) > 1:
        yield "P2", f"different results: {', '.join(item.results)}"
    elif len(item.results) > 1:
        yield "P2", f"{item.results[0]} was applied {len(item.results)} times"
    if item.posted_at > item.deadline_at:
        yield "P3", f"posted {item.posted_at - item.deadline_at:.1f} s after the deadline"
    if item.results[0] != item.expected and not item.is_incomplete:
        yield "P4", f"{item.results[0]} instead of {item.expected}, though all checks ran"
    if item.state is not State.REPORTED:
        yield "P2", f"the ledger has the state {item.state}, but DataWorks has a verdict"
