"""Runs the CPU checks of one event: on the fast queue as a trial, on the slow queue with the whole limit."""

from __future__ import annotations

from collections.abc import Sequence

from common.ledger import StartedAttempt
from common.text.i18n import Language
from common.verdicts import Outcome, OutcomeKind
from workers.check_execution import (
    MIN_SECONDS,
    Batch,
    earlier_ends,
    note_outcome,
    run_checks,
    time_limit,
    traced_checks,
)
from workers.checks.api import Runs
from workers.pipeline.check_runner import TIME_LIMIT
from workers.scheduling.budgets import SlowReason
from workers.scheduling.cpu_time import cpu_seconds
from workers.scheduling.scheduler import FAST_SECONDS, workspace_of
from workers.scheduling.slow_queue import SlowChecks
from workers.services import Services
from workers.task_events import CheckEnd

SLOW_LOOKUPS = "its lookups took too long"


def execute_fast(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    deadline: float,
    *,
    is_redelivery: bool = False,
) -> list[CheckEnd]:
    """Run CPU checks within the allowance of the fast queue; move those that need more to the slow queue.

    After `check_execution.SHARED_SECONDS`, lookups included, the remaining ones get messages of their own.

    Args:
        services: of this process.
        message_id: the event.
        run: the run of the outcomes; those of an older run are dropped.
        names: the checks, run one after the other.
        deadline: of the outcomes, in seconds since the epoch.
        is_redelivery: whether an earlier delivery of the message may have ended its process.

    Returns:
        How the checks ended that finished, for Flower.

    Raises:
        Transient: a lookup failed and can be retried; faults of Redis and the broker are raised, too.
    """
    started = services.ledger.start_attempts(message_id, run, names)
    if started is None:
        services.reports.record(message_id, run, {})
        return []
    with traced_checks(started):
        return _execute_started(services, started, names, deadline, is_redelivery=is_redelivery)


def _execute_started(
    services: Services, started: StartedAttempt, names: Sequence[str], deadline: float, *, is_redelivery: bool
) -> list[CheckEnd]:
    record, snapshot, scheduler = started.record, started.snapshot, services.scheduler
    message_id, run = record.event.message_id, record.run
    reason = scheduler.slow_reason(record, snapshot)
    if _has_killed(started, is_redelivery=is_redelivery):
        reason = SlowReason.KILLED
        scheduler.penalize(record, snapshot)
    if reason is not None:
        scheduler.move(record, run, [*started.attempts], deadline, reason)
        return earlier_ends(started, names)
    used = cpu_seconds()
    batch = run_checks(services, started, deadline, trial_seconds=FAST_SECONDS, is_redelivery=is_redelivery)
    used = cpu_seconds() - used
    services.reports.record(message_id, run, batch.outcomes)
    if batch.is_stalled:
        scheduler.penalize(record, snapshot)
    else:
        scheduler.charge(workspace_of(record), used)
    if batch.is_stalled or used >= FAST_SECONDS:
        scheduler.move(record, run, batch.remaining, deadline, SlowReason.LIMIT)
    else:
        for name in batch.remaining:
            services.dispatch.send_checks(message_id, run, [name], Runs.CPU, deadline)
    if batch.fault:
        raise batch.fault
    return [*earlier_ends(started, names), *batch.ends]


def execute_slow(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    deadline: float,
    workspace: str,
    *,
    is_redelivery: bool = False,
) -> list[CheckEnd]:
    """Run CPU checks within their whole time limit; then the next ones of the workspace are published.

    Those that do not finish in `check_execution.SHARED_SECONDS`, or with one that ended the process, return
    to the slow queue, one per message.

    Args:
        services: of this process.
        message_id: the event.
        run: the run of the outcomes; those of an older run are dropped.
        names: the checks, run one after the other.
        deadline: of the outcomes, in seconds since the epoch.
        workspace: the workspace in whose turn they run.
        is_redelivery: whether an earlier delivery of the message may have ended its process.

    Returns:
        How the checks ended that finished, for Flower.

    Raises:
        Transient: a lookup failed and can be retried; faults of Redis and the broker are raised, too.
    """
    batch, used = Batch(), cpu_seconds()
    started = services.ledger.start_attempts(message_id, run, names)
    if started and len(names) > 1 and _has_killed(started, is_redelivery=is_redelivery):
        batch.remaining = [*started.attempts]
    with traced_checks(started):
        if started and not batch.remaining:
            batch = run_checks(services, started, deadline, is_redelivery=is_redelivery)
        services.reports.record(message_id, run, batch.outcomes)
    services.scheduler.charge(workspace, cpu_seconds() - used)
    if started:
        services.scheduler.move(started.record, run, batch.remaining, deadline, SlowReason.LIMIT)
    if batch.fault:
        raise batch.fault
    services.scheduler.finish(workspace, SlowChecks(message_id, run, tuple(names), deadline))
    return [*earlier_ends(started, names), *batch.ends]


def on_killed(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    deadline: float,
    workspace: str | None = None,
    *,
    by_input: bool,
) -> None:
    """Handle the end of the process that ran checks, at a hard time limit.

    After the limit of their own work, those of the fast queue run on the slow one. Otherwise several run
    again, one per message, since any of them may be the cause; one gets its outcome at once, and so do all
    without time for another attempt.

    Args:
        services: of the parent of the killed process.
        message_id: the event.
        run: the run of the outcomes.
        names: the checks of the message.
        deadline: of the outcomes, in seconds since the epoch.
        workspace: the workspace in whose turn they ran on the slow queue; None on the fast queue.
        by_input: whether the time limit of the checks' own work ended it, not that of the whole message.
    """
    record = services.ledger.get(message_id)
    if record and by_input:
        services.scheduler.penalize(record, services.ledger.snapshot(message_id))
    has_time = time_limit(deadline, alone=True) >= MIN_SECONDS
    if record and has_time and (by_input if workspace is None else len(names) > 1):
        services.scheduler.move(record, run, names, deadline, SlowReason.KILLED)
    elif has_time and workspace is None and len(names) > 1:
        for name in names:
            services.dispatch.send_checks(message_id, run, [name], Runs.CPU, deadline)
    else:
        language = record.plan.language if record and record.plan else Language.ENGLISH
        outcome = (
            Outcome(OutcomeKind.UNREVIEWABLE, detail=TIME_LIMIT.in_language(language))
            if by_input
            else Outcome(OutcomeKind.TIMED_OUT, detail=SLOW_LOOKUPS)
        )
        for planned in record.plan.checks if record and record.plan else ():
            if planned.name in names:
                note_outcome(planned, outcome, services.checks.get(planned.name))
        services.reports.record(message_id, run, dict.fromkeys(names, outcome))
    if workspace is not None:
        services.scheduler.finish(workspace, SlowChecks(message_id, run, tuple(names), deadline))


def _has_killed(started: StartedAttempt, *, is_redelivery: bool) -> bool:
    """Whether an earlier attempt ended its process: it was started, and its message was not acknowledged."""
    return is_redelivery and max(started.attempts.values()) > 1
