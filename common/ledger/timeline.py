"""The timeline of an event: its steps, and what each of its runs decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.verdicts import Reason, Result, Verdict


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of an event: time (seconds since the epoch), kind, and a short detail."""

    at: float
    kind: str
    detail: str


class RunState(StrEnum):
    """What became of the verdict of a run.

    ACCEPTED: DataWorks accepted it. FROZEN: it was decided, but DataWorks is not known to have accepted it.
    RERUN: it was decided after the accepted one, and never posted. UNDECIDED: the run has no verdict.
    """

    ACCEPTED = "accepted"
    FROZEN = "frozen"
    RERUN = "rerun"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The verdict of one run.

    Attributes:
        run: from 1.
        state: what became of it.
        result: its result; None if undecided.
        reason: why it was decided; None if undecided.
        decided_at: seconds since the epoch; None if undecided.
        tip: its tip; None if undecided, or not kept: only those of the accepted and of the latest run are.
    """

    run: int
    state: RunState
    result: Result | None = None
    reason: Reason | None = None
    decided_at: float | None = None
    tip: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON."""
        return {
            "run": self.run,
            "state": self.state.value,
            "result": self.result.value if self.result else None,
            "reason": self.reason.value if self.reason else None,
            "decided_at": self.decided_at,
            "tip": self.tip,
        }


def parse_timeline(text: str) -> tuple[TimelineEntry, ...]:
    """Return the steps of a timeline, a line each: milliseconds, kind, detail."""
    lines = ((*line.split(" ", 2), "")[:3] for line in text.splitlines())
    return tuple(TimelineEntry(int(at) / 1000, kind, detail) for at, kind, detail in lines)


def list_runs(
    timeline: Sequence[TimelineEntry],
    run: int,
    verdict: Verdict | None,
    accepted: Verdict | None,
    accepted_run: int | None,
) -> tuple[RunVerdict, ...]:
    """Return the verdict of each run of an event, oldest first.

    The timeline has a maximum length: of an event with very many runs, those in the middle may be missing.

    Args:
        timeline: the event's steps.
        run: the current run.
        verdict: its frozen verdict, which may be that of an earlier run that was perhaps posted.
        accepted: the verdict that DataWorks accepted.
        accepted_run: the run in which that became known; None if unknown.
    """
    steps = list(_steps_by_run(timeline))
    if accepted and accepted_run is None:
        accepted_run = next((number for number, step in steps if step.kind == "reported"), 1)
    decided: dict[int, tuple[Result, Reason, float, str | None]] = {}
    for number, step in steps:
        if step.kind == "decided":
            result, _, reason = step.detail.partition(" ")
            decided[number] = Result(result), Reason(reason), step.at, None
    if verdict:
        decided[run] = verdict.result, verdict.reason, verdict.decided_at, verdict.tip
    if accepted and accepted_run is not None:
        decided[accepted_run] = accepted.result, accepted.reason, accepted.decided_at, accepted.tip
    numbers = sorted({1, run, *decided, *(number for number, _ in steps)})
    return tuple(
        RunVerdict(number, _state(number, accepted_run), *decided[number])
        if number in decided
        else RunVerdict(number, RunState.UNDECIDED)
        for number in numbers
    )


def _state(run: int, accepted_run: int | None) -> RunState:
    if accepted_run is None or run < accepted_run:
        return RunState.FROZEN
    return RunState.ACCEPTED if run == accepted_run else RunState.RERUN


def _steps_by_run(timeline: Sequence[TimelineEntry]) -> Iterator[tuple[int, TimelineEntry]]:
    run = 1
    for step in timeline:
        if step.kind == "requeued":  # "run 2 by …"
            run = int(step.detail.split()[1])
        yield run, step
