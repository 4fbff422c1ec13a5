"""`dwgate events` and `dwgate requeue` as real processes on a real Valkey."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.events import Event
from common.ledger import Ledger, State, connect
from common.topology import QueueName
from common.verdicts import Outcome, OutcomeKind, Reason, Result, Verdict
from console.actor import current_actor
from deploy.local.stack import WORKER_PROCESSES
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import Valkey
from tests.support.measured import MEASURED
from tests.support.plans import plan_of
from tests.support.queues import TOPOLOGY

DWGATE = Path(sys.executable).with_name("dwgate")
VERDICT = Verdict(Result.FAIL, "FAIL: fix it", Reason.COMPLETE, time.time())


@pytest.fixture
def ledger(clean_redis_url: str) -> Iterator[Ledger]:
    client = connect(clean_redis_url)
    yield Ledger(client, EXTENSION_CODE)
    client.close()


@pytest.fixture
def dwgate(clean_redis_url: str) -> Any:
    environment = {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "DWGATE_BROKER_URL": clean_redis_url,
        "DWGATE_REDIS_URL": clean_redis_url,
        "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
        "DWGATE_REGION": "cn-shanghai",
        # DataWorks is unreachable, and the SDK must not search for credentials elsewhere.
        "DWGATE_OPENAPI_ENDPOINT": "127.0.0.1:1",
        "DWGATE_OPENAPI_PROTOCOL": "http",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "local",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "made-up",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(
            [DWGATE, *arguments],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in answer.stderr
        return answer

    return run


@pytest.mark.parametrize("command", [("events", "list"), ("events", "rejects"), ("audit",)], ids=" ".join)
def test_commands_that_read_the_ledger_need_its_settings_only(
    clean_redis_url: str, command: tuple[str, ...]
) -> None:
    environment = {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "DWGATE_REDIS_URL": clean_redis_url,
        "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
    }
    answer = subprocess.run(
        [DWGATE, *command], env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def admit(ledger: Ledger, message_id: str, event_code: str = "freeze-node") -> None:
    now = time.time()
    event = Event(message_id, event_code, 7, "42", True, {"nodeIds": [1]}, now)
    ledger.admit(event, now + 60, now + 50)


def answered(ledger: Ledger, message_id: str, kind: OutcomeKind = OutcomeKind.PASSED) -> None:
    admit(ledger, message_id)
    ledger.save_plan(message_id, 1, plan_of("downstream-impact"), None, {"downstream-impact": Outcome(kind)})
    assert ledger.acquire_report_lease(message_id, "me", 10).record
    assert ledger.freeze_verdict(message_id, "me", VERDICT)
    ledger.mark_reported(message_id, "me", "posted", VERDICT)


def queued(ledger: Ledger) -> int:
    length = ledger.client.llen(TOPOLOGY[QueueName.INTAKE].name)
    assert isinstance(length, int)
    return length


def test_a_dry_run_shows_and_changes_nothing(ledger: Ledger, dwgate: Any) -> None:
    admit(ledger, "dead-1")
    ledger.mark_dead("dead-1", "no answer")
    answer = dwgate("requeue", "--failed", "--dry-run")
    assert answer.returncode == 0
    assert "dead-1" in answer.stdout
    assert "1 of 1 events would be requeued" in answer.stdout
    assert ledger.states(["dead-1"]) == [State.DEAD]
    assert queued(ledger) == 0


def test_a_dead_event_runs_again_with_a_new_deadline(ledger: Ledger, dwgate: Any) -> None:
    admit(ledger, "dead-1")
    ledger.mark_dead("dead-1", "no answer")
    before = time.time()
    answer = dwgate("requeue", "dead-1", "--reason", "the key was\nrenewed", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["events"] == [
        {
            "message_id": "dead-1",
            "event_code": "freeze-node",
            "state": "dead",
            "action": "run",
            "text": "run again",
        }
    ]
    record = ledger.get("dead-1")
    assert record
    assert (record.state, record.run) == (State.RECEIVED, 2)
    assert record.deadline_at > before + 4
    assert queued(ledger) == 1


def test_an_ignored_event_is_left_alone_if_dataworks_cannot_be_asked(ledger: Ledger, dwgate: Any) -> None:
    admit(ledger, "ignored-1")
    ledger.mark_ignored("ignored-1", "notification")
    answer = dwgate("requeue", "ignored-1", "--reason", "r", "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    [event] = json.loads(answer.stdout)["events"]
    assert event["action"] == "leave"
    assert "cannot be asked" in event["text"]
    assert ledger.states(["ignored-1"]) == [State.IGNORED]


def test_a_requeue_is_in_the_timeline_and_the_audit_trail(ledger: Ledger, dwgate: Any) -> None:
    admit(ledger, "dead-1")
    ledger.mark_dead("dead-1", "no answer")
    assert dwgate("requeue", "dead-1", "--dry-run").returncode == 0
    assert dwgate("requeue", "dead-1", "--reason", " ").returncode == 2
    assert dwgate("audit", "--json").stdout == ""
    assert dwgate("requeue", "dead-1", "--reason", "the key\x1b[2J was\nrenewed").returncode == 0

    actor = current_actor()
    [entry] = map(json.loads, dwgate("audit", "--json").stdout.splitlines())
    assert abs(entry.pop("at") - time.time()) < 60
    assert entry == {
        "actor": actor,
        "action": "requeue",
        "subject": "dead-1",
        "reason": "the key [2J was renewed",
        "old": None,
        "new": None,
    }
    [line] = dwgate("audit", "--since", "1h", "--action", "requeue").stdout.splitlines()
    assert line.endswith(f"  {actor}  requeue  dead-1  the key [2J was renewed")
    assert dwgate("audit", "--action", "policy-changed").stdout == ""
    assert f"run 2 by {actor}: the key [2J was renewed" in dwgate("events", "show", "dead-1").stdout


def test_changed_waivers_are_in_the_audit_trail(ledger: Ledger, dwgate: Any, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    who = ("--owner", "19", "--approver", "20", "--waivers", str(file))
    added = dwgate(
        "waivers", "add", "W-1", "--rule", "MC-P04", "--reason", "old", "--expires-at", until, *who
    )
    assert (added.returncode, added.stderr) == (0, "")
    first = hashlib.sha256(file.read_bytes()).hexdigest()
    assert dwgate("waivers", "expire", "W-1", "--waivers", str(file)).returncode == 2
    expired = dwgate("waivers", "expire", "W-1", "--reason", "done", "--waivers", str(file))
    assert (expired.returncode, expired.stderr) == (0, "")
    second = hashlib.sha256(file.read_bytes()).hexdigest()
    entries = [
        (entry.action, entry.subject, entry.reason, entry.old, entry.new)
        for entry in ledger.audit_trail.entries()
    ]
    assert entries == [
        ("waiver-added", "W-1", "old", "", first),
        ("waiver-expired", "W-1", "done", first, second),
    ]


def test_a_waiver_is_not_changed_if_that_cannot_be_recorded(
    dwgate: Any, valkey: Valkey, tmp_path: Path
) -> None:
    file = tmp_path / "waivers.yaml"
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    who = ("--owner", "19", "--approver", "20", "--waivers", str(file))
    valkey.kill()
    added = dwgate(
        "waivers", "add", "W-1", "--rule", "MC-P04", "--reason", "old", "--expires-at", until, *who
    )
    assert added.returncode == 3
    assert not file.exists()


def test_filters_select_failed_and_finished_events(ledger: Ledger, dwgate: Any) -> None:
    answered(ledger, "good")
    answered(ledger, "timed-out", OutcomeKind.TIMED_OUT)
    admit(ledger, "under-way")
    answer = dwgate(
        *("requeue", "--failed", "--project", "7", "--since", "1h", "--check", "downstream-impact"),
        *("--reason", "r", "--json"),
    )
    events = json.loads(answer.stdout)["events"]
    assert [event["message_id"] for event in events] == ["timed-out"]
    assert events[0]["action"] == "record"
    assert "FAIL was accepted on" in events[0]["text"]
    assert "recorded, not posted" in events[0]["text"]
    assert queued(ledger) == 1


def test_unfinished_and_unknown_events_are_unchanged(ledger: Ledger, dwgate: Any) -> None:
    admit(ledger, "under-way")
    answer = dwgate("requeue", "under-way", "nowhere", "--reason", "r", "--json")
    assert answer.returncode == 1
    assert [event["action"] for event in json.loads(answer.stdout)["events"]] == ["leave", "unknown"]
    assert queued(ledger) == 0


def test_events_list_and_show(ledger: Ledger, dwgate: Any) -> None:
    answered(ledger, "good")
    admit(ledger, "under-way", "commit-file")
    listed = json.loads(dwgate("events", "list", "--state", "reported", "--json").stdout)["events"]
    assert [event["message_id"] for event in listed] == ["good"]
    shown = json.loads(dwgate("events", "show", "good", "--json").stdout)
    assert shown == listed[0]
    assert shown["extension_code"] == EXTENSION_CODE
    assert shown["verdict"]["result"] == "FAIL"
    assert shown["checks"][0]["name"] == "downstream-impact"
    table = dwgate("events", "list", "--since", "1h", "--project", "7").stdout
    assert "under-way" in table
    assert "commit-file" in table
    page = dwgate("events", "show", "good").stdout
    assert "FAIL: fix it" in page


def test_events_are_filtered(ledger: Ledger, dwgate: Any) -> None:
    answered(ledger, "good")
    admit(ledger, "under-way", "commit-file")

    def listed(*filters: str) -> list[str]:
        found = json.loads(dwgate("events", "list", "--json", *filters).stdout)["events"]
        return [event["message_id"] for event in found]

    assert listed("--event-code", "commit-file") == ["under-way"]
    assert listed("--operator", "42") == ["under-way", "good"]
    assert listed("--operator", "43") == []
    assert listed("--state", "reported", "--event-code", "freeze-node") == ["good"]


def test_a_row_of_the_list_is_one_line_without_trailing_spaces(ledger: Ledger, dwgate: Any) -> None:
    answered(ledger, "good")
    heads, rule, row = dwgate("events", "list").stdout.splitlines()
    assert heads.startswith("received")
    assert set(rule) == {"─"}
    assert "node 1" in row
    assert row == row.rstrip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("events", "list", "--check", "code-reviw"), "unknown check code-reviw; expected code-review"),
        (("requeue", "--check", "code-reviw", "--dry-run"), "unknown check code-reviw; expected code-review"),
        (("requeue", "--event-code", "freeze-nod", "--dry-run"), "unknown extension point freeze-nod"),
    ],
)
def test_a_misspelt_filter_is_one_line_with_the_nearest_name(
    dwgate: Any, arguments: tuple[str, ...], message: str
) -> None:
    answer = dwgate(*arguments)
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("dwgate: ")
    assert message in line


def test_many_events_are_requeued_only_with_consent(ledger: Ledger, dwgate: Any) -> None:
    for number in range(21):
        admit(ledger, f"dead-{number}")
        ledger.mark_dead(f"dead-{number}", "no answer")
    refused = dwgate("requeue", "--failed", "--reason", "r")
    assert (refused.returncode, queued(ledger)) == (2, 0)
    assert refused.stderr == "dwgate: 21 events would be requeued; expected --yes (--dry-run shows them)\n"
    assert dwgate("requeue", "--failed", "--reason", "r", "--yes").returncode == 0
    assert queued(ledger) == 21


def test_status_shows_the_fleet_and_ends_with_1_on_a_problem(ledger: Ledger, dwgate: Any) -> None:
    for name in WORKER_PROCESSES:
        ledger.membership.heartbeat(f"{name}-1a2b3c@host")
    answered(ledger, "good")
    answer = dwgate("status", "--json")
    shown = json.loads(answer.stdout)
    assert (answer.returncode, shown["problems"]) == (0, [])
    assert shown["events"]["reported"] == 1
    assert shown["newest_event"]["message_id"] == "good"
    assert {queue["name"]: queue["messages"] for queue in shown["queues"]}["intake"] == 0
    assert shown["quota"]["read"] == {"granted": 0, "limit": 50, "waiting": 0}
    admit(ledger, "dead-1")
    ledger.mark_dead("dead-1", "no answer")
    answer = dwgate("status")
    assert answer.returncode == 1
    assert "1 dead events: see dwgate events list --state dead" in answer.stdout


def test_an_unknown_event(ledger: Ledger, dwgate: Any) -> None:
    assert ledger.get("nowhere") is None
    answer = dwgate("events", "show", "nowhere")
    assert answer.returncode == 1
    assert answer.stderr.startswith("dwgate: unknown event nowhere")


def test_rejects(ledger: Ledger, dwgate: Any) -> None:
    ledger.reject(b"[]", "not an object")
    (entry,) = json.loads(dwgate("events", "rejects", "--json").stdout)["rejects"]
    assert (entry["reason"], entry["body"]) == ("not an object", "[]")
    assert "not an object" in dwgate("events", "rejects").stdout


def test_the_doctor_names_what_is_wrong_with_redis(ledger: Ledger, dwgate: Any) -> None:
    ledger.client.config_set("appendonly", "no")
    try:
        answer = dwgate("doctor", "--json")
    finally:
        ledger.client.config_set("appendonly", "yes")
    seen = {sight["what"]: sight["health"] for sight in json.loads(answer.stdout)["diagnoses"]}
    assert (answer.returncode, answer.stderr) == (1, "")
    assert seen["settings of ingest"] == "wrong"
    assert seen["settings of workers"] == "good"
    assert seen["appendonly"] == "wrong"
    assert seen["workers"] == seen["DataWorks"] == "wrong"
    assert seen["clock"] == seen["maxmemory-policy"] == seen["policy"] == "good"
