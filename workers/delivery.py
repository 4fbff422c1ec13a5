"""Brings a frozen verdict to DataWorks: posts it, unless DataWorks has accepted one already."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from common import clock
from common.errors import DwgateError
from common.extension_points import ResultOperation
from common.ledger import EventRecord, FrozenVerdict
from common.verdicts import Result, Verdict
from workers.dataworks import operations
from workers.dataworks.errors import DataWorksError, ReplyLost, RequestRejected, Transient, Unreachable
from workers.pipeline.acceptance import conclude_accepted

if TYPE_CHECKING:
    from workers.services import Services  # it holds the router, which posts through the reporter

CALL_RESERVE = 1.5
"""Part of an attempt reserved for the call itself, after the wait for the quota."""

CONFIRM_AFTER = 1.0
"""Seconds after which the lease is confirmed before a post is sent: in the meantime the process may have been
stopped, or have waited for the quota, and another one may have taken over."""

LATE_ADMISSION_SECONDS = 25.0
"""An event admitted this long after its arrival may have been answered before the ledger was lost."""

log = structlog.get_logger()


class LeaseLost(DwgateError):
    """The lease of an event ended before its verdict was posted: another process may post it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How DataWorks came to have a verdict.

    Attributes:
        verdict: the verdict that it accepted.
        how: how that is known, for the timeline.
        is_posted: whether this attempt posted it.
    """

    verdict: Verdict
    how: str
    is_posted: bool


def deliver(
    services: Services, record: EventRecord, frozen: FrozenVerdict, owner: str, deadline: float
) -> Delivery:
    """Ensure that DataWorks has a verdict, and return which one.

    Raises:
        DataWorksError: it has none, or that is unknown; the lease is released.
        LeaseLost: the lease ended before the verdict was posted.
    """
    verdict, started = frozen.verdict, time.monotonic()

    def confirm() -> None:
        if time.monotonic() - started < CONFIRM_AFTER:
            return
        if not services.ledger.has_report_lease(record.event.message_id, owner):
            raise LeaseLost(f"the report lease of {record.event.message_id} ended before the post")

    query_first = frozen.may_be_answered or _is_late_admission(record)
    release = partial(services.ledger.release_report_lease, record.event.message_id, owner)
    try:
        if query_first:
            required = frozen.is_unverified
            if accepted := _query_accepted(services, record, verdict, deadline, is_required=required):
                return Delivery(accepted, "already answered", is_posted=False)
        _post(services, record, verdict, deadline, confirm)
    except ReplyLost as error:
        if accepted := _query_accepted(services, record, verdict, deadline):
            return Delivery(accepted, "posted, reply lost", is_posted=True)
        release(note=str(error), unposted=False)
        raise
    except DataWorksError as error:
        if isinstance(error, RequestRejected) and (
            accepted := _query_accepted(services, record, verdict, deadline)
        ):
            return Delivery(accepted, "already answered", is_posted=False)
        # Nothing was applied; unless an earlier attempt may have been, the next one need not query first.
        release(note=str(error), unposted=not query_first)
        raise
    return Delivery(verdict, "posted", is_posted=True)


def _is_late_admission(record: EventRecord) -> bool:
    return record.run == 1 and record.admitted_at - record.event.received_at > LATE_ADMISSION_SECONDS


def _post(
    services: Services,
    record: EventRecord,
    verdict: Verdict,
    deadline: float,
    confirm: Callable[[], None],
) -> None:
    event = record.event
    if event.point.result_operation is ResultOperation.WORKBENCH and verdict.result is Result.WARN:
        # Operation Center has no WARN: the operation continues, and only the ledger has the tip.
        log.info("warn_downgraded", event_code=event.event_code)
    services.dataworks.post_result(
        event.point.result_operation,
        event.message_id,
        verdict.result,
        verdict.tip,
        deadline=deadline,
        quota_deadline=deadline - CALL_RESERVE,
        deadline_at=record.deadline_at,
        confirm=confirm,
    )


def _query_accepted(
    services: Services,
    record: EventRecord,
    verdict: Verdict,
    deadline: float,
    *,
    is_required: bool = False,
) -> Verdict | None:
    """Return the verdict that DataWorks has for this event; None if it waits for one.

    Args:
        services: of this process.
        record: the event.
        verdict: the frozen verdict.
        deadline: of the query, in seconds since the epoch.
        is_required: whether nothing may be posted without an answer; else None is returned if there is none.

    Raises:
        DataWorksError: an answer is required, but DataWorks cannot be queried or does not list the event.
    """
    event = record.event
    try:
        processes = services.dataworks.check_processes(
            event.event_code, project_id=event.project_id, message_id=event.message_id, deadline=deadline
        )
    except DataWorksError as error:
        if is_required:
            raise
        if not isinstance(error, Transient):
            log.warning("check_process_unavailable", error=error.code)
        return None
    if is_required and not processes:
        raise Unreachable(
            operations.CHECK_PROCESSES.action, "NotListed", "expected the event's check process"
        )
    accepted = conclude_accepted(verdict, [item.status for item in processes], clock.now())
    if accepted and accepted.result is not verdict.result:
        log.warning(
            "answered_differently",
            event_code=event.event_code,
            accepted=accepted.result.value,
            result=verdict.result.value,
        )
    return accepted
