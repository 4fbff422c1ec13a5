"""Runs the review on code, for tests of the rules."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import pytest

from common.verdicts import Finding
from review.context import ReviewContext
from review.dialects import Dialect
from review.engine import NOT_REVIEWED, review
from review.facts import Span
from review.languages import parse_embedded
from review.options import ReviewOptions

NOTHING = ReviewContext()


def find_hits(
    rule: str,
    code: str,
    context: ReviewContext = NOTHING,
    dialect: str = Dialect.MAXCOMPUTE,
    policy: ReviewOptions = ReviewOptions(),  # noqa: B008 - frozen
) -> list[Finding]:
    """Return the findings of `rule`; the review must have parsed `code` completely."""
    findings = review(code, Dialect(dialect), context, policy)
    assert rule == NOT_REVIEWED or not [item.message for item in findings if item.rule == NOT_REVIEWED]
    return [item for item in findings if item.rule == rule]


def lines(
    rule: str, code: str, context: ReviewContext = NOTHING, dialect: str = Dialect.MAXCOMPUTE
) -> list[int | None]:
    """Return the lines of all findings of `rule`."""
    return [item.line for item in find_hits(rule, code, context, dialect)]


def positions_of(findings: Iterable[Finding]) -> list[str]:
    """Return severity, line and column of each finding."""
    return [f"{item.severity.value} {item.line}:{item.column}" for item in findings]


def assert_hits_and_misses(cases: Mapping[str, Sequence[tuple[str, str, list[int]]]]) -> pytest.MarkDecorator:
    """Parametrize a test with the cases of each rule: a name, the code, and the lines where it must hit."""
    return pytest.mark.parametrize(
        ("rule", "code", "wanted"),
        [
            pytest.param(rule, code, wanted, id=f"{rule}-{name}".replace(" ", "-"))
            for rule, of_rule in cases.items()
            for name, code, wanted in of_rule
        ],
    )


def sheets(code: str, dialect: Dialect) -> dict[Dialect, str]:
    """Return the SQL embedded in a Python or shell node, by dialect; all other text is blanked."""
    embedded = parse_embedded(code, dialect, time.monotonic() + 10).embedded
    for part in embedded:
        assert len(part.text) == len(code)
    return {part.dialect: part.text for part in embedded}


def cut(code: str, span: Span | None) -> str:
    """Return the code at a span, which must not be None."""
    assert span is not None
    return code[span.begin : span.end]
