"""Spans in a process of their own: what is exported, and that nothing happens while tracing is disabled."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from common.events import Event
from common.tracing import continue_trace, current_trace_id, event_scope, is_traced, span, start_trace
from common.tracing.recorder import TracingUnusable, require_usable_environment
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan, receiving

TEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACED = Event("id", "commit-file", 1, None, None, {}, 1.0, traceparent=TEXT)
PLAIN = Event("id", "commit-file", 1, None, None, {}, 1.0)

PRELUDE = """
import os, sys
from common import tracing
from common.log import configure_logging
configure_logging("info", "worker")
tracing.configure(1, "worker")
"""


def run(code: str, receiver: OtlpReceiver | None = None, **environment: str) -> str:
    """Run `code` in a process that exports to `receiver`; return what it logged."""
    if receiver:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def named(receiver: OtlpReceiver) -> dict[str, ReceivedSpan]:
    return {span.name: span for span in receiver.spans}


def test_spans_inside_each_other_are_one_trace() -> None:
    with receiving() as receiver:
        run(
            PRELUDE
            + """
with tracing.start_trace("first", "server", started_at=10.0, event_code="commit-file"):
    with tracing.span("second", check=None) as span:
        span.set(outcome="passed")
    tracing.record_span("wait", 11.0, 9.0)
tracing.shut_down()
""",
            receiver,
        )
    spans = named(receiver)
    first, second, wait = spans["first"], spans["second"], spans["wait"]
    assert {item.trace_id for item in spans.values()} == {first.trace_id}
    assert second.parent_id == wait.parent_id == first.span_id
    assert (first.parent_id, first.start, first.service) == ("", 10.0, "dwgate-worker")
    assert first.attributes == {"dwgate.event_code": "commit-file"}
    assert second.attributes == {"dwgate.outcome": "passed"}
    assert wait.end == wait.start == 11.0  # clocks that differ


def test_of_an_exception_only_the_type_is_recorded() -> None:
    with receiving() as receiver:
        run(
            PRELUDE
            + """
try:
    with tracing.start_trace("failing"):
        raise ValueError("secret of the node")
except ValueError:
    pass
tracing.shut_down()
""",
            receiver,
        )
    assert named(receiver)["failing"].attributes == {"error.type": "ValueError"}
    assert b"secret" not in receiver.content


def test_a_process_forked_after_the_first_span_exports_its_own_spans() -> None:
    with receiving() as receiver:
        run(
            PRELUDE
            + """
with tracing.start_trace("parent") as span:
    if not (child := os.fork()):
        with tracing.continue_trace(span.traceparent), tracing.span("child"):
            pass
        tracing.shut_down()
        os._exit(0)
    os.waitpid(child, 0)
tracing.shut_down()
""",
            receiver,
        )
    spans = named(receiver)
    assert sorted(span.name for span in receiver.spans) == ["child", "parent"]
    assert spans["child"].parent_id == spans["parent"].span_id


def test_the_trace_of_a_requeue_is_linked_to_the_one_before() -> None:
    with receiving() as receiver:
        run(
            PRELUDE
            + f"""
from common.events import Event
event = Event("id", "commit-file", 1, None, None, {{}}, 1.0, traceparent="{TEXT}")
tracing.record_requeue(event, 2, 1.0, 2.0)
with tracing.event_scope(event, 2), tracing.span("intake"):
    pass
tracing.shut_down()
""",
            receiver,
        )
    requeue, intake = named(receiver)["requeue"], named(receiver)["intake"]
    assert requeue.links == (TRACE_ID,)
    assert requeue.trace_id == intake.trace_id != TRACE_ID
    assert intake.parent_id == requeue.span_id


def test_lost_spans_are_one_line_without_the_address() -> None:
    logged = run(
        PRELUDE
        + """
for _ in range(3):
    with tracing.start_trace("lost"):
        pass
tracing.shut_down()
""",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9/path-with-key",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )
    [line] = [json.loads(line) for line in logged.splitlines()]
    assert line["event"] == "trace_export_failed"
    assert "path-with-key" not in logged


def test_the_sdk_can_be_disabled_by_its_own_variable() -> None:
    run(
        PRELUDE + 'assert tracing.start_trace("none").traceparent is None; tracing.shut_down()',
        OTEL_SDK_DISABLED="true",
    )


@pytest.mark.parametrize("module", ["workers.process.preloaded", "ingest.server", "console.commands.requeue"])
def test_a_process_that_traces_nothing_loads_nothing_of_opentelemetry(module: str) -> None:
    run(
        f"import sys, {module}\n"
        "from common import tracing\n"
        "tracing.configure(0, 'worker')\n"
        "assert tracing.start_trace('x').traceparent is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.')]"
    )


def test_without_tracing_nothing_is_recorded_and_the_log_still_names_the_trace() -> None:
    assert start_trace("x").traceparent is None
    with event_scope(TRACED, 1), span("x") as none:
        assert none.traceparent is None
        assert not is_traced()
        assert current_trace_id() == TRACE_ID
        with event_scope(PLAIN, 1):
            assert current_trace_id() is None
        with continue_trace("no traceparent"):
            assert current_trace_id() is None
        assert current_trace_id() == TRACE_ID
    assert current_trace_id() is None


def test_a_line_of_the_log_names_the_trace() -> None:
    logged = run(
        f"""
import structlog
from common import tracing
from common.log import configure_logging
configure_logging("info", "worker")
structlog.get_logger("workers").info("before")
with tracing.continue_trace("{TEXT}"):
    structlog.get_logger("workers").info("inside")
"""
    )
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [line.get("trace_id") for line in lines] == [None, TRACE_ID]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "expected http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "not a URL of the form http://… or https://…"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TracingUnusable, match=name) as raised:
        require_usable_environment()
    assert expected in str(raised.value)
    assert value not in str(raised.value)
