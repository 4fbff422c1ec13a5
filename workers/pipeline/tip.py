"""The text that DataWorks shows to the person who waits: a pure function of the verdict and its grounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from urllib.parse import quote

from common.plan import Plan, PlannedCheck, asked_by
from common.verdicts import Finding, Outcome, OutcomeKind, Result
from workers.pipeline.tip_text import OF, Words, cut
from workers.waivers.matching import DAY, Waivers, waived_by

LONGEST = 999
"""Characters in a tip at the most. DataWorks states no limit; about a thousand is known to be shown."""

MESSAGE_ID = "{message_id}"
"""Where a details URL has the event's id."""

_LEAST_LINE = 20
_LEAST_FINDING = 220
"""Characters that are left for findings however much else there is to say."""

_MOST_FINDINGS = 3
_MOST_NOT_RUN = 3
_MOST_WAIVERS = 2
_LEAST_MESSAGE = 180
_LONGEST_HELP = 110
_LONGEST_NAME = 40
_LONGEST_DETAIL = 60
_AGAIN = 1_000_000
"""The turn of a finding on a line of which its check has said something worse."""


def tip(
    result: Result,
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    message_id: str,
    *,
    now: float = 0,
    waivers: Waivers | None = None,
    details_url: str | None = None,
) -> str:
    """Return the tip: the verdict, the worst findings, what was waived or not run, and the event's id.

    Args:
        result: the verdict.
        plan: the checks and how each counts; its language is that of everything but the findings themselves.
        outcomes: what is in, by check name.
        message_id: the event; never cut.
        now: seconds since the epoch.
        waivers: tells when the waivers end that let findings pass.
        details_url: where more is shown, with `{message_id}` in it; None for nowhere.
    """
    words = OF[plan.language]
    counted = _counted(plan, outcomes)
    head = _head(result, plan, [counts for counts, _ in counted], words)
    foot = [words.event.format(id=message_id)]
    if details_url:
        url = details_url.replace(MESSAGE_ID, quote(message_id, safe=""))
        foot.insert(0, words.details.format(url=url))
    beside = [
        *_waived(plan, outcomes, waivers or Waivers(), now, words),
        *_not_run(plan, outcomes, words),
        *_noted(plan, outcomes, words),
    ]
    room = LONGEST - sum(len(line) + 1 for line in (head, *foot))
    beside = list(_fitting(beside, room - (_LEAST_FINDING if counted else 0)))
    room -= sum(len(line) + 1 for line in beside)
    return "\n".join([head, *_findings(result, counted, room, words), *beside, *foot])


def _fitting(lines: list[str], room: int) -> Iterator[str]:
    """Yield `lines` so far as there is room, the last of them cut."""
    for line in lines:
        if room > _LEAST_LINE:
            yield (fitting := cut(line, room - 1))
            room -= len(fitting) + 1


def _head(result: Result, plan: Plan, counted: list[Result], words: Words) -> str:
    if not plan.checks:
        why = cut(plan.off, _LEAST_MESSAGE) if plan.off is not None else words.no_check
        return words.unchecked.format(result=result.value, why=why)
    if result is Result.OK:
        return words.passed
    found = counted.count(result)
    if not found:
        return words.unrun[result]
    return words.found[result].format(found=words.findings(found))


def _counted(plan: Plan, outcomes: Mapping[str, Outcome]) -> list[tuple[Result, Finding]]:
    """Return the findings that count, and as what: worst first; of those the first of each check and line.

    Few are shown, so that a second word on a line must not hide another check's first one.
    """
    found: list[tuple[int, int, Result, Finding]] = []
    for check, outcome in _in(plan, outcomes):
        places: set[int] = set()
        for finding in sorted(outcome.findings, key=lambda item: -check.capped(asked_by(item)).rank):
            if (counts := check.capped(asked_by(finding))) is Result.OK:
                continue
            again = finding.line is not None and finding.line in places
            turn = _AGAIN if again else len(places)
            places.add(finding.line or -len(places) - 1)
            found.append((-counts.rank, turn, counts, finding))
    found.sort(key=itemgetter(0, 1))
    return [(counts, finding) for _, _, counts, finding in found]


