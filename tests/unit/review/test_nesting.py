"""Code is read to 200 levels of every construct; deeper code is reported, and never ends the process."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from review.dialects import Dialect
from review.engine import run_review

FORMS = {
    "functions": ("SELECT {} AS c FROM t", "replace(", "a", ",'x','y')"),
    "conditions": ("SELECT {} AS c FROM t", "if(a > 1, 1, ", "0", ")"),
    "cases": ("SELECT {} AS c FROM t", "CASE WHEN a = 1 THEN 1 ELSE ", "0", " END"),
    "casts": ("SELECT {} AS c FROM t", "cast(", "a", " AS CHAR)"),
    "parentheses": ("SELECT {} AS c FROM t", "(", "a", ")"),
    "predicates": ("SELECT a FROM t WHERE {}", "(a = 1 OR ", "b = 1", ")"),
    "subqueries": ("SELECT a FROM {}", "(SELECT a FROM ", "t", ") q"),
    "membership": ("SELECT a FROM t WHERE {}", "a IN (SELECT a FROM t WHERE ", "b = 1", ")"),
    "negations": ("SELECT a FROM t WHERE {}", "NOT ", "a = 1", ""),
}
CASES = [
    (dialect, form)
    for dialect in Dialect
    for form in FORMS
    if dialect.sql and (dialect, form) != (Dialect.TSQL, "conditions")  # IF is only a statement there
]


MAX_SUBQUERIES = 180 if sys.version_info[:2] == (3, 12) else 200
"""Python 3.12 limits nested calls of compiled code, as of the parser, to a fixed number."""


def nested(form: str, levels: int) -> str:
    frame, opening, inside, closing = FORMS[form]
    return frame.format(opening * levels + inside + closing * levels)


@pytest.mark.parametrize(("dialect", "form"), CASES)
@pytest.mark.timeout(60)
def test_two_hundred_levels_are_read(dialect: Dialect, form: str) -> None:
    levels = MAX_SUBQUERIES if form == "subqueries" else 200
    assert run_review(nested(form, levels), dialect, seconds=60).gaps == ()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.timeout(120)
def test_deeper_code_is_reported_and_does_not_end_the_process(form: str) -> None:
    code = nested(form, 8000)
    program = textwrap.dedent("""
        import sys
        from review.dialects import Dialect
        from review.engine import run_review

        code = sys.stdin.read()
        for dialect in (Dialect.MAXCOMPUTE, Dialect.MYSQL):
            print(len(run_review(code, dialect, seconds=5).gaps))
    """)
    ended = subprocess.run(
        [sys.executable, "-c", program], input=code, capture_output=True, text=True, timeout=110, check=False
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["1", "1"]), ended.stderr[-500:]
