"""What the page says first: the verdict, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.ledger import EventRecord
from common.verdicts import Finding, Result
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.texts.operations import OPERATIONS
from console.web.views.event_state import (
    CountedFinding,
    Effect,
    PageState,
    find_state,
    is_of_rerun,
    unfinished_checks,
)
from console.web.views.findings_view import has_secret
from console.web.views.times import format_clock

_MAX_NAME = 60
_MAX_REASON = 240
_MAX_CHECKS = 3

_LOOKS = {
    PageState.CHECKING: ("note", "clock"),
    PageState.DEAD: ("block", "dead"),
    PageState.IGNORED: ("note", "unknown"),
    PageState.SWITCHED_OFF: ("note", "unknown"),
    PageState.NOTHING_APPLIES: ("note", "unknown"),
    PageState.EXTERNAL: ("note", "note"),
    PageState.BLOCKED: ("block", "block"),
    PageState.WARNED: ("warn", "warn"),
    PageState.PASSED: ("ok", "ok"),
    PageState.NOTED: ("ok", "ok"),
    PageState.AUDIT: ("ok", "note"),
    PageState.WAIVED: ("ok", "ok"),
    PageState.UNREACHABLE: ("warn", "unknown"),
    PageState.UNREVIEWABLE: ("warn", "unknown"),
    PageState.TIMED_OUT: ("warn", "clock"),
}
"""Colour and icon of each state; one that is blocked is shown as blocked whatever the cause is."""

_UNFINISHED = (PageState.UNREACHABLE, PageState.UNREVIEWABLE, PageState.TIMED_OUT)

_COUNTED = {
    PageState.BLOCKED: (Effect.BLOCKS,),
    PageState.WARNED: (Effect.WARNS,),
    PageState.NOTED: (Effect.NOTED,),
    PageState.AUDIT: (Effect.WOULD_BLOCK,),
    PageState.WAIVED: (Effect.WAIVED, Effect.SUPPRESSED),
}
"""The findings that the title of a state counts."""

_WORDS = {PageState.NOTED: "passed_word", PageState.WAIVED: "passed_word"}
"""States that share the word of another one."""


_STEPS = {
    PageState.WARNED: ("step_look",),
    PageState.AUDIT: ("step_audit",),
    PageState.UNREACHABLE: ("step_look", "step_report"),
    PageState.TIMED_OUT: ("step_look", "step_report"),
    PageState.UNREVIEWABLE: ("step_review", "step_report"),
    PageState.CHECKING: ("step_wait",),
    PageState.DEAD: ("step_dead", "step_mark"),
}
_BLOCKED_STEPS = {
    PageState.UNREACHABLE: ("step_retry", "step_report"),
    PageState.TIMED_OUT: ("step_retry", "step_report"),
    PageState.UNREVIEWABLE: ("step_simplify", "step_report"),
}
"""What to do in each state; in all others nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `exception_link` is the address at which an exception is requested."""

    text: str
    exception_link: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an event is: checks that are done, of all."""

    done: int
    all: int


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The top of the page.

    Attributes:
        tone: its colour: block, warn, ok or note.
        icon: its icon.
        word: the verdict in a word or two.
        title: the verdict as a sentence.
        reasons: further sentences.
        finding: the worst finding, behind a word of introduction; None if none counts.
        steps: what to do, one to three.
        progress: None if the event is not being checked.
    """

    tone: str
    icon: str
    word: str
    title: str
    reasons: tuple[str, ...]
    steps: tuple[Step, ...]
    progress: Progress | None


def build_verdict(
    record: EventRecord, counted: Sequence[CountedFinding], name: str | None, words: Words
) -> VerdictView:
    """Return the top of the page of an event.

    Args:
        record: the event.
        counted: its findings, in order.
        name: of what the operation works on; None if unknown.
        words: the texts of the page.
    """
    state = find_state(record)
    result = record.accepted_verdict.result if record.accepted_verdict else Result.OK
    tone, icon = _LOOKS[state]
    is_blocked = state in _UNFINISHED and result is Result.FAIL
    key = f"{state}_blocked" if is_blocked else state.value
    return VerdictView(
        tone="block" if is_blocked else tone,
        icon=icon,
        word=words[_WORDS.get(state, f"{key}_word")],
        title=_title(record, state, key, counted, name, words),
        reasons=tuple(_reasons(record, state, result, counted, words)),
        steps=tuple(_steps(record, state, counted, words, is_blocked=is_blocked))[:3],
        progress=_progress(record) if state is PageState.CHECKING else None,
    )


def operation_text(record: EventRecord, name: str | None, words: Words) -> str:
    """Return what a person did, as a noun phrase: `The commit of dws_trade_user_1d`."""
    known = OPERATIONS.get(record.event.event_code)
    noun = known.in_language(words.language) if known else record.event.event_code
    if name is None:
        return words.fill("this_operation", noun=noun)
    return words.fill("the_operation", noun=noun, name=shorten(name, _MAX_NAME))


def _progress(record: EventRecord) -> Progress | None:
    planned = len(record.planned_checks)
    return Progress(planned - len(record.pending_checks), planned) if planned else None


def _title(
    record: EventRecord,
    state: PageState,
    key: str,
    counted: Sequence[CountedFinding],
    name: str | None,
    words: Words,
) -> str:
    operation = operation_text(record, name, words)
    if state is PageState.CHECKING:
        progress = _progress(record)
        if progress is None:
            return words.fill("waiting_title", operation=operation)
        return words.fill("checking_title", done=progress.done, all=progress.all)
    if state is PageState.BLOCKED and is_of_rerun(record):
        return words.fill("stopped_title", operation=operation)
    if effects := _COUNTED.get(state):
        number = sum(item.effect in effects for item in counted)
        return words.count(f"{state}_title", number, operation=operation)
    result = record.accepted_verdict.result if record.accepted_verdict else Result.OK
    checks = _names([check.name for check, _ in unfinished_checks(record, result)], words)
    return words.fill(f"{key}_title", operation=operation, checks=checks, result=result.value)


def _reasons(
    record: EventRecord,
    state: PageState,
    result: Result,
    counted: Sequence[CountedFinding],
    words: Words,
) -> Iterator[str]:
    match state:
        case PageState.BLOCKED | PageState.WARNED if counted:
            yield words.fill("worst", finding=_with_line(counted[0].finding, words))
        case PageState.PASSED:
            yield words.count("passed_why", len(record.planned_checks))
        case PageState.AUDIT:
            noted = [item.check.name for item in counted if item.effect is Effect.WOULD_BLOCK]
            yield words.fill("audit_why", checks=_names(noted, words))
        case PageState.CHECKING:
            yield words.fill("checking_why", time=format_clock(record.deadline_at)[:8])
            if record.plan and record.pending_checks:
                yield words.fill("checking_running", checks=_names(record.pending_checks, words))
        case _ if f"{state}_why" in words.texts:
            detail = _detail(record, state, result) or words["no_detail"]
            yield words.fill(f"{state}_why", result=result.value, detail=detail)
    if is_of_rerun(record):
        yield words.fill("rerun_note", run=record.run)


def _with_line(finding: Finding, words: Words) -> str:
    message = finding.english if finding.english and words.language.value == "en" else finding.message
    text = shorten(message, _MAX_REASON)
    return text if finding.line is None else f"{words.fill('line', line=finding.line)}: {text}"


def _detail(record: EventRecord, state: PageState, result: Result) -> str | None:
    """Return why an event is in a state that has a reason outside its findings."""
    if state in _UNFINISHED:
        found = [outcome.detail for _, outcome in unfinished_checks(record, result) if outcome]
    elif state is PageState.SWITCHED_OFF:
        found = [record.plan.disabled_reason if record.plan else None]
    else:
        found = [entry.detail for entry in reversed(record.timeline) if entry.kind == state.value]
    return next((shorten(text, _MAX_REASON).rstrip(".") for text in found if text), None)


def _names(names: Sequence[str], words: Words) -> str:
    known = list(dict.fromkeys(names))
    shown = known[:_MAX_CHECKS] + (["…"] if len(known) > _MAX_CHECKS else [])
    return words["list_comma"].join(shown)


def _steps(
    record: EventRecord,
    state: PageState,
    counted: Sequence[CountedFinding],
    words: Words,
    *,
    is_blocked: bool,
) -> Iterator[Step]:
    if state is not PageState.BLOCKED:
        keys = _BLOCKED_STEPS if is_blocked else _STEPS
        yield from (Step(words[key]) for key in keys.get(state, ("step_nothing",)))
        return
    blocking = [item for item in counted if item.effect is Effect.BLOCKS]
    if not blocking:
        yield Step(words["step_retry"])
        return
    key = "step_fix" if record.event.point.has_snapshot else "step_correct"
    yield Step(words.count(key, len(blocking)))
    if has_secret(counted):
        yield Step(words["step_secret"])
    yield Step(words["step_exception"], exception_link="#findings")
