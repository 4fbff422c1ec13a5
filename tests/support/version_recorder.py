"""Records what a version of dwgate leaves when it is stopped: `python -m tests.support.version_recorder`.

    python -m tests.support.version_recorder CHECKOUT COMMIT

CHECKOUT is a folder with the sources of the version. Its processes run, with the dependencies that are
installed for the tests, against the emulator of this checkout, until an event is in each state that they can
leave it in. The recordings are written to `tests/data/earlier_versions`, one for each kind of broker.
"""

from __future__ import annotations

import copy
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from common.ledger import EventRecord, State
from emulator.eventbridge import event_bodies
from tests.conftest import built_in_policy
from tests.support.emulator_process import PROJECT_ID
from tests.support.engines import RabbitMQ, Valkey
from tests.support.queues import EXTENSION_CODE
from tests.support.running_dwgate import ACCOUNT, SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final
from tests.support.version_recording import (
    FOLDER,
    RecordedEvent,
    Recording,
    own_queues,
    read_redis,
    take_messages,
)

POSTS = ("UpdateIDEEventResult", "UpdateWorkbenchEventResult", "CallbackExtension")
NOTIFICATIONS = "\nnotifications: {routes: [{kinds: [dead-event], to: [ops]}]}\n"
DEADLINE_SECONDS = 300
BACKLOG = 12
LAG_SECONDS = 2.5
"""Age of events at which intake has a backlog."""
STATEMENTS = 1000
"""A script of them needs more CPU time than the fast queue gives an event."""
STEP_SECONDS = 60.0
FINISHED = "finished"


class Recorder:
    """Lets the processes of a version bring events into their states.

    Args:
        gate: the version; no worker of it runs between two scenes.
    """

    def __init__(self, gate: RunningDwgate) -> None:
        self._gate = gate
        self.scenes: dict[str, tuple[str, str]] = {}
        """Sample and scene of each event."""

    def record(self) -> None:
        """Play all scenes; the last ones are those whose messages expire."""
        self.finish_some()
        self.leave_reports()
        self.leave_a_lost_post()
        self.leave_checks()
        self.leave_a_slow_check()
        self.leave_plans()
        self.leave_arrivals()

    def finish_some(self) -> None:
        """Events that are answered, dead and run again, and a body that is no event."""
        gate = self._gate
        gate.start_worker()
        dead, event, sample = gate.sample("run-file-bad")
        self.scenes[dead] = (sample.name, "dead")
        gate.start_process(dead, sample)
        gate.emulator.fault(
            "error", action=POSTS[0], message_id=dead, times=None, status=403, code="Forbidden.Access"
        )
        gate.emulator.fault("throttle", action="ListCheckProcesses", times=None)
        gate.post(event)
        done = [
            self._send(name, FINISHED) for name in ("commit-file-good", "commit-file-bad", "freeze-node-bad")
        ]
        for message_id in done:
            wait_until_final(gate, message_id, STEP_SECONDS)
        subprocess.run(
            [sys.executable, "-m", "console.main", "requeue", done[1], "--reason", "recorded"],
            env=gate.environment,
            cwd=gate.directory,
            check=True,
            timeout=STEP_SECONDS,
        )
        assert gate.post({"specversion": "1.0", "id": "no-event"}).status_code == 200
        self._wait(dead, lambda record: record.state is State.DEAD)
        self._wait(done[1], lambda record: record.run > 1 and record.verdict is not None)
        self._stop()

    def leave_reports(self) -> None:
        """Decided events, whose verdicts no reporter has posted."""
        for action in POSTS:
            self._gate.emulator.fault("throttle", action=action, times=None)
        self._start("intake", "checks-cpu", "checks-io")
        sent = [
            self._send(name, "report") for name in ("commit-file-bad", "freeze-node-bad", "commit-table-bad")
        ]
        for message_id in sent:
            self._wait(message_id, lambda record: record.plan is not None and not record.pending_checks)
        wait_for(lambda: self._gate.ledger.reports.waiting_count() >= len(sent), STEP_SECONDS)
        self._stop()

    def leave_a_lost_post(self) -> None:
        """An event whose reporter was killed while it waited for the reply of DataWorks."""
        self._gate.emulator.clear_faults()
        self._gate.emulator.fault("delay", action=POSTS[1], times=None, seconds=60)
        self._start("intake", "checks-io")
        message_id = self._send("undeploy-node-bad", "lost-post")
        self._wait(message_id, lambda record: record.posting_at is not None)
        self._kill()

    def leave_checks(self) -> None:
        """Planned events, whose checks are in the queues."""
        self._gate.emulator.clear_faults()
        self._start("intake")
        for name in ("commit-file-bad", "commit-file-good", "delete-file-bad", "freeze-node-bad"):
            message_id = self._send(name, "checks")
            self._wait(message_id, lambda record: record.state is State.CHECKING)
        self._stop()

    def leave_a_slow_check(self) -> None:
        """An event whose check was killed on the slow queue."""
        self._start("intake", "checks-cpu")
        sample = SAMPLES["commit-file-bad"]
        event = event_bodies.event_envelope(
            sample.event_code, copy.deepcopy(sample.data), account_id=ACCOUNT, now=time.time()
        )
        message_id, snapshot = str(event["id"]), copy.deepcopy(sample.snapshot or {})
        snapshot["CommittedFile"]["Content"] += (
            "\n;SELECT 1 FROM dwd_made_up WHERE ds = '20260101'" * STATEMENTS
        )
        self._gate.emulator.start_process(
            message_id, sample.event_code, project_id=PROJECT_ID, snapshot=snapshot
        )
        self.scenes[message_id] = (sample.name, "slow-check")
        assert self._gate.post(event).status_code == 200
        self._wait(message_id, lambda record: bool(record.slow_checks))
        self._kill()

    def leave_plans(self) -> None:
        """Admitted events that wait to be planned, since intake had a backlog and was killed."""
        gate = self._gate
        gate.emulator.fault("hang", action="GetIDEEventDetail", times=None, seconds=60)
        for _ in range(BACKLOG):
            self._send("commit-table-bad", "plan")
        time.sleep(LAG_SECONDS)
        self._start("intake")
        wait_for(gate.ledger.plans.has_waiting, STEP_SECONDS)
        self._kill()
        gate.emulator.clear_faults()

    def leave_arrivals(self) -> None:
        """Events that no worker knows."""
        for name in ("freeze-node-bad", "freeze-node-good", "deploy-file-bad", "backfill-data-bad"):
            self._send(name, "arrival")

    def recorded_events(self) -> list[RecordedEvent]:
        """Return the events as they are now."""
        found = []
        for message_id, (sample, scene) in self.scenes.items():
            record = self._gate.ledger.get(message_id)
            accepted = record and record.accepted_verdict
            frozen = record and record.frozen_verdict
            found.append(
                RecordedEvent(
                    message_id,
                    sample,
                    scene,
                    record.state.value if record else None,
                    accepted.result.value if accepted else None,
                    frozen.result.value if frozen else None,
                )
            )
        return found

    def _send(self, sample: str, scene: str) -> str:
        message_id = self._gate.send(sample)
        self.scenes[message_id] = (sample, scene)
        return message_id

    def _start(self, *roles: str) -> None:
        self._gate.start_worker(*(part for role in roles for part in ("--role", role)))

    def _stop(self) -> None:
        worker = self._gate.workers[-1]
        worker.terminate()
        assert worker.wait(STEP_SECONDS) == 0

    def _kill(self) -> None:
        self._gate.kill(self._gate.workers[-1])

    def _wait(self, message_id: str, is_reached: Any) -> None:
        def look() -> bool:
            record: EventRecord | None = self._gate.ledger.get(message_id)
            return record is not None and is_reached(record)

        wait_for(look, STEP_SECONDS, every=0.02)


