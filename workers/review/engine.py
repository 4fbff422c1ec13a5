"""The door of the engine: code in, findings out."""

from __future__ import annotations

from common.verdicts import Finding
from workers.review import dialects
from workers.review.dialects import Dialect
from workers.review.facts import Script, Statement
from workers.review.rules.catalogue import RULES


def review(code: str, file_type: int | None) -> tuple[Finding, ...]:
    """Return what the rules say about a node's code, in the order of the text.

    Args:
        code: the text, with its scheduling parameters in place.
        file_type: number of the DataWorks node type; of types that are not SQL only secrets are looked for.
    """
    return review_as(code, dialects.of(file_type))


def review_as(code: str, dialect: Dialect) -> tuple[Finding, ...]:
    """Return what the rules say about code in `dialect`, in the order of the text."""
    statements: tuple[Statement, ...] = ()
    if dialect.sql:
        # Here and not above: sqlglot takes a third of a second, and most processes never review.
        from workers.review.trees.reader import read  # noqa: PLC0415

        statements = read(code, dialect)
    script = Script(code, dialect, statements)
    found = [finding for rule in RULES for finding in rule.findings(script)]
    return tuple(sorted(found, key=lambda finding: (finding.line or 0, finding.column or 0, finding.rule)))
