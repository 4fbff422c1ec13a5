"""The context of a trace: its text, and the trace of a requeue."""

from __future__ import annotations

import pytest

from common.events import Event
from common.tracing import TraceContext

TEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT = Event("id", "commit-file", 1, None, None, {}, 1.0, traceparent=TEXT)


def test_a_traceparent_is_read_and_written() -> None:
    context = TraceContext.parse(TEXT)
    assert context is not None
    assert context.traceparent == TEXT
    assert context.trace_text == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        TEXT[:-2] + "00",  # not sampled
        TEXT.upper(),
        TEXT + "\n",
        TEXT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        TEXT.replace("b7ad6b7169203331", "0" * 16),
    ],
)
def test_what_is_no_sampled_traceparent_is_no_context(text: object) -> None:
    assert TraceContext.parse(text) is None


def test_a_requeue_has_a_trace_of_its_own_that_every_process_finds() -> None:
    runs = [TraceContext.of_run(EVENT, run) for run in (1, 2, 3)]
    assert runs[0] == TraceContext.parse(TEXT)
    assert len({run.trace_id for run in runs if run}) == 3
    assert TraceContext.of_run(EVENT, 3) == runs[2]


def test_an_event_without_a_trace_has_none_after_a_requeue() -> None:
    assert TraceContext.of_run(Event("id", "commit-file", 1, None, None, {}, 1.0), 2) is None


def test_an_event_carries_its_trace() -> None:
    assert Event.from_json(EVENT.to_json()) == EVENT


def test_an_event_without_a_trace_has_no_further_field() -> None:
    event = Event("id", "commit-file", 1, None, None, {}, 1.0)
    assert "traceparent" not in event.to_json()
    assert Event.from_json(event.to_json()) == event


@pytest.mark.parametrize("value", [None, 7, "no traceparent", TEXT[:-2] + "00"])
def test_an_invalid_trace_of_an_event_is_ignored(value: object) -> None:
    assert Event.from_json({**EVENT.to_json(), "traceparent": value}).traceparent is None
