"""The text that DataWorks shows to the operator: a pure function of verdict, plan and outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter

from common.plan import Plan, PlannedCheck, requested_result
from common.text.printable import printable
from common.verdicts import Finding, Outcome, OutcomeKind, Result, Severity
from workers.pipeline.tip_text import TEMPLATES, TipTemplates, truncate
from workers.waivers.matching import DAY, Waivers, waiver_of

MAX_LENGTH = 999
"""Characters of a tip. DataWorks documents no limit; about a thousand are known to be shown."""

_MIN_LINE = 20
"""Characters; a line with less room is omitted."""

_MIN_FINDING = 220
"""Characters that are reserved for findings, however long the other lines are."""

_MAX_FINDINGS = 3
_MAX_NOT_RUN = 3
_MAX_WAIVERS = 2
_MIN_MESSAGE = 180
_MAX_HELP = 110
_MAX_NAME = 40
_MAX_DETAIL = 60
_MAX_GAP = 120
_LAST = 1_000_000
"""Order of a finding on a line for which the same check has a more severe one: after all others."""


def render_tip(
    result: Result,
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    message_id: str,
    *,
    now: float = 0,
    waivers: Waivers | None = None,
    details_link: str | None = None,
) -> str:
    """Return the tip: verdict, findings, gaps, suppressed blocks, waivers, checks not run, the event's id.

    Args:
        result: the verdict.
        plan: the checks and how each counts; its language is that of the tip, except for the findings.
        outcomes: the outcomes so far, by check name.
        message_id: the event; never truncated.
        now: seconds since the epoch.
        waivers: the known waivers, for their expiry.
        details_link: address of the event's details, never truncated; None if there is none.
    """
    words = TEMPLATES[plan.language]
    counted = _counted_findings(plan, outcomes)
    head = _headline(result, plan, outcomes, [counts for counts, _ in counted], words)
    foot = [words.event.format(id=message_id)]
    if details_link:
        foot.insert(0, words.details.format(url=details_link))
    others = [
        *_not_reviewed_lines(plan, outcomes, words),
        *_suppressed_lines(plan, outcomes, words),
        *_waived_lines(plan, outcomes, waivers or Waivers(), now, words),
        *_not_run_lines(plan, outcomes, words),
        *_note_lines(plan, outcomes, words),
    ]
    room = MAX_LENGTH - sum(len(line) + 1 for line in (head, *foot))
    others = list(_fit_lines(others, room - (_MIN_FINDING if counted else 0)))
    room -= sum(len(line) + 1 for line in others)
    if result is Result.FAIL:
        asked = list(_contact_lines(plan, room - (_MIN_FINDING if counted else 0), words))
        room -= sum(len(line) + 1 for line in asked)
        others += asked
    lines = [head, *_findings(result, counted, room, words), *others, *foot]
    return "\n".join(map(printable, lines))


def _contact_lines(plan: Plan, room: int, words: TipTemplates) -> Iterator[str]:
    """Yield whom to ask, if that fits into `room` characters: half an address is of no use."""
    text = plan.contact.text if plan.contact else None
    line = words.contact.format(contact=text) if text else ""
    if line and len(line) < room:
        yield line


def _fit_lines(lines: list[str], room: int) -> Iterator[str]:
    """Yield as many of `lines` as fit into `room` characters, the last one truncated."""
    for line in lines:
        if room > _MIN_LINE:
            yield (fitting := truncate(line, room - 1))
            room -= len(fitting) + 1


def _headline(
    result: Result,
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    counted: list[Result],
    words: TipTemplates,
) -> str:
    if not plan.checks:
        reason = (
            truncate(plan.disabled_reason, _MIN_MESSAGE)
            if plan.disabled_reason is not None
            else words.no_check
        )
        return words.unchecked.format(result=result.value, reason=reason)
    if result is Result.OK:
        return words.passed
    found = counted.count(result)
    if not found:
        cause = any(
            check.incomplete_result(outcome) is result for check, outcome in _unreviewed(plan, outcomes)
        )
        return (words.unreviewed if cause else words.unrun)[result]
    return words.found[result].format(found=words.findings(found))


def _counted_findings(plan: Plan, outcomes: Mapping[str, Outcome]) -> list[tuple[Result, Finding]]:
    """Return the findings that count, with their results: most severe first, then one per check and line.

    Only a few are shown: a second finding on a line must not displace another check's first one.
    """
    found: list[tuple[int, int, Result, Finding]] = []
    for check, outcome in _outcomes_in_order(plan, outcomes):
        lines: set[int] = set()
        for finding in sorted(
            outcome.findings, key=lambda item: -check.cap_to_mode(requested_result(item)).severity_rank
        ):
            if (counts := check.cap_to_mode(requested_result(finding))) is Result.OK:
                continue
            repeated = finding.line is not None and finding.line in lines
            order = _LAST if repeated else len(lines)
            # Findings without a line are all different: a negative number stands for each.
            lines.add(finding.line or -len(lines) - 1)
            found.append((-counts.severity_rank, order, counts, finding))
    found.sort(key=itemgetter(0, 1))
    return [(counts, finding) for _, _, counts, finding in found]


def _findings(
    result: Result, findings: list[tuple[Result, Finding]], room: int, words: TipTemplates
) -> Iterator[str]:
    shown = 0
    for counts, finding in findings[:_MAX_FINDINGS]:
        more = words.more.format(count=len(findings) - shown)
        milder = words.warning if counts.severity_rank < result.severity_rank else ""
        number = f"{shown + 1}. {milder}"
        spare = room - len(more) - 1
        # Room that a short finding leaves is available to the next ones.
        share = spare // (min(len(findings), _MAX_FINDINGS) - shown)
        limit = share - len(number) - len(_finding(finding, 0, words)) - 1
        line = number + _finding(finding, max(limit, _MIN_MESSAGE), words)
        if len(line) + 1 > spare and shown:
            break
        line = truncate(line, spare - 1)
        yield line
        shown += 1
        room -= len(line) + 1
    if (left := len(findings) - shown) and room > 1:
        yield truncate(words.more.format(count=left), room - 1)


def _finding(finding: Finding, limit: int, words: TipTemplates) -> str:
    where = words.line.format(line=finding.line) if finding.line else ""
    fix = words.fix.format(help=truncate(finding.help, _MAX_HELP)) if finding.help else ""
    return f"[{truncate(finding.rule, _MAX_NAME)}] {where}{truncate(finding.message, limit)}{fix}"


def _suppressed_lines(plan: Plan, outcomes: Mapping[str, Outcome], words: TipTemplates) -> Iterator[str]:
    """Yield a line with every blocking finding that the author suppressed, by rule."""
    lines_of: dict[str, dict[int | None, None]] = {}
    for _, outcome in _outcomes_in_order(plan, outcomes):
        for item in outcome.findings:
            if item.suppressed is not None and item.severity is Severity.BLOCK:
                lines_of.setdefault(truncate(item.rule, _MAX_NAME), {})[item.line] = None
    if lines_of:
        texts = [words.rule_at(rule, [line for line in lines if line]) for rule, lines in lines_of.items()]
        count = sum(map(len, lines_of.values()))
        yield words.suppressed.format(count=count, findings=words.semicolon.join(texts))


def _waived_lines(
    plan: Plan, outcomes: Mapping[str, Outcome], waivers: Waivers, now: float, words: TipTemplates
) -> Iterator[str]:
    ids = [
        id_
        for _, outcome in _outcomes_in_order(plan, outcomes)
        for item in outcome.findings
        if (id_ := waiver_of(item))
    ]
    if not ids:
        return
    expiry = {id_: waiver.expires_ts for id_ in ids if (waiver := waivers.get(id_))}
    named = sorted(dict.fromkeys(ids), key=lambda id_: expiry.get(id_, 0))
    texts = [_waiver(id_, waivers, now, words) for id_ in named[:_MAX_WAIVERS]]
    if others := named[_MAX_WAIVERS:]:
        texts.append(words.more.format(count=len(others)))
    yield words.waived.format(count=len(ids), waivers=words.comma.join(texts))


def _waiver(id_: str, waivers: Waivers, now: float, words: TipTemplates) -> str:
    waiver = waivers.get(id_)
    if waiver is None:
        return truncate(id_, _MAX_NAME)
    until = words.until.format(id=id_, moment=waiver.expires_at.isoformat(" ", "minutes"))
    if not waivers.expires_soon(waiver, now):
        return until
    return until + words.comma + words.expires(int((waiver.expires_ts - now) // DAY))


def _note_lines(plan: Plan, outcomes: Mapping[str, Outcome], words: TipTemplates) -> Iterator[str]:
    noted = {
        check.name: count
        for check, outcome in _outcomes_in_order(plan, outcomes)
        if (count := sum(_is_noted(check, item) for item in outcome.findings))
    }
    if noted:
        yield words.noted.format(count=sum(noted.values()), names=truncate(", ".join(noted), _MAX_DETAIL))


def _is_noted(check: PlannedCheck, finding: Finding) -> bool:
    return finding.waived is None and check.cap_to_mode(requested_result(finding)) is Result.OK


def _unreviewed(plan: Plan, outcomes: Mapping[str, Outcome]) -> list[tuple[PlannedCheck, Outcome]]:
    return [
        (check, outcome)
        for check, outcome in _outcomes_in_order(plan, outcomes)
        if outcome.kind is OutcomeKind.UNREVIEWABLE
    ]


def _not_reviewed_lines(plan: Plan, outcomes: Mapping[str, Outcome], words: TipTemplates) -> Iterator[str]:
    counted = [
        (check.name, truncate(outcome.detail or "?", _MAX_GAP), check.incomplete_result(outcome))
        for check, outcome in _unreviewed(plan, outcomes)
    ]
    if counted:
        yield words.not_reviewed.format(checks=_counted_checks(counted, words))


def _not_run_lines(plan: Plan, outcomes: Mapping[str, Outcome], words: TipTemplates) -> Iterator[str]:
    counted = [
        (check.name, _not_run_reason(outcome, words), check.incomplete_result(outcome))
        for check in plan.checks
        if (outcome := outcomes.get(check.name)) is None
        or outcome.kind in (OutcomeKind.ERROR, OutcomeKind.TIMED_OUT)
    ]
    if counted:
        yield words.not_run.format(checks=_counted_checks(counted, words))


def _counted_checks(checks: list[tuple[str, str, Result]], words: TipTemplates) -> str:
    """Return the names of checks with the reason why each did not finish and its result, worst first."""
    ordered = sorted(checks, key=lambda item: -item[2].severity_rank)
    texts = [
        words.counted.format(name=truncate(name, _MAX_NAME), reason=reason, result=result.value)
        for name, reason, result in ordered[:_MAX_NOT_RUN]
    ]
    if others := ordered[_MAX_NOT_RUN:]:
        texts.append(words.and_others.format(count=len(others), result=others[0][2].value))
    return words.semicolon.join(texts)


def _not_run_reason(outcome: Outcome | None, words: TipTemplates) -> str:
    kind = words.failed if outcome and outcome.kind is OutcomeKind.ERROR else words.timed_out
    if outcome is None or not outcome.detail:
        return kind
    return words.because.format(kind=kind, detail=truncate(outcome.detail, _MAX_DETAIL))


def _outcomes_in_order(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[tuple[PlannedCheck, Outcome]]:
    for check in plan.checks:
        if check.name in outcomes:
            yield check, outcomes[check.name]
