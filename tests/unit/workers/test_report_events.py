"""The task events by which Flower shows the posting of a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from workers.dataworks.errors import RequestRejected, Unreachable
from workers.report_events import ReportEvents


class Sent(list[tuple[str, dict[str, Any]]]):
    """Keeps the events that are sent."""

    def send(self, kind: str, **fields: Any) -> None:
        self.append((kind, fields))


def test_a_post_is_shown_as_a_task_whose_id_names_the_event() -> None:
    sent = Sent()
    with ReportEvents(sent.send).as_task("m-1", 2):
        assert sent == []  # nothing may delay the post
    assert [kind for kind, _ in sent] == ["task-received", "task-started", "task-succeeded"]
    assert {fields["uuid"] for _, fields in sent} == {"m-1.2.report"}
    assert sent[0][1]["name"] == "dwgate.report"
    times = [fields["timestamp"] for _, fields in sent]
    assert times == sorted(times)
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
    with pytest.raises(type(error)), ReportEvents(sent.send).as_task("m-1", 1):
        raise error
    assert sent[-1][0] == kind
    assert sent[-1][1]["exception"] == type(error).__name__
    assert "secret" not in repr(sent)


def test_events_that_cannot_be_sent_change_nothing() -> None:
    def send(*_: object, **__: object) -> None:
        raise ConnectionError

    with ReportEvents(send).as_task("m-1", 1):
        pass
