"""How the verdict came about: what each check found, and what it counts as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from common.ledger import EventRecord
from common.plan import PlannedCheck, most_severe, requested_result
from common.verdicts import Outcome, OutcomeKind, Result
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.findings_view import Tag

_MAX_DETAIL = 300

_FOUND = {
    OutcomeKind.PASSED: ("ok", "ok"),
    OutcomeKind.SKIPPED: ("note", "note"),
    OutcomeKind.ERROR: ("warn", "unknown"),
    OutcomeKind.TIMED_OUT: ("warn", "clock"),
    OutcomeKind.UNREVIEWABLE: ("warn", "unknown"),
}
_BY_RESULT = {Result.FAIL: ("block", "block"), Result.WARN: ("warn", "warn"), Result.OK: ("note", "note")}


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One check.

    Attributes:
        check: its name.
        found: what it found.
        detail: why it did not finish; empty if it did.
        mode: its mode, with the share of events that get it if that is not all.
        counts_as: its result, capped to its mode.
        decides: whether the verdict comes from it.
        would_block: whether it would have blocked in the mode `enforce`.
        source: the line of the policy that decided what it counts as; empty if no file did.
        layer: the layer of the policy, and the setting.
    """

    check: str
    found: Tag
    detail: str
    mode: str
    share: str
    counts_as: str
    decides: bool
    would_block: bool
    source: str
    layer: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """All checks of the plan, and the settings of the console that were ignored."""

    rows: tuple[DecisionRow, ...]
    ignored_options: tuple[str, ...]


def build_decision(record: EventRecord, words: Words) -> DecisionView:
    """Return how the verdict of an event came about."""
    plan = record.plan
    if plan is None:
        return DecisionView((), ())
    return DecisionView(
        tuple(_rows(record, plan.checks, words)),
        tuple(shorten(option, _MAX_DETAIL) for option in plan.ignored_options),
    )


def _rows(record: EventRecord, checks: tuple[PlannedCheck, ...], words: Words) -> Iterator[DecisionRow]:
    results = {check.name: check.effective_result(record.outcomes.get(check.name)) for check in checks}
    is_decided = record.verdict is not None or record.accepted_verdict is not None
    worst = most_severe(*results.values())
    for check in checks:
        outcome = record.outcomes.get(check.name)
        counts = results[check.name]
        is_open = outcome is None and not is_decided
        yield DecisionRow(
            check=check.name,
            found=_found(check, outcome, words, is_open=is_open),
            detail=shorten(outcome.detail, _MAX_DETAIL) if outcome and outcome.detail else "",
            mode=check.mode.value,
            share=words.fill("share", percent=f"{check.share:.0%}") if check.share < 1 else "",
            counts_as="–" if is_open else counts.value,
            decides=is_decided and counts is worst and worst is not Result.OK,
            would_block=counts is not Result.FAIL and _requested(outcome) is Result.FAIL,
            **_source(check, outcome),
        )


_INCOMPLETE = {
    OutcomeKind.ERROR: "on_error",
    OutcomeKind.TIMED_OUT: "on_timeout",
    OutcomeKind.UNREVIEWABLE: "on_unreviewable",
}
"""The setting that says what a check counts as that did not finish."""


def _source(check: PlannedCheck, outcome: Outcome | None) -> dict[str, str]:
    setting = _INCOMPLETE.get(outcome.kind, "mode") if outcome else "on_timeout"
    source = check.sources.get(setting)
    if source is None:
        return {"source": "", "layer": ""}
    file = "" if source.file is None else f"{PurePath(source.file).name}:{source.line}"
    return {
        "source": shorten(file, _MAX_DETAIL),
        "layer": shorten(f"{source.layer} · {setting}", _MAX_DETAIL),
    }


def _requested(outcome: Outcome | None) -> Result:
    return most_severe(*(requested_result(finding) for finding in outcome.findings)) if outcome else Result.OK


def _found(check: PlannedCheck, outcome: Outcome | None, words: Words, *, is_open: bool) -> Tag:
    if outcome is None:
        key = "found_pending" if is_open else "found_timed_out"
        return Tag("note" if is_open else "warn", "clock", words[key])
    if outcome.kind is OutcomeKind.FINDINGS:
        tone, icon = _BY_RESULT[check.effective_result(outcome)]
        return Tag(tone, icon, words.count("found_findings", len(outcome.findings)))
    tone, icon = _FOUND[outcome.kind]
    return Tag(tone, icon, words[f"found_{outcome.kind}"])
