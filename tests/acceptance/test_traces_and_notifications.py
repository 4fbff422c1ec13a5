"""What real processes send to receivers outside: one trace per run of an event, and notifications."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest

from common.ledger import State
from tests.conftest import built_in_policy
from tests.support.emulator_process import KEY_ID, KEY_SECRET
from tests.support.engines import Valkey
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan, covered_share, receiving
from tests.support.running_dwgate import TARGET, TOKEN, RunningDwgate, fleet, wait_for, wait_until_final
from tests.support.webhook import Webhook, webhook

COMMITS = 5
"""Commits of which one has to be covered: on a busy machine a process may have to wait between two spans."""


NOTIFICATIONS = """
notifications:
  routes:
    - {kinds: [blocked-operation], to: [ops]}
    - {kinds: [rerun-differs, dead-event], to: [lead]}
"""


@dataclass(frozen=True)
class TracedGate:
    """A fleet that traces every event, and the receivers of its spans and notifications."""

    gate: RunningDwgate
    receiver: OtlpReceiver
    hook: Webhook

    def trace(self, message_id: str, last: str, run: int = 1) -> list[ReceivedSpan]:
        """Return the trace of an event when its span `last` has arrived, with those that began before."""
        wait_for(lambda: any(span.name == last for span in self.receiver.trace_of(message_id, run)), 20)
        names = {"POST /events", "intake", "report"} if run == 1 else {"requeue", "intake", "report"}
        wait_for(lambda: names <= {span.name for span in self.receiver.trace_of(message_id, run)}, 20)
        return self.receiver.trace_of(message_id, run)


@pytest.fixture(scope="module")
def traced(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracedGate]:
    """A fleet without intake: only the watchdog's processes run at first."""
    valkey.restore()
    valkey.clean()
    folder = tmp_path_factory.mktemp("traces")
    policy = folder / "policy.yaml"
    text = built_in_policy().replace("run-file: {deadline: 20", "run-file: {deadline: 8")
    policy.write_text(text + NOTIFICATIONS)
    with receiving() as receiver, webhook() as hook:
        settings = {
            "DWGATE_NOTIFICATION_TARGETS": f"ops={hook.target}ops\nlead={hook.target}lead",
            "DWGATE_TRACE_RATIO": "1",
            "DWGATE_POLICY_FILE": str(policy),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with fleet(valkey.url, valkey.url, folder, workers=0, settings=settings) as gate:
            gate.start_worker("--role", "watchdog")
            yield TracedGate(gate, receiver, hook)


@pytest.fixture(scope="module")
def taken_over(traced: TracedGate) -> str:
    """An event that was planned without intake; then the other roles are started."""
    message_id = traced.gate.send("run-file-bad")
    wait_for(lambda: (record := traced.gate.ledger.get(message_id)) and record.state is not State.RECEIVED)
    traced.gate.start_worker(
        "--role", "intake", "--role", "checks-cpu", "--role", "checks-io", "--role", "reporter"
    )
    wait_until_final(traced.gate, message_id)
    return message_id


def test_an_event_that_the_watchdog_takes_over_stays_in_its_trace(
    traced: TracedGate, taken_over: str
) -> None:
    spans = traced.trace(taken_over, "report")
    assert len({span.trace_id for span in spans}) == 1
    [intake] = [span for span in spans if span.name == "intake" and span.service == "dwgate-recovery"]
    [root] = [span for span in spans if span.name == "POST /events"]
    assert intake.parent_id == root.span_id
    assert (root.service, root.parent_id) == ("dwgate-ingest", "")


@pytest.mark.usefixtures("taken_over")
def test_a_trace_covers_the_time_of_a_commit(traced: TracedGate) -> None:
    gate, shares = traced.gate, []
    for _ in range(COMMITS):
        message_id, event, sample = gate.sample("commit-file-bad")
        gate.start_process(message_id, sample)
        body = orjson.dumps(event)
        headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
        started_at = time.time()
        gate.post_raw(body, headers)
        verdict = gate.verdict(message_id)
        spans = traced.trace(message_id, "checks")
        shares.append(covered_share(spans, "UpdateIDEEventResult", verdict["at"] - started_at))
        if shares[-1] >= 0.95:
            break
    assert max(shares) >= 0.95
    names = {span.name for span in spans}
    assert names >= {"wait for intake", "GetIDEEventDetail", "wait for checks", "check code-review", "checks"}
    [report] = [span for span in spans if span.name == "report"]
    assert report.attributes["dwgate.result"] == "FAIL"
    [review] = [span for span in spans if span.name == "check code-review"]
    assert (review.attributes["dwgate.outcome"], review.service) == ("findings", "dwgate-checks")
    assert {f'"trace_id": "{review.trace_id}"' in line for line in lines_about(gate, message_id)} == {True}


@pytest.mark.usefixtures("taken_over")
def test_a_requeue_has_a_trace_that_is_linked_to_the_first(traced: TracedGate) -> None:
    gate = traced.gate
    message_id = gate.send("freeze-node-good")
    wait_until_final(gate, message_id)
    subprocess.run(
        [sys.executable, "-m", "console.main", "requeue", message_id, "--reason", "to see its trace"],
        env=gate.environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    first, second = traced.trace(message_id, "report"), traced.trace(message_id, "report", run=2)
    [requeue] = [span for span in second if span.name == "requeue"]
    assert requeue.links == (first[0].trace_id,)
    assert requeue.parent_id == ""
    assert {span.trace_id for span in second} == {requeue.trace_id} != {first[0].trace_id}


@pytest.mark.usefixtures("taken_over")
def test_no_span_contains_code_or_a_secret_or_a_person(traced: TracedGate) -> None:
    gate = traced.gate
    message_id, event, sample = gate.sample("commit-file-bad")
    event["data"]["operator"] = "9900112233445566"
    gate.start_process(message_id, sample)
    gate.post(event)
    traced.trace(message_id, "report")
    content = traced.receiver.content
    assert message_id.encode() in content
    for secret in (TOKEN, KEY_ID, KEY_SECRET, "9900112233445566", "SELECT", "select"):
        assert secret.encode() not in content


@pytest.mark.usefixtures("taken_over")
def test_a_blocked_operation_is_notified_after_its_verdict(traced: TracedGate) -> None:
    message_id = traced.gate.send("commit-file-bad")
    assert traced.gate.verdict(message_id)["result"] == "FAIL"
    wait_for(lambda: any(message_id in text for text in traced.hook.messages))
    [text] = [text for text in traced.hook.messages if message_id in text]
    assert "blocked by: code-review (" in text
    assert {path for path, _ in traced.hook.received} == {"/ops"}
    answer = subprocess.run(
        [sys.executable, "-m", "console.main", "notify", "test", "lead", "--language", "zh"],
        env=traced.gate.environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.stdout == "lead: sent\n"
    assert "测试" in traced.hook.messages[-1]


def lines_about(gate: RunningDwgate, message_id: str) -> list[str]:
    """Return the lines of the logs about an event."""
    lines = [line for line in gate.logs().splitlines() if message_id in line]
    assert {json.loads(line)["event"] for line in lines} >= {"event_admitted", "event_reported"}
    return lines
