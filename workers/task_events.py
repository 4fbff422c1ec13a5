"""Shows every check and every posted verdict in Flower as a task of its own, whichever process does the work.

A message of Celery has several checks, or is a token that names no event; checks also run within other tasks,
and verdicts are also posted by the watchdog. So each check and each post is reported as a separate task whose
id names the event, with the same task events that Celery sends.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import structlog

from common import topology
from common.plan import PlannedCheck
from common.verdicts import Outcome, OutcomeKind, Result, Severity
from workers.dataworks.errors import Transient

log = structlog.get_logger()

Send = Callable[..., None]
"""Sends one Celery event: the type, then the fields as keywords."""

FAILURES = {
    OutcomeKind.UNREVIEWABLE: "Unreviewable",
    OutcomeKind.ERROR: "Error",
    OutcomeKind.TIMED_OUT: "TimedOut",
}
MAX_RESULT_CHARACTERS = 65_536
"""Maximum length of the return value of a task of checks: Celery cuts a longer one."""

BLOCKED = "Blocked"
"""Shown as the exception of a check that did not finish, or counts as FAIL."""

_COUNT = rf"\d+ ({'|'.join(Severity)})"
_SAFE_RESULT = re.compile(rf"{'|'.join(Result)}|{'|'.join(OutcomeKind)}|{_COUNT}(, {_COUNT})*")


def is_safe_result(text: str) -> bool:
    """Whether Flower may show the result of a task: no other task of dwgate has one."""
    return _SAFE_RESULT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class CheckEnd:
    """How a check ended, as Flower shows it.

    Attributes:
        check: the check.
        failure: why it failed; empty if it did not.
        result: the number of its findings by severity, or the kind of its outcome.
        seconds: its duration.
    """

    check: str
    failure: str
    result: str
    seconds: float

    @classmethod
    def of(cls, planned: PlannedCheck, outcome: Outcome, seconds: float) -> CheckEnd:
        """Return how `planned` ended with `outcome` after `seconds`."""
        failure = FAILURES.get(outcome.kind, "")
        if not failure and planned.effective_result(outcome) is Result.FAIL:
            failure = BLOCKED
        found = Counter(item.severity for item in outcome.findings if not (item.waived or item.suppressed))
        counts = [f"{found[severity]} {severity}" for severity in reversed(Severity) if found[severity]]
        return cls(planned.name, failure, ", ".join(counts) or outcome.kind.value, round(seconds, 6))


def encode_ends(ends: Iterable[CheckEnd]) -> str:
    """Return `ends` as the return value of a task. Celery passes on its representation, without escapes."""
    return base64.b64encode(json.dumps([astuple(end) for end in ends]).encode()).decode()


def decode_ends(representation: str) -> list[CheckEnd]:
    """Return the ends in the representation of a task's return value."""
    return [CheckEnd(*fields) for fields in json.loads(base64.b64decode(representation.strip("'")))]


class TaskEvents:
    """Sends the task events of checks and reports.

    Args:
        send: sends an event if events are enabled; `send_nothing` in a process without task events.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    @contextmanager
    def as_report(self, message_id: str, run: int, result: Result) -> Iterator[None]:
        """Show the block as the post of a verdict.

        All events are sent after the block, with the original times, so that a slow broker delays no verdict.
        """
        started = time.time()
        end, fields = "task-succeeded", dict[str, Any](result=result.value)
        try:
            yield
        except Exception as error:
            end = "task-retried" if isinstance(error, Transient) else "task-failed"
            fields = {"exception": type(error).__name__}
            raise
        finally:
            self._show(task_id(message_id, run, "report"), topology.TASK_REPORT, started, end, fields)

    def show_checks(self, message_id: str, run: int, ends: Iterable[CheckEnd]) -> None:
        """Show checks that have just ended in this process."""
        now = time.time()
        for end in ends:
            kind, fields = end_event(end)
            name = check_task_name(end.check)
            self._show(task_id(message_id, run, end.check), name, now - end.seconds, kind, fields)

    def _show(self, uuid: str, name: str, started: float, end: str, fields: dict[str, Any]) -> None:
        now = time.time()
        fields.setdefault("runtime", now - started)
        try:
            self._send("task-received", timestamp=started, **received_fields(uuid, name))
            self._send("task-started", uuid=uuid, timestamp=started)
            self._send(end, uuid=uuid, timestamp=now, **fields)
        except Exception as error:  # noqa: BLE001 - Flower must not affect a verdict
            log.info("task_events_dropped", error=type(error).__name__)


def received_fields(uuid: str, name: str) -> dict[str, Any]:
    """Return the fields of the event that introduces a task."""
    return {"uuid": uuid, "name": name, "args": "", "kwargs": "{}", "retries": 0}


def end_event(end: CheckEnd) -> tuple[str, dict[str, Any]]:
    """Return the event by which a check ends, and its fields."""
    if end.failure:
        return "task-failed", {"runtime": end.seconds, "exception": f"{end.failure}: {end.result}"}
    return "task-succeeded", {"runtime": end.seconds, "result": end.result}


def send_nothing(*_: object, **__: object) -> None:
    """Send no event."""


def check_task_name(check: str) -> str:
    """Return the name of the task as which Flower shows a check."""
    return f"{topology.TASK_CHECK}.{check}"


def task_id(message_id: str, run: int, what: str) -> str:
    """Return the id of a check or of a report (`report`) in Flower."""
    return f"{message_id}.{run}.{what}"
