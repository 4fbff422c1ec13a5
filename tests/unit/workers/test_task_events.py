"""The task events by which Flower shows checks and the posting of verdicts."""

from __future__ import annotations

from typing import Any

import pytest
from celery.utils.saferepr import saferepr

from common.plan import Mode, PlannedCheck
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Result, Severity
from workers.check_request import check_events
from workers.dataworks.errors import RequestRejected, Unreachable
from workers.task_events import CheckEnd, TaskEvents, decode_ends, encode_ends, is_safe_result


class Sent(list[tuple[str, dict[str, Any]]]):
    """Keeps the events that are sent."""

    def send(self, kind: str, **fields: Any) -> None:
        self.append((kind, fields))


def test_a_post_is_shown_as_a_task_whose_id_names_the_event() -> None:
    sent = Sent()
    with TaskEvents(sent.send).as_report("m-1", 2, Result.FAIL):
        assert sent == []  # nothing may delay the post
    assert [kind for kind, _ in sent] == ["task-received", "task-started", "task-succeeded"]
    assert {fields["uuid"] for _, fields in sent} == {"m-1.2.report"}
    assert sent[0][1]["name"] == "dwgate.report"
    times = [fields["timestamp"] for _, fields in sent]
    assert times == sorted(times)
    assert sent[2][1]["result"] == "FAIL"
    assert sent[2][1]["runtime"] == pytest.approx(times[2] - times[1])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unreachable("Post", "InternalError", "secret"), "task-retried"),
        (RequestRejected("Post", "NoPermission", "secret"), "task-failed"),
    ],
)
def test_a_fault_is_shown_by_its_type_alone(error: Exception, kind: str) -> None:
    sent = Sent()
    with pytest.raises(type(error)), TaskEvents(sent.send).as_report("m-1", 1, Result.OK):
        raise error
    assert sent[-1][0] == kind
    assert sent[-1][1]["exception"] == type(error).__name__
    assert "secret" not in repr(sent)


def test_events_that_cannot_be_sent_change_nothing() -> None:
    def send(*_: object, **__: object) -> None:
        raise ConnectionError

    with TaskEvents(send).as_report("m-1", 1, Result.OK):
        pass


def planned(mode: Mode = Mode.ENFORCE) -> PlannedCheck:
    return PlannedCheck("code-review", mode, Result.OK, Result.OK)


def found(severity: Severity, **more: Any) -> Finding:
    return Finding("MC-P04", severity, "message", **more)


@pytest.mark.parametrize(
    ("mode", "outcome", "failure", "result"),
    [
        (Mode.ENFORCE, Outcome(OutcomeKind.PASSED), "", "passed"),
        (Mode.ENFORCE, Outcome(OutcomeKind.SKIPPED, detail="secret"), "", "skipped"),
        (Mode.ENFORCE, Outcome.of([found(Severity.WARN)]), "", "1 warn"),
        (
            Mode.ENFORCE,
            Outcome.of([found(Severity.WARN), found(Severity.BLOCK), found(Severity.BLOCK)]),
            "Blocked",
            "2 block, 1 warn",
        ),
        (Mode.AUDIT, Outcome.of([found(Severity.BLOCK)]), "", "1 block"),
        (
            Mode.ENFORCE,
            Outcome.of([found(Severity.BLOCK, waived=AppliedWaiver("W-1", "r"))]),
            "",
            "findings",
        ),
        (Mode.AUDIT, Outcome(OutcomeKind.ERROR, detail="secret"), "Error", "error"),
        (Mode.AUDIT, Outcome(OutcomeKind.TIMED_OUT), "TimedOut", "timed_out"),
        (Mode.ENFORCE, Outcome(OutcomeKind.UNREVIEWABLE), "Unreviewable", "unreviewable"),
    ],
)
def test_a_check_that_blocks_or_does_not_finish_has_failed(
    mode: Mode, outcome: Outcome, failure: str, result: str
) -> None:
    end = CheckEnd.of(planned(mode), outcome, 0.25)
    assert end == CheckEnd("code-review", failure, result, 0.25)
    assert is_safe_result(result)
    sent = Sent()
    TaskEvents(sent.send).show_checks("m-1", 2, [end])
    assert {fields["uuid"] for _, fields in sent} == {"m-1.2.code-review"}
    assert sent[0][1]["name"] == "dwgate.check.code-review"
    assert [kind for kind, _ in sent][-1] == ("task-failed" if failure else "task-succeeded")
    assert sent[-1][1]["runtime"] == 0.25
    assert "secret" not in repr(sent)
    if failure:
        assert sent[-1][1]["exception"].startswith(failure)


@pytest.mark.parametrize("text", ["None", "SELECT 1", "1 block, drop", "OK\nFAIL", ""])
def test_other_results_are_not_shown(text: str) -> None:
    assert not is_safe_result(text)


ARGUMENTS = {"message_id": "m-1", "run": 1, "checks": ["a", "b"]}


def test_a_message_of_checks_is_shown_as_its_checks() -> None:
    started = list(check_events("task-started", {}, ARGUMENTS))
    assert [(kind, fields["uuid"]) for kind, fields in started] == [
        ("task-received", "m-1.1.a"),
        ("task-started", "m-1.1.a"),
        ("task-received", "m-1.1.b"),
        ("task-started", "m-1.1.b"),
    ]
    # Celery passes on the representation of what a task returns. `a` runs again on the slow queue.
    returned = saferepr(encode_ends([CheckEnd("b", "Blocked", "1 block", 0.5)]))
    assert list(check_events("task-succeeded", {"result": returned, "runtime": 1.0}, ARGUMENTS)) == [
        ("task-failed", {"uuid": "m-1.1.b", "runtime": 0.5, "exception": "Blocked: 1 block"})
    ]
    retried = list(check_events("task-retried", {"exception": "Busy()", "traceback": "secret"}, ARGUMENTS))
    assert retried == [
        ("task-retried", {"uuid": "m-1.1.a", "exception": "Busy()"}),
        ("task-retried", {"uuid": "m-1.1.b", "exception": "Busy()"}),
    ]
    assert list(check_events("task-rejected", {"requeue": True}, ARGUMENTS)) == []


def test_the_ends_of_checks_survive_the_representation_of_celery() -> None:
    ends = [CheckEnd('it\'s "x" \\ 检查', "", "passed", 0.1)] * 100
    assert decode_ends(saferepr(encode_ends(ends), 65_536)) == ends
