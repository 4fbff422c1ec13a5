"""The checks of an event: a pure function of the policy and of the settings in the DataWorks console."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from common.events import Event
from common.plan import Mode, Plan, PlannedCheck, decision_margin
from common.snapshot import Snapshot
from common.subjects.policy_subject import is_complete, subject_of
from common.verdicts import Outcome, OutcomeKind, Result
from review.dialects import Dialect, dialect_for_node_type
from workers.checks.api import Check, Runs
from workers.checks.code_effects.node_file import is_deletion
from workers.extension_options import overlay
from workers.extension_options.source import EMPTY, ExtensionSettings
from workers.policy.policy import CheckPolicy, Policy

ROLLOUT = "rollout"
"""Layer of the mode of an event outside the share that gets the policy's mode."""


def build_plan(
    event: Event,
    policy: Policy,
    checks: Mapping[str, Check],
    snapshot: Snapshot | None = None,
    settings: ExtensionSettings = EMPTY,
) -> Plan:
    """Return the checks that apply to `event` in its workspace, and how each counts.

    Args:
        event: the event.
        policy: the policy.
        checks: the registered checks, by name.
        snapshot: what the operation works on, if known: the policy may differ by file or table.
        settings: the settings made in the DataWorks console.
    """
    subject = subject_of(event, snapshot)
    if reason := settings.parameters.disabled_reason(event.event_code, event.project_id, subject.type):
        return Plan(
            (),
            Result.OK,
            policy.language,
            policy.version,
            disabled_reason=reason.in_language(policy.language),
            contact=policy.contact(event.project_id),
        )
    point = policy.resolve(event.event_code, event.project_id, subject)
    saved = overlay.read_saved(settings.options, policy.console)
    point, ignored = overlay.overlay(point, saved, checks)
    return Plan(
        checks=tuple(
            _planned_check(check, event.message_id)
            for check in point.checks
            if checks[check.name].applies_to(event.event_code)
        ),
        verdict=point.verdict,
        language=policy.language,
        policy=policy.version,
        ignored_options=ignored,
        contact=policy.contact(event.project_id),
    )


def _planned_check(check: CheckPolicy, message_id: str) -> PlannedCheck:
    mode, sources = check.mode, check.sources
    if not in_rollout(message_id, check.name, check.share):
        mode = Mode.AUDIT
        if share := sources.get("share"):
            sources = {**sources, "mode": replace(share, layer=ROLLOUT)}
    return PlannedCheck(
        check.name,
        mode,
        check.on_timeout,
        check.on_error,
        check.options,
        check.share,
        check.on_unreviewable,
        sources,
    )


def in_rollout(message_id: str, check: str, share: float) -> bool:
    """Whether an event is in the share that gets a check's mode; the same for every delivery of the event."""
    digest = hashlib.sha256(f"{message_id}\n{check}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def needs_subject(event: Event, policy: Policy, settings: ExtensionSettings = EMPTY) -> bool:
    """Whether the plan depends on the event's file or table, and only the snapshot identifies that."""
    parameters = settings.parameters
    if is_complete(event) or parameters.disabled_reason(event.event_code, event.project_id, None):
        return False
    return parameters.depends_on_type(event.event_code) or policy.depends_on_subject(
        event.event_code, event.project_id
    )


def deadline_for(event: Event, policy: Policy, admitted_at: float | None = None) -> tuple[float, float]:
    """Return when the verdict must be posted, and when the watchdog decides with the outcomes so far.

    Both are in seconds since the epoch, counted from `admitted_at`, or else from the event's arrival.
    """
    seconds = policy.resolve(event.event_code, event.project_id).deadline
    deadline = (event.received_at if admitted_at is None else admitted_at) + seconds
    return deadline, deadline - decision_margin(seconds)


def inline_checks(planned: Plan, checks: Mapping[str, Check]) -> tuple[PlannedCheck, ...]:
    """Return the planned checks that are cheap enough to run in the process that makes the plan."""
    return tuple(check for check in planned.checks if checks[check.name].runs is Runs.INLINE)


def needs_snapshot(planned: Plan, checks: Mapping[str, Check]) -> bool:
    """Whether a planned check reads the file or table that the operation works on."""
    return any(checks[check.name].needs_snapshot for check in planned.checks)


def missing_input(event: Event, snapshot: Snapshot) -> str | None:
    """Return why checks that read the file or table of the operation cannot run; None if they can.

    A response without the part that the operation works on is undocumented, but every part of
    `GetIDEEventDetail` is optional. It is no fault of the author's, so it counts as `on_error` says, like a
    rejected request.
    """
    point, file = event.point, snapshot.file
    if not point.has_snapshot:
        return None
    if point.works_on_table:
        is_known = snapshot.table is not None and snapshot.table.name.strip()
        return None if is_known else "DataWorks returned no table for the operation"
    if is_deletion(event, file):
        return None
    if file is None:
        return "DataWorks returned no file for the operation"
    # Types without a language, such as a virtual node, have no code.
    has_code = file.file_type is None or dialect_for_node_type(file.file_type) is not Dialect.UNKNOWN
    if has_code and not file.has_content and point.code != "delete-file":
        return "DataWorks returned the file without its code"
    return None


def unrunnable_outcomes(
    event: Event, planned: Plan, checks: Mapping[str, Check], no_snapshot: str | None
) -> dict[str, Outcome]:
    """Return error outcomes for the checks whose input is missing, so that none passes silently.

    Args:
        event: the event; a recovered one has no data of its own.
        planned: its plan.
        checks: the registered checks.
        no_snapshot: why the snapshot, or the part of it that the operation works on, is missing; None if it
            is there, or none is needed.
    """
    outcomes = {}
    for item in planned.checks:
        check = checks[item.name]
        if check.needs_snapshot and no_snapshot:
            outcomes[item.name] = Outcome(OutcomeKind.ERROR, detail=no_snapshot)
        elif event.recovered and not check.needs_snapshot:
            outcomes[item.name] = Outcome(OutcomeKind.ERROR, detail="the event was lost in transit")
    return outcomes
