"""In which state an event is shown, and what each finding counts as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from common.ledger import EventRecord, State
from common.plan import PlannedCheck, requested_result
from common.verdicts import Finding, Outcome, OutcomeKind, Reason, Result, Severity


class PageState(StrEnum):
    """What the page says first; the value begins the keys of its words in `texts/event.py`."""

    CHECKING = "checking"
    DEAD = "dead"
    IGNORED = "ignored"
    SWITCHED_OFF = "switched_off"
    NOTHING_APPLIES = "nothing_applies"
    EXTERNAL = "external"
    BLOCKED = "blocked"
    WARNED = "warned"
    PASSED = "passed"
    NOTED = "noted"
    AUDIT = "audit"
    WAIVED = "waived"
    UNREACHABLE = "unreachable"
    UNREVIEWABLE = "unreviewable"
    TIMED_OUT = "timed_out"


class Effect(StrEnum):
    """What a finding does to the verdict, most severe first.

    WOULD_BLOCK: it would block if the check's mode allowed it. NOTED: it counts as OK.
    """

    BLOCKS = "blocks"
    WARNS = "warns"
    WOULD_BLOCK = "would_block"
    NOTED = "noted"
    SUPPRESSED = "suppressed"
    WAIVED = "waived"


EFFECTS = tuple(Effect)


@dataclass(frozen=True, slots=True)
class CountedFinding:
    """A finding with its check and its effect."""

    check: PlannedCheck
    finding: Finding
    effect: Effect


INCOMPLETE = {
    OutcomeKind.ERROR: PageState.UNREACHABLE,
    OutcomeKind.UNREVIEWABLE: PageState.UNREVIEWABLE,
    OutcomeKind.TIMED_OUT: PageState.TIMED_OUT,
    None: PageState.TIMED_OUT,
}
"""The state of an event whose verdict comes from a check that did not finish, by its outcome."""


def effect_of(check: PlannedCheck, finding: Finding) -> Effect:
    """Return what a finding of a check does to the verdict."""
    if finding.waived is not None:
        return Effect.WAIVED
    if finding.suppressed is not None:
        return Effect.SUPPRESSED
    counts = check.cap_to_mode(requested_result(finding))
    if counts is Result.OK:
        return Effect.WOULD_BLOCK if finding.severity is Severity.BLOCK else Effect.NOTED
    return Effect.BLOCKS if counts is Result.FAIL else Effect.WARNS


def counted_findings(record: EventRecord) -> list[CountedFinding]:
    """Return the findings of an event, the most severe first, then in the order of the plan."""
    found = [
        CountedFinding(check, finding, effect_of(check, finding))
        for check, outcome in planned_outcomes(record)
        for finding in (outcome.findings if outcome else ())
    ]
    return sorted(found, key=lambda item: EFFECTS.index(item.effect))


def planned_outcomes(record: EventRecord) -> Iterator[tuple[PlannedCheck, Outcome | None]]:
    """Yield the planned checks of an event with their outcomes."""
    for check in record.plan.checks if record.plan else ():
        yield check, record.outcomes.get(check.name)


def unfinished_checks(record: EventRecord, result: Result) -> list[tuple[PlannedCheck, Outcome | None]]:
    """Return the checks that did not finish and therefore count as `result`."""
    return [
        (check, outcome)
        for check, outcome in planned_outcomes(record)
        if check.incomplete_result(outcome) is result
    ]


def is_checking(state: State, *, is_accepted: bool) -> bool:
    """Whether an event in `state` is shown as being checked: DataWorks has accepted no verdict yet."""
    return not is_accepted and state not in (State.DEAD, State.IGNORED)


def find_state(record: EventRecord) -> PageState:
    """Return the state in which an event is shown.

    An event with an accepted verdict is shown with it, whatever a later run does.
    """
    verdict = record.accepted_verdict
    if verdict is None:
        if is_checking(record.state, is_accepted=False):
            return PageState.CHECKING
        return PageState.DEAD if record.state is State.DEAD else PageState.IGNORED
    if verdict.reason is Reason.EXTERNAL:
        return PageState.EXTERNAL
    if record.plan is not None and not record.plan.checks:
        disabled = record.plan.disabled_reason is not None
        return PageState.SWITCHED_OFF if disabled else PageState.NOTHING_APPLIES
    return _judged(record, verdict.result)


def is_of_rerun(record: EventRecord) -> bool:
    """Whether plan and outcomes are those of a run after the one whose verdict was accepted."""
    return record.accepted_verdict is not None and record.run > (record.accepted_run or 1)


def _judged(record: EventRecord, result: Result) -> PageState:
    effects = {item.effect for item in counted_findings(record)}
    if result is Result.OK:
        for effect, state in (
            (Effect.WOULD_BLOCK, PageState.AUDIT),
            (Effect.WAIVED, PageState.WAIVED),
            (Effect.SUPPRESSED, PageState.WAIVED),
            (Effect.NOTED, PageState.NOTED),
        ):
            if effect in effects:
                return state
        return PageState.PASSED
    decisive, state = (
        (Effect.BLOCKS, PageState.BLOCKED) if result is Result.FAIL else (Effect.WARNS, PageState.WARNED)
    )
    if decisive not in effects and not is_of_rerun(record):
        for _, outcome in unfinished_checks(record, result):
            return INCOMPLETE.get(outcome.kind if outcome else None, state)
    return state