def record(checkout: Path, commit: str, folder: Path, *, is_rabbitmq: bool) -> Recording:
    """Run the version in `checkout` on one kind of broker, and return what it leaves."""
    (folder / "valkey").mkdir(parents=True)
    (folder / "rabbitmq").mkdir()
    (folder / "gate").mkdir()
    valkey, rabbitmq = Valkey(folder / "valkey"), RabbitMQ(folder / "rabbitmq")
    policy = folder / "policy.yaml"
    text = built_in_policy().replace("deadline: 60 #", f"deadline: {DEADLINE_SECONDS} #")
    policy.write_text(text.replace("run-file: {deadline: 20", "run-file: {deadline: 8") + NOTIFICATIONS)
    settings = {
        "PYTHONPATH": str(checkout),
        "DWGATE_POLICY_FILE": str(policy),
        "DWGATE_NOTIFICATION_TARGETS": "ops=json://127.0.0.1:1/ops",
        "DWGATE_RECONCILE_SECONDS": "3600",
    }
    try:
        valkey.start()
        if is_rabbitmq:
            rabbitmq.start()
        broker = rabbitmq.url if is_rabbitmq else valkey.url
        with fleet(broker, valkey.url, folder / "gate", workers=0, settings=settings) as gate:
            recorder = Recorder(gate)
            recorder.record()
            assert gate.ingest is not None
            gate.ingest.terminate()
            gate.ingest.wait(STEP_SECONDS)
            objects = _topology(gate) if is_rabbitmq else []
            recorded_at = int(time.time())
            events = tuple(recorder.recorded_events())
            keys = read_redis(valkey.url)
            messages = take_messages(broker, own_queues(objects)) if is_rabbitmq else []
        return Recording(commit, recorded_at, events, keys, objects, messages)
    finally:
        rabbitmq.close()
        valkey.close()


def _topology(gate: RunningDwgate) -> list[dict[str, Any]]:
    """Return the names and arguments that the version uses on RabbitMQ."""
    done = subprocess.run(
        [sys.executable, "-m", "console.main", "topology", f"--extension-code={EXTENSION_CODE}", "--json"],
        env=gate.environment,
        cwd=gate.directory,
        capture_output=True,
        check=True,
        timeout=STEP_SECONDS,
    )
    objects: list[dict[str, Any]] = orjson.loads(done.stdout)["objects"]
    return objects


def main(checkout: Path, commit: str) -> None:
    """Record a version on both kinds of broker."""
    FOLDER.mkdir(exist_ok=True)
    for broker in ("rabbitmq", "redis"):
        with tempfile.TemporaryDirectory() as folder:
            made = record(checkout, commit, Path(folder), is_rabbitmq=broker == "rabbitmq")
        file = FOLDER / f"{commit}-{broker}.json"
        file.write_bytes(made.to_json())
        sys.stdout.write(f"{file.name}: {len(made.keys)} keys, {len(made.messages)} messages\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
