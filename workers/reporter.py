"""Decides an event once and posts exactly that verdict."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import redis
import structlog
from celery.worker.state import active_requests

from common.ledger import Record, Turn
from common.points import Answer
from common.verdicts import Result, Verdict
from workers import metrics, planner, retry
from workers.dataworks.errors import DataWorksError, Refused, ReplyLost, Throttled, Transient
from workers.dataworks.values import ProcessStatus
from workers.decide import decide
from workers.services import Services
from workers.task import MOST_RETRIES, place

POST_SECONDS = 8.0
"""How long one attempt to post may take, waiting for the quota included."""

HERE_SECONDS = 2.0
"""How long something may take in a process that has other things to do."""

CALL_SECONDS = 1.5
"""How much of an attempt is left for the call itself when it has waited for the quota."""

MOST_AT_WORK = 8
"""Tasks at once above which such a process leaves verdicts to the reporters: they compute on another core."""

CROWDED_SECONDS = 0.5
"""How long such a process does not even try when the quota was used up."""

LISTEN_SECONDS = 1.0
"""How long a reporter with nothing to do waits to be called: then it looks for what others left."""

LEASE_SECONDS = POST_SECONDS + 4.0
"""How long one reporter keeps the others off an event: an attempt, with a question before and after."""

DUE_PATIENCE = 3.0
"""How long a reporter that holds the lease is waited for when the deadline nears: it may be dead.

