"""A hit on its way to a finding: which rule saw it, how much it weighs, whether its author suppressed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.i18n import Language
from common.verdicts import Finding, Severity, Subject, SubjectKind, table_subject
from review.dialects import Dialect
from review.facts import Gone, Made, Script, Span, Statement
from review.rules.api import Hit, Rule, Text
from review.source.positions import Places

_MAXCOMPUTE = frozenset({Dialect.MAXCOMPUTE, Dialect.PYTHON, Dialect.SHELL})
_TABLES = frozenset({Made.TABLE, Made.VIEW})
_REMOVED = frozenset({Gone.TABLE, Gone.VIEW, Gone.ROWS, Gone.PARTITION, Gone.COLUMN})


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


def tables_by_span(script: Script) -> dict[Span, Subject]:
    """Return the tables that a script names, by the position of the name."""
    return {
        at: _table(script, statement, name)
        for statement in script.statements
        for at, name in (
            *((source.at, source.table) for _, source in statement.reads()),
            *((write.at, write.table) for write in statement.writes),
            *((item.at, item.name) for item in statement.creations if item.what in _TABLES),
            *((item.at, item.name) for item in statement.removals if item.what in _REMOVED),
        )
        if name
    }


def _table(script: Script, statement: Statement, name: str) -> Subject:
    if (statement.dialect or script.dialect) not in _MAXCOMPUTE:
        return Subject(SubjectKind.TABLE, name=name)
    project = script.given.project
    return table_subject(f"{project}.{name}" if project and "." not in name else name)


def finding(
    seen: Sighting,
    code: str,
    places: Places,
    fingerprint: str,
    language: Language,
    tables: Mapping[Span, Subject],
) -> Finding:
    """Return `seen` in one language and with its position in `code`; white space at its end is left out.

    A finding located exactly at a table's name is about that table, any other about the file as a whole.
    """
    begin = min(max(seen.at.begin, 0), len(code))
    end = begin + len(code[begin : max(seen.at.end, begin)].rstrip())
    first, last = places.at(begin), places.at(end)
    return Finding(
        seen.rule,
        seen.severity,
        seen.message.in_language(language),
        first.line,
        first.column,
        seen.fix.in_language(language) if seen.fix else None,
        last.line,
        last.column,
        seen.suppressed,
        fingerprint,
        subjects=(tables[seen.at],) if seen.at in tables else (),
        english=None if language is Language.ENGLISH else seen.message.en,
    )
