"""The entry point of the engine: takes code, returns findings."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from common.i18n import Language
from common.verdicts import Finding, Severity
from review import languages
from review.context import Given
from review.diagnostic import Sighting, finding, sighting, tables_by_span
from review.dialects import Dialect
from review.facts import Script, Span
from review.fingerprints import fingerprints
from review.gc_pause import put_off
from review.options import ReviewPolicy
from review.rules.api import Rule, Subject, Text
from review.rules.external_rules import SECRETS
from review.rules.registry import RULES
from review.script_reader import Tables, read
from review.source.positions import Places
from review.suppressions import suppress
from review.tables.catalog import Catalog

SECONDS = 10.0
"""Default time limit of a review; code and rules not reviewed by then are reported."""

_READING, _JUDGING = 0.5, 0.9
"""Fractions of the time limit by which reading, and the last rule, must have finished."""

MOST_HITS = 1000
"""Maximum findings of one rule in one script; if there are more, one finding says so."""

NOT_REVIEWED = "MC-C19"
"""The rule that reports what could not be reviewed."""

_ABOUT_REVIEW = "DW-"
"""Prefix of rules about the review's own comments: they run last and cannot be suppressed."""


def review(
    code: str,
    dialect: Dialect,
    given: Given = Given(),  # noqa: B008 - frozen
    policy: ReviewPolicy = ReviewPolicy(),  # noqa: B008 - frozen
    *,
    tables: Tables | None = None,
    language: Language = Language.ENGLISH,
    seconds: float = SECONDS,
) -> tuple[Finding, ...]:
    """Return the findings of all rules on a node's code, in text order.

    Args:
        code: the text, with its scheduling parameters unreplaced.
        dialect: the language of `code`.
        given: known facts about the node and its tables.
        policy: severities and options of the rules.
        tables: supplies metadata of tables that are not in `given`; its exceptions are propagated.
        language: of messages and remedies.
        seconds: time limit; a finding reports what was not reviewed in time.
    """
    now = time.monotonic()
    with put_off():
        script = read(code, dialect, given, tables, now + seconds * _READING)
        seen = _seen(script, policy, now + seconds * _JUDGING)
        places, marks, named = Places(code), fingerprints(seen, code), tables_by_span(script)
        return tuple(
            finding(item, code, places, mark, language, named) for item, mark in zip(seen, marks, strict=True)
        )


_FIRST = tuple(
    sorted(
        (rule for rule in RULES if not rule.id.startswith(_ABOUT_REVIEW)),
        key=lambda rule: rule.id != NOT_REVIEWED,
    )
)
"""The rule about unreadable code runs first, so that it reports even if there is no time for others."""

_LAST = tuple(rule for rule in RULES if rule.id.startswith(_ABOUT_REVIEW))

_HELP = Text("Have a person look at the script.", "请人工检查该脚本。")
_LATE = Text("Not all rules ran: the review timed out.", "复查超时，部分规则未执行。")


def _seen(script: Script, policy: ReviewPolicy, until: float) -> list[Sighting]:
    subject = Subject(script, Catalog(script))
    first = [*_asked(_FIRST, subject, policy, until), *_outside(script, until)]
    seen = list(_weighed(first, policy))
    about = Subject(script, subject.catalog, tuple((item.rule, item.at) for item in seen))
    last = _weighed(_asked(_LAST, about, policy, until), policy)
    # The same finding at the same position is reported once.
    return sorted(dict.fromkeys((*suppress(script, seen), *last)), key=lambda item: (item.at, item.rule))


def _asked(rules: Iterable[Rule], subject: Subject, policy: ReviewPolicy, until: float) -> Iterator[Sighting]:
    for rule in rules:
        if time.monotonic() > until:
            yield _unjudged(_LATE)
            return
        if not policy.off(rule.id):
            yield from _hits(rule, subject, policy)


def _hits(rule: Rule, subject: Subject, policy: ReviewPolicy) -> list[Sighting]:
    try:
        hits = list(islice(rule.hits(subject, policy.options_of(rule)), MOST_HITS + 1))
        # Whether a suppression of a disabled rule is needed cannot be determined.
        about = rule.id.startswith(_ABOUT_REVIEW)
        seen = [sighting(rule, hit) for hit in hits[:MOST_HITS] if not (about and policy.off(hit.key))]
        return [*seen, *(_unjudged(_more(rule)) for _ in hits[MOST_HITS:])]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any text may come, and rules of any package
        why = type(error).__name__
        said = Text(
            f"{rule.id} failed on this script ({why}).", f"规则 {rule.id} 检查该脚本时出错（{why}）。"
        )
        return [_unjudged(said)]


def _outside(script: Script, until: float) -> Iterator[Sighting]:
    for hit in languages.outside(script.code, script.dialect, max(until - time.monotonic(), 0)):
        yield Sighting(hit.rule, hit.severity, hit.at, hit.message, secret=hit.rule in SECRETS)


def _more(rule: Rule) -> Text:
    return Text(
        f"{rule.id} has more than {MOST_HITS} findings here; the rest are not listed.",
        f"规则 {rule.id} 在此发现超过 {MOST_HITS} 个问题，其余未列出。",
    )


def _unjudged(said: Text) -> Sighting:
    return Sighting(NOT_REVIEWED, Severity.WARN, Span(0, 0), said, _HELP)


def _weighed(seen: Iterable[Sighting], policy: ReviewPolicy) -> Iterator[Sighting]:
    for item in seen:
        if not policy.off(item.rule):
            weight = policy.weighed(item.rule, item.severity)
            yield item if weight is item.severity else replace(item, severity=weight)
