"""The ledger's record of one event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from common.events import Event
from common.ledger.timeline import RunVerdict, TimelineEntry, list_runs, parse_timeline
from common.plan import Plan, PlannedCheck, decision_margin
from common.subjects.operation_target import OperationTarget, target_of
from common.verdicts import Outcome, Result, Severity, Subject, Verdict, count_severities


class State(StrEnum):
    """State of an event.

    Normally received → checking → decided → reported. `dead`: no verdict could be posted, and the event can
    be requeued. `ignored`: DataWorks does not wait for a verdict.
    """

    RECEIVED = "received"
    CHECKING = "checking"
    DECIDED = "decided"
    REPORTED = "reported"
    DEAD = "dead"
    IGNORED = "ignored"

    @property
    def is_final(self) -> bool:
        """Whether the event leaves this state only by a requeue."""
        return self in (State.REPORTED, State.DEAD, State.IGNORED)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """The ledger's record of one event. Times are seconds since the epoch.

    Attributes:
        event: the event itself.
        state: its current state.
        run: 1, and one more for every requeue; tasks of an older run are stale.
        deliveries: number of deliveries from the queue in this run.
        admitted_at: when it was first admitted to the ledger.
        deadline_at: when its verdict must have been posted.
        watch_at: when the watchdog decides it with the outcomes recorded so far; later outcomes are too late.
        plan: the checks that apply and how they count; None until the event is planned.
        outcomes: the recorded outcomes by check name.
        attempts: number of started attempts of each check in this run.
        verdict: the frozen verdict of this run; see `frozen_verdict` and `rerun_verdict` for what it means.
        posting_at: when posting the verdict first started; without `reported_at`, DataWorks may have
            accepted it.
        reported_at: when DataWorks was known to have accepted a verdict.
        accepted_verdict: the verdict that DataWorks accepted, in this run or an earlier one; no other is ever
            posted.
        timeline: its steps, oldest first.
        slow_checks: checks of this run that were moved to the slow queue, each with the reason.
        interruptions: how often a process may have ended while it planned the event.
        accepted_how: how it is known that DataWorks accepted the verdict.
        accepted_run: the run in which that became known.
        stored_target: what the operation works on, if its event alone does not contain it; see `target`.
    """

    event: Event
    state: State
    run: int
    deliveries: int
    admitted_at: float
    deadline_at: float
    watch_at: float
    plan: Plan | None
    outcomes: dict[str, Outcome]
    attempts: dict[str, int]
    verdict: Verdict | None
    posting_at: float | None
    reported_at: float | None
    accepted_verdict: Verdict | None
    timeline: tuple[TimelineEntry, ...]
    slow_checks: dict[str, str] = field(default_factory=dict)
    interruptions: int = 0
    accepted_how: str | None = None
    accepted_run: int | None = None
    stored_target: OperationTarget | None = None

    @property
    def target(self) -> OperationTarget:
        """What the operation works on."""
        graphs = (outcome.evidence for outcome in self.outcomes.values() if outcome.evidence)
        return (self.stored_target or target_of(self.event)).complete(graphs)

    @property
    def subject(self) -> Subject | None:
        """The file, node or table that the operation works on, the first of several; None if unknown."""
        return self.target.subject

    @property
    def owner(self) -> str | None:
        """UID of the owner of its file or node; None if unknown."""
        return self.target.owner

    @property
    def node_type(self) -> str | None:
        """Name of its node type, such as `odps_sql`; None if unknown."""
        return self.target.node_type

    @property
    def file_id(self) -> str | None:
        """Id of its file; None if it has none."""
        return self.target.file_id

    @property
    def frozen_verdict(self) -> Verdict | None:
        """The frozen verdict of an event for which DataWorks is not known to have accepted any."""
        return None if self.accepted_verdict else self.verdict

    @property
    def rerun_verdict(self) -> Verdict | None:
        """The verdict of a run after the accepted one; it is never posted."""
        if self.accepted_verdict is None or self.verdict == self.accepted_verdict:
            return None
        return self.verdict if self.accepted_run is None or self.run > self.accepted_run else None

    @property
    def is_rerun_different(self) -> bool:
        """Whether a run after the accepted one had another result."""
        accepted, rerun = self.accepted_verdict, self.rerun_verdict
        return accepted is not None and rerun is not None and rerun.result is not accepted.result

    @property
    def runs(self) -> tuple[RunVerdict, ...]:
        """The verdict of each run, oldest first."""
        return list_runs(self.timeline, self.run, self.verdict, self.accepted_verdict, self.accepted_run)

    @property
    def would_be_result(self) -> Result | None:
        """The result that the outcomes would have had in mode `enforce`; None if there is no plan.

        A planned check without an outcome counts as timed out, once the event has a verdict.
        """
        if self.plan is None:
            return None
        return self.plan.would_be_result(self.outcomes, is_final=self.verdict is not None)

    @property
    def severity_counts(self) -> dict[Severity, int]:
        """Number of findings of all checks by severity, without suppressed and waived ones."""
        return count_severities(item for outcome in self.outcomes.values() for item in outcome.findings)

    @property
    def planned_checks(self) -> tuple[str, ...]:
        """Names of the checks in the plan."""
        return tuple(check.name for check in self.plan.checks) if self.plan else ()

    @property
    def pending_checks(self) -> tuple[str, ...]:
        """Names of the planned checks without an outcome."""
        return tuple(name for name in self.planned_checks if name not in self.outcomes)

    def last_step(self, *kinds: str) -> float | None:
        """Return when the latest step of one of these kinds was, in seconds since the epoch."""
        return next((entry.at for entry in reversed(self.timeline) if entry.kind in kinds), None)

    @classmethod
    def from_hash(cls, raw: dict[bytes, bytes]) -> EventRecord:
        """Return the record for the Redis hash of an event."""
        fields = {key.decode(): value for key, value in raw.items()}
        event = Event.from_json(orjson.loads(fields["event"]))
        timeline = parse_timeline(fields.get("timeline", b"").decode())
        accepted = _acceptance(fields, timeline)
        return cls(
            event=event,
            state=State(fields["state"].decode()),
            run=int(fields["run"]),
            deliveries=int(fields.get("deliveries", 0)),
            admitted_at=_seconds(fields["admitted"]),
            deadline_at=_seconds(fields["deadline"]),
            watch_at=_watch_at(fields, event.received_at),
            plan=Plan.from_json(orjson.loads(fields["plan"])) if "plan" in fields else None,
            outcomes={
                key[2:]: Outcome.from_json(orjson.loads(value))
                for key, value in fields.items()
                if key.startswith("o:")
            },
            attempts={key[2:]: int(value) for key, value in fields.items() if key.startswith("a:")},
            verdict=_verdict(fields.get("verdict")),
            posting_at=_seconds(fields["posting"]) if "posting" in fields else None,
            reported_at=accepted.at if accepted else None,
            accepted_verdict=_verdict(fields.get("taken")),
            timeline=timeline,
            slow_checks={key[2:]: value.decode() for key, value in fields.items() if key.startswith("s:")},
            interruptions=int(fields.get("interruptions", 0)),
            accepted_how=accepted.detail if accepted else None,
            accepted_run=int(fields["taken_run"]) if "taken_run" in fields else None,
            stored_target=OperationTarget.from_json(orjson.loads(fields["target"]))
            if "target" in fields
            else None,
        )

    def to_json(self, extension_code: str) -> dict[str, Any]:
        """Return the record as JSON for `dwgate events show --json`."""
        return {
            "message_id": self.event.message_id,
            "extension_code": extension_code,
            "event_code": self.event.event_code,
            "project_id": self.event.project_id,
            "operator": self.event.operator,
            **self.target.to_json(),
            "state": self.state.value,
            "run": self.run,
            "received_at": self.event.received_at,
            "deadline_at": self.deadline_at,
            "verdict": self._accepted_json(),
            "frozen": self.frozen_verdict.to_json() if self.frozen_verdict else None,
            "rerun": self._rerun_json(),
            "policy": self.plan.policy if self.plan else None,
            "contact": self.plan.contact.to_json() if self.plan and self.plan.contact else None,
            "would_be": self.would_be_result.value if self.would_be_result else None,
            "severities": _severities_json(self.severity_counts),
            "runs": [run.to_json() for run in self.runs],
            "checks": [self._check_json(check) for check in self.plan.checks] if self.plan else [],
            "timeline": [
                {"at": entry.at, "what": entry.kind, "detail": entry.detail} for entry in self.timeline
            ],
        }

    def _accepted_json(self) -> dict[str, Any] | None:
        if self.accepted_verdict is None:
            return None
        known = {"reported_at": self.reported_at, "how": self.accepted_how}
        return {**self.accepted_verdict.to_json(), **known}

    def _rerun_json(self) -> dict[str, Any] | None:
        if self.rerun_verdict is None:
            return None
        known = {"run": self.run, "is_different": self.is_rerun_different}
        return {**self.rerun_verdict.to_json(), **known}

    def _check_json(self, check: PlannedCheck) -> dict[str, Any]:
        name, outcome = check.name, self.outcomes.get(check.name)
        return {
            "name": name,
            "mode": check.mode.value,
            "share": check.share,
            "on_timeout": check.on_timeout.value,
            "on_error": check.on_error.value,
            "on_unreviewable": check.on_unreviewable.value,
            "options": dict(check.options),
            "source": check.source.to_json() if check.source else None,
            "sources": {setting: source.to_json() for setting, source in check.sources.items()},
            "outcome": outcome.kind.value if outcome else None,
            "result": check.effective_result(outcome).value if outcome or self.verdict else None,
            "would_be": check.would_be_result(outcome).value if outcome or self.verdict else None,
            "severities": _severities_json(count_severities(outcome.findings if outcome else ())),
            "detail": outcome.detail if outcome else None,
            "attempts": self.attempts.get(name, 0),
            "findings": [finding.to_json() for finding in outcome.findings] if outcome else [],
            "impact": outcome.evidence.to_json() if outcome and outcome.evidence else None,
        }


def _severities_json(counts: dict[Severity, int]) -> dict[str, int]:
    return {severity.value: number for severity, number in counts.items()}


def _watch_at(fields: dict[str, bytes], received_at: float) -> float:
    if "watch" in fields:
        return _seconds(fields["watch"])
    # Missing from events admitted by an earlier version: use the margin of the event's own deadline.
    deadline_at = _seconds(fields["deadline"])
    return deadline_at - decision_margin(deadline_at - received_at)


def _acceptance(fields: dict[str, bytes], timeline: tuple[TimelineEntry, ...]) -> TimelineEntry | None:
    """Return when and how DataWorks was known to have accepted a verdict."""
    if "reported" not in fields:
        return None
    if "taken_how" in fields:
        return TimelineEntry(_seconds(fields["reported"]), "reported", fields["taken_how"].decode())
    # An earlier version stored the time of the last run; only the timeline has that of the acceptance.
    first = next((entry for entry in timeline if entry.kind == "reported"), None)
    return first or TimelineEntry(_seconds(fields["reported"]), "reported", "")


def _seconds(milliseconds: bytes) -> float:
    return int(milliseconds) / 1000


def _verdict(raw: bytes | None) -> Verdict | None:
    return Verdict.from_json(orjson.loads(raw)) if raw else None
