"""The door of the engine: code in, findings out."""

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
"""How long a review may take; what was not looked at by then is said."""

_READING, _JUDGING = 0.5, 0.9
"""Shares of that time by which the text must have been read, and the last rule asked."""

MOST_HITS = 1000
"""Findings of one rule in one script; that there are more is said."""

NOT_REVIEWED = "MC-C19"
"""The rule whose findings say what could not be looked at."""

_ABOUT_REVIEW = "DW-"
"""Ids of rules about the review's own comments: they are asked last, and cannot be suppressed."""


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
    """Return what the rules say about a node's code, in the order of the text.

    Args:
        code: the text, with its scheduling parameters in place.
        dialect: the language of `code`.
        given: what is known besides the code.
        policy: how the rules are weighed.
        tables: supplies what is known of the tables besides `given`; what it raises comes through.
        language: of messages and remedies.
        seconds: how long it may take; what was not looked at in time is a finding.
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
"""What could not be read comes first: it is said even when there is no time for more."""

_LAST = tuple(rule for rule in RULES if rule.id.startswith(_ABOUT_REVIEW))

_HELP = Text("Have a person look at the script.", "请人工检查该脚本。")
_LATE = Text("Not all rules ran: the review timed out.", "复查超时，部分规则未执行。")


def _seen(script: Script, policy: ReviewPolicy, until: float) -> list[Sighting]:
    subject = Subject(script, Catalog(script))
    first = [*_asked(_FIRST, subject, policy, until), *_outside(script, until)]
    seen = list(_weighed(first, policy))
    about = Subject(script, subject.catalog, tuple((item.rule, item.at) for item in seen))
    last = _weighed(_asked(_LAST, about, policy, until), policy)
    # What is said twice of one place is said once.
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
        # A suppression of a rule that is off cannot show whether it is needed.
        about = rule.id.startswith(_ABOUT_REVIEW)
        seen = [sighting(rule, hit) for hit in hits[:MOST_HITS] if not (about and policy.off(hit.key))]
        return [*seen, *(_unjudged(_more(rule)) for _ in hits[MOST_HITS:])]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any text may come, and rules of any package
        why = type(error).__name__
        said = Text(
            f"{rule.id} could not judge this script ({why}).", f"规则 {rule.id} 未能判断该脚本（{why}）。"
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
