"""`dwgate requeue` runs stored events again and never posts a second, different result."""

from __future__ import annotations

import json
import subprocess
import sys

from common.ledger import State
from tests.support.running_dwgate import RunningDwgate, wait_for, wait_until_final

OPERATION = "UpdateIDEEventResult"


def dwgate(gate: RunningDwgate, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.main", *arguments],
        env=gate.environment,
        cwd=gate.directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def show(gate: RunningDwgate, message_id: str) -> dict[str, object]:
    answer = dwgate(gate, "events", "show", message_id, "--json")
    assert answer.returncode == 0, answer.stderr
    shown: dict[str, object] = json.loads(answer.stdout)
    return shown


def keep_from_reconciler(gate: RunningDwgate) -> None:
    """Make the list of waiting operations fail, so that the reconciler does not answer an event first."""
    gate.emulator.fault("throttle", action="ListCheckProcesses", times=None)


def test_a_dead_event_is_run_again_and_answered(gate: RunningDwgate) -> None:
    name = "run-file-bad"
    message_id, event, sample = gate.sample(name)
    gate.emulator.fault(
        "error", action=OPERATION, message_id=message_id, times=None, status=403, code="Forbidden.Access"
    )
    keep_from_reconciler(gate)
    gate.start_process(message_id, sample)
    gate.post(event)
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.DEAD, 60)
    listed = dwgate(gate, "events", "list", "--state", "dead", "--json")
    [dead] = [each for each in json.loads(listed.stdout)["events"] if each["message_id"] == message_id]
    assert (dead["verdict"], dead["frozen"]["result"], dead["rerun"]) == (None, "FAIL", None)

    dry = dwgate(gate, "requeue", "--failed", "--event-code", "run-file", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert message_id[:8] in dry.stdout
    assert (record := gate.ledger.get(message_id))
    assert record.run == 1

    gate.emulator.clear_faults()
    keep_from_reconciler(gate)
    done = dwgate(gate, "requeue", "--failed", "--event-code", "run-file", "--reason", "access granted")
    assert done.returncode == 0, done.stderr
    assert gate.verdict(message_id)["result"] == "FAIL"
    assert wait_until_final(gate, message_id).run == 2
    assert len(gate.posts(message_id)) == 1
    gate.emulator.clear_faults()
    trail = [json.loads(line) for line in dwgate(gate, "audit", "--json").stdout.splitlines()]
    requeued = [
        each["reason"] for each in trail if (each["action"], each["subject"]) == ("requeue", message_id)
    ]
    assert requeued == ["access granted"]
    # The worker recorded its policy when it started.
    assert [each["subject"] for each in trail if each["action"] == "policy-changed"] == ["policy"]


def test_an_answered_event_is_run_again_and_nothing_is_posted(gate: RunningDwgate) -> None:
    message_id = gate.send("freeze-node-bad")
    assert gate.verdict(message_id)["result"] == "FAIL"
    wait_until_final(gate, message_id)

    done = dwgate(gate, "requeue", message_id, "--reason", "try the new policy")
    assert done.returncode == 0, done.stderr
    assert "FAIL" in done.stdout
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.run == 2 and r.state is State.REPORTED)
    timeline = show(gate, message_id)["timeline"]
    assert "not posted: FAIL was already accepted" in str(timeline)
    assert len(gate.posts(message_id)) == 1


def test_an_ignored_event_for_which_dataworks_waits_is_run(gate: RunningDwgate) -> None:
    message_id, event, sample = gate.sample("freeze-node-bad", blocking=False)
    del event["data"]["extensionBizId"]
    gate.post(event)
    assert wait_until_final(gate, message_id).state is State.IGNORED
    left = dwgate(gate, "requeue", message_id, "--reason", "a person waits")
    assert "DataWorks does not wait for it" in " ".join(left.stdout.split())

    gate.start_process(message_id, sample)
    dwgate(gate, "requeue", message_id, "--reason", "a person waits")
    assert gate.verdict(message_id)["result"] == "FAIL"
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.REPORTED)
    assert len(gate.posts(message_id)) == 1


def test_a_rerun_with_another_result_is_reported_and_not_posted(gate: RunningDwgate) -> None:
    gate.emulator.fault("error", action="GetNodeChildren", times=None, status=403, code="Forbidden.RAM")

    def send_without_lookups() -> str | None:
        """Send an event; a process may still have copies of what others have looked up."""
        for key in gate.ledger.client.scan_iter(gate.ledger.key("answers:*")):
            gate.ledger.client.delete(key)
        sent = gate.send("delete-file-bad")
        return sent if gate.verdict(sent)["result"] == "WARN" else None

    message_id = wait_for(send_without_lookups, 30, every=0.5)
    assert message_id is not None
    answered = wait_until_final(gate, message_id)
    gate.emulator.clear_faults()

    done = dwgate(gate, "requeue", message_id, "--reason", "lookups succeed again")
    assert done.returncode == 0, done.stderr
    assert f"{message_id}: DataWorks accepted WARN, the rerun is FAIL: not posted" in done.stdout
    shown = show(gate, message_id)
    verdict, rerun = shown["verdict"], shown["rerun"]
    assert isinstance(verdict, dict)
    assert isinstance(rerun, dict)
    assert (verdict["result"], verdict["reported_at"]) == ("WARN", answered.reported_at)
    assert (rerun["result"], rerun["run"], rerun["is_different"]) == ("FAIL", 2, True)
    assert "WARN (rerun: FAIL)" in dwgate(gate, "events", "list").stdout
    trail = dwgate(gate, "audit", "--action", "rerun-differs", "--json").stdout.splitlines()
    assert message_id in [json.loads(line)["subject"] for line in trail]
    assert [post["result"] for post in gate.posts(message_id)] == ["WARN"]


def test_an_unknown_event_is_reported_as_unknown(gate: RunningDwgate) -> None:
    assert "unknown event" in dwgate(gate, "requeue", "no-such-id", "--reason", "r").stdout
    answer = dwgate(gate, "events", "show", "no-such-id")
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1


def test_no_selection_is_a_usage_error(gate: RunningDwgate) -> None:
    assert dwgate(gate, "requeue").returncode == 2