The verdict is frozen, and who takes over asks DataWorks first: at worst the same verdict is posted twice.
"""

NAME = "dwgate.report"
"""How the metrics of tasks call the posting of a verdict."""

LATE_ADMISSION_SECONDS = 25.0
"""An event admitted so long after its arrival may have been answered before a lost ledger forgot it."""

log = structlog.get_logger()


def finish(services: Services, message_id: str, run: int, deadline_at: float) -> None:
    """Report an event whose outcomes are all in: on the spot, or by the reporters.

    What is not posted in a moment on the spot waits its turn, where it holds up no check.
    """
    if may_post_here(services):
        try:
            if report(services, message_id, run, seconds=HERE_SECONDS) is None:
                return
        except DataWorksError as error:
            log.info("not-posted-here", error=error.code)
            if isinstance(error, Throttled):
                services.crowded_until = time.monotonic() + CROWDED_SECONDS
    services.ledger.turns.wait(Turn(message_id, run, deadline_at))


def may_post_here(services: Services) -> bool:
    """Whether this process is made for waiting, and has time to post a verdict."""
    crowded = len(active_requests) > MOST_AT_WORK or time.monotonic() < services.crowded_until
    return services.may_wait and not crowded


def run(services: Services, stop: threading.Event, threads: int) -> None:
    """Post the verdicts that wait, `threads` at once, until `stop` is set. A fault of Redis is waited out."""
    turns = services.ledger.turns
    over: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
    busy = 0
    with ThreadPoolExecutor(threads, "report") as pool:
        while not stop.is_set():
            ended = _ended(over, wait=busy == threads)
            busy -= len(ended)
            try:
                free = threads - busy
                taken, waiting = turns.take(free, LEASE_SECONDS, [turn for turn in ended if turn])
                metrics.VERDICTS_WAITING.set(waiting)
                for turn in taken:
                    pool.submit(_guarded, services, turn, over)
                busy += len(taken)
                if len(taken) < free:
                    turns.listen(LISTEN_SECONDS)
            except redis.RedisError as error:
                log.warning("reporter-waits", error=type(error).__name__)
                stop.wait(1.0)


def _ended(over: queue.SimpleQueue[Turn | None], *, wait: bool) -> list[Turn | None]:
    """Return what ended since the last look; with `wait` at least one."""
    ended = [over.get()] if wait else []
    with suppress(queue.Empty):
        while True:
            ended.append(over.get_nowait())
    return ended


def _guarded(services: Services, turn: Turn, over: queue.SimpleQueue[Turn | None]) -> None:
    """See to a turn; put it to those that are over, or None when it is to be taken again."""
    started, end = time.perf_counter(), "failed"
    with structlog.contextvars.bound_contextvars(message_id=turn.message_id):
        try:
            end = "done" if post(services, turn) else "retried"
        except redis.RedisError as error:
            end = "retried"
            log.warning("report-fault", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one verdict must not hold up the others
            log.error("report-failed", error=type(error).__name__, at=place(error))
        finally:
            over.put(None if end == "retried" else turn)
    metrics.TASKS.labels(NAME, end).inc()
    metrics.TASK_SECONDS.labels(NAME).observe(time.perf_counter() - started)


def post(services: Services, turn: Turn) -> bool:
    """Report the event of `turn`, or put it off.

    Returns:
        Whether it is done: posted, nothing to post, or left to the watchdog since its deadline is too near.

    Raises:
        DataWorksError: the verdict was refused for good; the watchdog looks at it.
    """
    try:
        seconds = report(services, turn.message_id, turn.run)
    except Transient as error:
        decision = retry.decide(turn.tries + 1, now=time.time(), until=turn.deadline_at, most=MOST_RETRIES)
        log.warning("not-posted", error=error.code, attempts=turn.tries + 1, again=decision.again)
        seconds = decision.seconds if decision.again else None
    if seconds is None or time.time() + seconds >= turn.deadline_at:
        return True
    services.ledger.turns.put_off(turn, seconds)
    return False


def report(
    services: Services,
    message_id: str,
    run: int | None = None,
    *,
    due: bool = False,
    seconds: float = POST_SECONDS,
) -> float | None:
    """Decide the event if it is complete (or `due`), and post its frozen verdict.

    Args:
        services: this process's parts.
        message_id: the event.
        run: the run to report; None for whichever is current.
        due: decide with what is there; missing checks count as the policy says.
        seconds: how long posting may take.

    Returns:
        None when there is nothing more to do; seconds to wait when another reporter is at it.

    Raises:
        DataWorksError: the verdict was not posted; it stays frozen.
    """
    owner = uuid.uuid4().hex
    patience = DUE_PATIENCE if due else None
    claim = services.ledger.claim(message_id, owner, LEASE_SECONDS, run, patience=patience)
    if claim.record is None:
        return claim.wait
    record = claim.record
    if not due and record.verdict is None and (record.plan is None or record.missing):
        services.ledger.release(message_id, owner)
        return None
    frozen = services.ledger.freeze(message_id, owner, record.verdict or decided(services, record))
    if frozen is None:
        return LEASE_SECONDS
    verdict, begun = frozen
    ask_first = begun or _late_admission(record)
    how = _deliver(services, record, verdict, owner, time.time() + seconds, ask_first=ask_first)
    services.ledger.reported(message_id, owner, how)
    _count(record, verdict, how)
    return None


def decided(services: Services, record: Record) -> Verdict:
    """Return what plan and outcomes decide now; a plan that was never made is made from the policy."""
    planned = record.plan or planner.plan(record.event, services.policy, services.checks)
    return decide(
        planned,
        record.outcomes,
        message_id=record.event.message_id,
        now=time.time(),
        waivers=services.waivers,
        details_url=services.settings.details_url,
    )


def _late_admission(record: Record) -> bool:
    return record.run == 1 and record.admitted_at - record.event.received_at > LATE_ADMISSION_SECONDS


def _deliver(
    services: Services, record: Record, verdict: Verdict, owner: str, until: float, *, ask_first: bool
) -> str:
    """Make sure that DataWorks has the verdict; return by which way that is known."""
    if record.taken:
        return f"rerun {verdict.result}, not posted: {record.taken.result} was taken"
    if ask_first and _answered(services, record, until):
        return "found answered"
    try:
        _post(services, record, verdict, until)
    except ReplyLost as error:
        if _answered(services, record, until):
            return "posted, reply lost"
        services.ledger.release(record.event.message_id, owner, note=str(error), unposted=False)
        raise
    except DataWorksError as error:
        if isinstance(error, Refused) and _answered(services, record, until):
            return "found answered"
        # Nothing was applied: unless an earlier attempt may have been, the next one need not ask.
        services.ledger.release(record.event.message_id, owner, note=str(error), unposted=not ask_first)
        raise
    return "posted"


def _post(services: Services, record: Record, verdict: Verdict, until: float) -> None:
    event = record.event
    if event.point.answer is Answer.WORKBENCH and verdict.result is Result.WARN:
        # Operation Center has no WARN: the operation goes on, and the tip is kept here.
        log.info("warning-not-shown", event_code=event.event_code)
    services.dataworks.post_result(
        event.point.answer,
        event.message_id,
        verdict.result,
        verdict.tip,
        until=until,
        slot_by=until - CALL_SECONDS,
        deadline_at=record.deadline_at,
    )


def _answered(services: Services, record: Record, until: float) -> bool:
    """Whether DataWorks no longer waits for this event; False also when it cannot say."""
    event = record.event
    try:
        processes = services.dataworks.check_processes(
            event.event_code, project_id=event.project_id, message_id=event.message_id, until=until
        )
    except Transient:
        return False
    except DataWorksError as error:
        log.warning("process-unknown", error=error.code)
        return False
    return bool(processes) and all(item.status != ProcessStatus.CHECKING for item in processes)


def _count(record: Record, verdict: Verdict, how: str) -> None:
    code, now = record.event.event_code, time.time()
    metrics.VERDICTS.labels(code, verdict.result.value, verdict.reason.value).inc()
    metrics.ANSWER_SECONDS.labels(code).observe(now - record.event.received_at)
    late = now > record.deadline_at
    if late:
        metrics.LATE.labels(code).inc()
    log.info("reported", event_code=code, result=verdict.result.value, how=how, late=late)
