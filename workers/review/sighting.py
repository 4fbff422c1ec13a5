"""A hit on its way to a finding: which rule saw it, how much it weighs, whether its author suppressed it."""

from __future__ import annotations

from dataclasses import dataclass

from common.i18n import Language
from common.verdicts import Finding, Severity
from workers.review.facts import Span
from workers.review.places import Places
from workers.review.rules.rule import Hit, Rule, Text


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a rule, or an outside tool, saw.

    Attributes:
        rule: its id.
        key: see `Hit.key`.
        secret: whether what stands at `at` is a secret.
        suppressed: the reason that its author gave for keeping it; None: it counts.
    """

    rule: str
    severity: Severity
    at: Span
    message: Text
    fix: Text | None = None
    key: str = ""
    secret: bool = False
    suppressed: str | None = None


def sighting(rule: Rule, hit: Hit) -> Sighting:
    """Return a hit of `rule` with what the rule says of all its hits."""
    return Sighting(
        rule.id, hit.severity or rule.severity, hit.at, hit.message, hit.fix or rule.fix, hit.key, rule.secret
    )


def finding(seen: Sighting, code: str, places: Places, fingerprint: str, language: Language) -> Finding:
    """Return `seen` in one language and with its place in `code`; white space at its end is left out."""
    begin = min(max(seen.at.begin, 0), len(code))
    end = begin + len(code[begin : max(seen.at.end, begin)].rstrip())
    first, last = places.at(begin), places.at(end)
    return Finding(
        seen.rule,
        seen.severity,
        _in(seen.message, language),
        first.line,
        first.column,
        _in(seen.fix, language) if seen.fix else None,
        last.line,
        last.column,
        seen.suppressed,
        fingerprint,
    )


def _in(text: Text, language: Language) -> str:
    return text.zh if language is Language.CHINESE else text.en
