"""The text that DataWorks shows to the person who waits: a pure function of the verdict and its grounds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from common.verdicts import Finding, Outcome, OutcomeKind, Result
from workers.plan import Language, Plan, PlannedCheck, asked_by

LONGEST = 999
"""Characters in a tip at the most. DataWorks states no limit; about a thousand is known to be shown."""

_MOST_FINDINGS = 3
_MOST_NOT_RUN = 3
_LONGEST_MESSAGE = 180
_LONGEST_HELP = 110
_LONGEST_NAME = 40
_LONGEST_DETAIL = 60


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of one language."""

    verdicts: Mapping[Result, str]
    no_check: str
    line: str
    fix: str
    more: str
    noted: str
    not_run: str
    timed_out: str
    failed: str
    counted: str
    and_others: str
    event: str


_WORDS = {
    Language.ENGLISH: _Words(
        verdicts={
            Result.OK: "OK: passed.",
            Result.WARN: "WARN: passed with warnings.",
            Result.FAIL: "FAIL: blocked.",
        },
        no_check="no check applies to this operation.",
        line="line {line}: ",
        fix=" Fix: {help}",
        more="and {count} more",
        noted="Noted, not counted: {count} ({names})",
        not_run="Not run: {checks}",
        timed_out="no answer in time",
        failed="failed",
        counted="{name} ({why}), counted as {result}",
        and_others="{count} others, counted as {result} at most",
        event="Event {id}",
    ),
    Language.CHINESE: _Words(
        verdicts={
            Result.OK: "OK：检查通过。",
            Result.WARN: "WARN：通过，但有警告。",
            Result.FAIL: "FAIL：已阻断。",
        },
        no_check="此操作没有适用的检查。",
        line="第 {line} 行：",
        fix=" 建议：{help}",
        more="另有 {count} 项",
        noted="仅记录，不计入结果：{count} 项（{names}）",
        not_run="未能执行：{checks}",
        timed_out="未及时返回",
        failed="执行失败",
        counted="{name}（{why}），按 {result} 计",
        and_others="另有 {count} 项，最高按 {result} 计",
        event="事件 {id}",
    ),
}


def tip(
    result: Result, plan: Plan, outcomes: Mapping[str, Outcome], message_id: str, language: Language
) -> str:
    """Return the tip: the verdict, the worst findings, the checks that could not be run, and the event's id.

    Args:
        result: the verdict.
        plan: the checks and how each counts.
        outcomes: what is in, by check name.
        message_id: the event; never cut.
        language: the language of everything but the findings themselves.
    """
    words = _WORDS[language]
    head = words.verdicts[result] if plan.checks else f"{result.value}: {words.no_check}"
    foot = words.event.format(id=message_id)
    tail = [*_noted(plan, outcomes, words), *_not_run(plan, outcomes, words)]
    room = LONGEST - sum(len(line) + 1 for line in (head, *tail, foot))
    return "\n".join([head, *_findings(_counted(plan, outcomes), room, words), *tail, foot])


def _counted(plan: Plan, outcomes: Mapping[str, Outcome]) -> list[Finding]:
    found = [
        (check.capped(asked_by(finding)), finding)
        for check, outcome in _in(plan, outcomes)
        for finding in outcome.findings
    ]
    found.sort(key=lambda pair: -pair[0].rank)
    return [finding for counts, finding in found if counts is not Result.OK]


def _findings(findings: list[Finding], room: int, words: _Words) -> list[str]:
    lines: list[str] = []
    for number, finding in enumerate(findings[:_MOST_FINDINGS], start=1):
        more = words.more.format(count=len(findings) - number + 1)
        line = f"{number}. {_finding(finding, words)}"
        spare = room - len(more) - 1
        if len(line) + 1 > spare and number > 1:
            break
        line = _cut(line, spare - 1)
        lines.append(line)
        room -= len(line) + 1
    left = len(findings) - len(lines)
    return [*lines, _cut(words.more.format(count=left), room - 1)] if left and room > 1 else lines


def _finding(finding: Finding, words: _Words) -> str:
    where = words.line.format(line=finding.line) if finding.line else ""
    fix = words.fix.format(help=_cut(finding.help, _LONGEST_HELP)) if finding.help else ""
    return f"[{_cut(finding.rule, _LONGEST_NAME)}] {where}{_cut(finding.message, _LONGEST_MESSAGE)}{fix}"


def _noted(plan: Plan, outcomes: Mapping[str, Outcome], words: _Words) -> Iterator[str]:
    noted = {
        check.name: count
        for check, outcome in _in(plan, outcomes)
        if (count := sum(check.capped(asked_by(item)) is Result.OK for item in outcome.findings))
    }
    if noted:
        yield words.noted.format(count=sum(noted.values()), names=_cut(", ".join(noted), _LONGEST_DETAIL))


def _not_run(plan: Plan, outcomes: Mapping[str, Outcome], words: _Words) -> Iterator[str]:
    missing = [
        (check, outcome)
        for check in plan.checks
        if (outcome := outcomes.get(check.name)) is None
        or outcome.kind in (OutcomeKind.ERROR, OutcomeKind.TIMED_OUT)
    ]
    missing.sort(key=lambda pair: -pair[0].counts_as(pair[1]).rank)
    said = [
        words.counted.format(
            name=_cut(check.name, _LONGEST_NAME),
            why=_why(outcome, words),
            result=check.counts_as(outcome).value,
        )
        for check, outcome in missing[:_MOST_NOT_RUN]
    ]
    if others := missing[_MOST_NOT_RUN:]:
        most = others[0][0].counts_as(others[0][1])
        said.append(words.and_others.format(count=len(others), result=most.value))
    if said:
        yield words.not_run.format(checks="; ".join(said))


def _why(outcome: Outcome | None, words: _Words) -> str:
    kind = words.failed if outcome and outcome.kind is OutcomeKind.ERROR else words.timed_out
    return f"{kind}: {_cut(outcome.detail, _LONGEST_DETAIL)}" if outcome and outcome.detail else kind


def _in(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[tuple[PlannedCheck, Outcome]]:
    for check in plan.checks:
        if check.name in outcomes:
            yield check, outcomes[check.name]


def _cut(text: str, most: int) -> str:
    """Return `text` on one line, cut to `most` characters; a letter keeps its accents."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    end = max(most - 1, 0)
    while end and unicodedata.combining(line[end]):
        end -= 1
    return line[:end] + "…"
