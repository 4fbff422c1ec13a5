"""A hit on its way to a finding: which rule saw it, how much it weighs, whether its author suppressed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.text.i18n import Language
from common.text.printable import printable
from common.verdicts import Finding, Param, Severity, Subject, SubjectKind, table_subject
from review.analysis.secret_mask import SecretMask
from review.dialects import Dialect
from review.facts import CreatedKind, RemovedKind, Script, Span, Statement
from review.rules.api import Edit, Hit, Rule, Text
from review.source.positions import LineIndex

_MAXCOMPUTE = frozenset({Dialect.MAXCOMPUTE, Dialect.PYTHON, Dialect.SHELL})
_TABLES = frozenset({CreatedKind.TABLE, CreatedKind.VIEW})
_REMOVED = frozenset(
    {RemovedKind.TABLE, RemovedKind.VIEW, RemovedKind.ROWS, RemovedKind.PARTITION, RemovedKind.COLUMN}
)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a rule, or an outside tool, saw.

    Attributes:
        rule: its id.
        key: see `Hit.key`.
        secret: whether what stands at `at` is a secret.
        suppressed: the reason that its author gave for keeping it; None: it counts.
        is_gap: whether it reports that something was not reviewed.
        params: values of the message by name.
        edit: see `Hit.edit`.
    """

    rule: str
    severity: Severity
    at: Span
    message: Text
    fix: Text | None = None
    key: str = ""
    secret: bool = False
    suppressed: str | None = None
    is_gap: bool = False
    params: tuple[tuple[str, Param], ...] = ()
    edit: Edit | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that removes a finding of a rule."""

    rule: str
    edit: Edit


def from_hit(rule: Rule, hit: Hit) -> Diagnostic:
    """Return a hit of `rule` with what the rule says of all its hits."""
    return Diagnostic(
        rule.id,
        hit.severity or rule.severity,
        hit.at,
        hit.message,
        hit.fix or rule.fix,
        hit.key,
        rule.secret,
        params=hit.params,
        edit=hit.edit,
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
    project = script.context.project
    return table_subject(f"{project}.{name}" if project and "." not in name else name)


def to_finding(
    diagnostic: Diagnostic,
    code: str,
    places: LineIndex,
    digest: str | None,
    language: Language,
    tables: Mapping[Span, Subject],
    mask: SecretMask,
) -> Finding:
    """Return `diagnostic` in one language and with its position in `code`; trailing white space is left out.

    A finding located exactly at a table's name is about that table, any other about the file as a whole. Its
    texts contain neither secrets of the code nor characters that are not printable.
    """
    begin = min(max(diagnostic.at.begin, 0), len(code))
    end = begin + len(code[begin : max(diagnostic.at.end, begin)].rstrip())
    first, last = places.at(begin), places.at(end)

    def shown(text: str) -> str:
        return printable(mask.apply(text))

    return Finding(
        diagnostic.rule,
        diagnostic.severity,
        shown(diagnostic.message.in_language(language)),
        first.line,
        first.column,
        shown(diagnostic.fix.in_language(language)) if diagnostic.fix else None,
        last.line,
        last.column,
        None if diagnostic.suppressed is None else shown(diagnostic.suppressed),
        subjects=(tables[diagnostic.at].with_texts(shown),) if diagnostic.at in tables else (),
        params=diagnostic.params,
        english=None if language is Language.ENGLISH else shown(diagnostic.message.en),
        code_digest=digest,
    )