def _findings(
    result: Result, findings: list[tuple[Result, Finding]], room: int, words: Words
) -> Iterator[str]:
    shown = 0
    for counts, finding in findings[:_MOST_FINDINGS]:
        more = words.more.format(count=len(findings) - shown)
        milder = words.warning if counts.rank < result.rank else ""
        number = f"{shown + 1}. {milder}"
        spare = room - len(more) - 1
        # What a short one leaves is the next one's.
        share = spare // (min(len(findings), _MOST_FINDINGS) - shown)
        most = share - len(number) - len(_finding(finding, 0, words)) - 1
        line = number + _finding(finding, max(most, _LEAST_MESSAGE), words)
        if len(line) + 1 > spare and shown:
            break
        line = cut(line, spare - 1)
        yield line
        shown += 1
        room -= len(line) + 1
    if (left := len(findings) - shown) and room > 1:
        yield cut(words.more.format(count=left), room - 1)


def _finding(finding: Finding, most: int, words: Words) -> str:
    where = words.line.format(line=finding.line) if finding.line else ""
    fix = words.fix.format(help=cut(finding.help, _LONGEST_HELP)) if finding.help else ""
    return f"[{cut(finding.rule, _LONGEST_NAME)}] {where}{cut(finding.message, most)}{fix}"


def _waived(
    plan: Plan, outcomes: Mapping[str, Outcome], waivers: Waivers, now: float, words: Words
) -> Iterator[str]:
    ids = [id_ for _, outcome in _in(plan, outcomes) for item in outcome.findings if (id_ := waived_by(item))]
    if not ids:
        return
    ends = {id_: waiver.ends for id_ in ids if (waiver := waivers.get(id_))}
    named = sorted(dict.fromkeys(ids), key=lambda id_: ends.get(id_, 0))
    said = [_waiver(id_, waivers, now, words) for id_ in named[:_MOST_WAIVERS]]
    if others := named[_MOST_WAIVERS:]:
        said.append(words.more.format(count=len(others)))
    yield words.waived.format(count=len(ids), waivers=words.comma.join(said))


def _waiver(id_: str, waivers: Waivers, now: float, words: Words) -> str:
    waiver = waivers.get(id_)
    if waiver is None:
        return cut(id_, _LONGEST_NAME)
    until = words.until.format(id=id_, moment=waiver.expires_at.isoformat(" ", "minutes"))
    if not waivers.ends_soon(waiver, now):
        return until
    return until + words.comma + words.ends(int((waiver.ends - now) // DAY))


def _noted(plan: Plan, outcomes: Mapping[str, Outcome], words: Words) -> Iterator[str]:
    noted = {
        check.name: count
        for check, outcome in _in(plan, outcomes)
        if (count := sum(_is_noted(check, item) for item in outcome.findings))
    }
    if noted:
        yield words.noted.format(count=sum(noted.values()), names=cut(", ".join(noted), _LONGEST_DETAIL))


def _is_noted(check: PlannedCheck, finding: Finding) -> bool:
    return finding.waived is None and check.capped(asked_by(finding)) is Result.OK


def _not_run(plan: Plan, outcomes: Mapping[str, Outcome], words: Words) -> Iterator[str]:
    missing = [
        (check, outcome)
        for check in plan.checks
        if (outcome := outcomes.get(check.name)) is None
        or outcome.kind in (OutcomeKind.ERROR, OutcomeKind.TIMED_OUT)
    ]
    missing.sort(key=lambda pair: -pair[0].counts_as(pair[1]).rank)
    said = [
        words.counted.format(
            name=cut(check.name, _LONGEST_NAME),
            why=_why(outcome, words),
            result=check.counts_as(outcome).value,
        )
        for check, outcome in missing[:_MOST_NOT_RUN]
    ]
    if others := missing[_MOST_NOT_RUN:]:
        most = others[0][0].counts_as(others[0][1])
        said.append(words.and_others.format(count=len(others), result=most.value))
    if said:
        yield words.not_run.format(checks=words.semicolon.join(said))


def _why(outcome: Outcome | None, words: Words) -> str:
    kind = words.failed if outcome and outcome.kind is OutcomeKind.ERROR else words.timed_out
    if outcome is None or not outcome.detail:
        return kind
    return words.because.format(kind=kind, detail=cut(outcome.detail, _LONGEST_DETAIL))


def _in(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[tuple[PlannedCheck, Outcome]]:
    for check in plan.checks:
        if check.name in outcomes:
            yield check, outcomes[check.name]
