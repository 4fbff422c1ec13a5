"""The text of notifications: both languages, bounded, and without persons, code or the text of findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.ledger import State
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Reason, Result, Severity, Verdict
from tests.support.records import EVENT, record
from workers.notifications.message import MAX_BODY, render_message
from workers.notifications.model import NotificationKind
from workers.notifications.notification import (
    MAX_FIELD,
    Notification,
    NotificationInvalid,
    blocked_operation,
    bound,
    dead_event,
    rerun_differs,
)
from workers.notifications.weekly_report import week_of, weekly_report

BLOCKED = record(
    State.REPORTED,
    "code-review",
    "table-change",
    event=replace(EVENT, data={"fileName": "dwd_orders"}),
    outcomes={
        "code-review": Outcome.of(
            [
                Finding("MC-P01", Severity.BLOCK, "SELECT secret_column FROM orders"),
                Finding("MC-P04", Severity.WARN, "a warning"),
            ]
        ),
        "table-change": Outcome(OutcomeKind.PASSED),
    },
)


def test_a_blocked_operation_names_checks_and_rules_but_no_text_of_findings() -> None:
    notification = blocked_operation(BLOCKED)
    message = render_message(notification, Language.ENGLISH, link="https://gate.example.com/events/e-1")
    assert message.title == "[dwgate] An operation was blocked"
    assert message.body.splitlines() == [
        "workspace: 93124",
        "extension point: commit-file",
        "object: dwd_orders",
        "blocked by: code-review (MC-P01)",
        "event: e-1",
        "details: https://gate.example.com/events/e-1",
    ]
    assert EVENT.operator
    assert EVENT.operator not in message.body


def test_a_dead_event_in_chinese() -> None:
    message = render_message(dead_event(BLOCKED, "UpdateIDEEventResult Forbidden"), Language.CHINESE)
    assert "有操作未能得到答复" in message.title
    assert "原因：UpdateIDEEventResult Forbidden" in message.body


def test_a_rerun_shows_both_results() -> None:
    accepted = Verdict(Result.OK, "", Reason.COMPLETE, 0)
    notification = rerun_differs(BLOCKED, accepted, replace(accepted, result=Result.FAIL))
    assert "accepted: OK\nrerun: FAIL" in render_message(notification, Language.ENGLISH).body


def test_those_that_were_left_out_are_counted() -> None:
    message = render_message(dead_event(BLOCKED, "x"), Language.ENGLISH, left_out=7)
    assert message.body.endswith(
        "7 further notifications to this target were left out, since there were too many"
    )


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(NotificationKind))
def test_every_kind_has_a_text_of_bounded_length(kind: NotificationKind, language: Language) -> None:
    hostile = "x\u202e\n" * 2000
    fields = bound(
        dict.fromkeys(("reason", "object", "checks", "waiver", "rule", "top", "accepted"), hostile)
    )
    message = render_message(
        Notification(kind, "k", (1,), "e-1", fields=fields), language, link="https://gate.example.com/e-1"
    )
    assert len(message.body) <= MAX_BODY
    assert "e-1" in message.body
    assert "\u202e" not in message.body
    assert max(map(len, fields.values())) == MAX_FIELD


def test_a_notification_survives_redis() -> None:
    notification = blocked_operation(BLOCKED).remaining({"ops": "en"})
    assert Notification.from_entry(notification.to_entry()) == notification


@pytest.mark.parametrize("entry", [b"", b"null", b"{}", b'{"kind": "newer"}', b"[1]"])
def test_what_is_no_notification_is_refused(entry: bytes) -> None:
    with pytest.raises(NotificationInvalid):
        Notification.from_entry(entry)


def test_a_weekly_report_counts_events_and_the_checks_that_block() -> None:
    failed = replace(BLOCKED, accepted_verdict=Verdict(Result.FAIL, "", Reason.COMPLETE, 0))
    records = [failed, failed, record(State.DEAD), record(State.RECEIVED)]
    notification = weekly_report(records, [93124], "k", {"team": "en"}, is_complete=False)
    assert render_message(notification, Language.ENGLISH).body.splitlines() == [
        "workspace: 93124",
        "events: ≥ 4",
        "passed: 0",
        "warned: 0",
        "blocked: 2",
        "dead: 1",
        "most blocked by: code-review 2",
    ]


def test_a_week_begins_on_monday_morning_in_china() -> None:
    monday = 1_785_110_400.0  # 2026-07-27T00:00:00Z
    assert week_of(monday) == week_of(monday - 86400) == "2026-W30"
    assert week_of(monday + 3600) == "2026-W31"
