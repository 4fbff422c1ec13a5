"""Fixes: which edits are made, that they change only the finding, and that doubtful ones are undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from review import engine
from review.dialects import Dialect
from review.engine import Review, run_review
from review.facts import Span
from review.fixes import fix_code
from review.rules.api import Edit, Hit, RuleContext, Text
from review.rules.registry import BY_ID

FROM = "FROM t WHERE ds = '${bizdate}'"
OF_U = "SELECT id FROM u WHERE ds = '${bizdate}'"
DISTINCT_U = "SELECT DISTINCT id FROM u WHERE ds = '${bizdate}'"
UNUSED = "dwgate:ignore MC-P06 the report needs its order"


def fixed(code: str, dialect: Dialect = Dialect.MAXCOMPUTE, *rules: str) -> str:
    def review(text: str) -> Review:
        return run_review(text, dialect)

    result = fix_code(code, review, lambda rule: not rules or rule in rules)
    assert (result.fixed == 0) == (result.code == code)
    return result.code


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            f"SELECT DISTINCT id, count(*) AS n {FROM} GROUP BY id;",
            f"SELECT id, count(*) AS n {FROM} GROUP BY id;",
        ),
        (f"SELECT DISTINCT sum(id) AS n {FROM};", f"SELECT sum(id) AS n {FROM};"),
        (f"SELECT id {FROM} AND id IN ({DISTINCT_U});", f"SELECT id {FROM} AND id IN ({OF_U});"),
        (f"SELECT id {FROM} AND EXISTS ({DISTINCT_U});", f"SELECT id {FROM} AND EXISTS ({OF_U});"),
        (
            f"SELECT /* distinct */\n  distinct\n  id, max(a) AS a {FROM} GROUP BY id;",
            f"SELECT /* distinct */\n  \n  id, max(a) AS a {FROM} GROUP BY id;",
        ),
    ],
)
def test_a_needless_distinct_is_removed(code: str, expected: str) -> None:
    assert fixed(code) == expected


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        (f"SELECT DISTINCT id {FROM};", Dialect.MAXCOMPUTE),
        (f"SELECT DISTINCT id, explode(collect_list(a)) AS b {FROM} GROUP BY id;", Dialect.HIVE),
        (f"SELECT DISTINCT explode(collect_list(a)) AS b {FROM};", Dialect.HIVE),
        (f"SELECT DISTINCT shop.split_rows(max(a)) AS b {FROM};", Dialect.MAXCOMPUTE),
        (f"SELECT DISTINCT id, count(*) AS n {FROM} GROUP BY id WITH ROLLUP;", Dialect.HIVE),
        (f"SELECT DISTINCT id, count(*) AS n {FROM} GROUP BY id GROUPING SETS ((id), ());", Dialect.HIVE),
        (f"SELECT id {FROM} AND id IN ({DISTINCT_U} LIMIT 10);", Dialect.MAXCOMPUTE),
        (f"SELECT id {FROM} AND id IN ({DISTINCT_U} EXCEPT ALL {OF_U});", Dialect.SPARK),
        (
            "SELECT id FROM t WHERE id IN (SELECT DISTINCT ON (a) id FROM u WHERE b = 1 ORDER BY a);",
            Dialect.POSTGRES,
        ),
        (f'execute_sql("SELECT DISTINCT sum(id) AS n {FROM}")\n', Dialect.PYTHON),
    ],
)
def test_a_distinct_that_may_matter_stays(code: str, dialect: Dialect) -> None:
    assert fixed(code, dialect, "MC-P08") == code


def test_distinct_in_a_subquery_of_in_with_limit_is_no_finding() -> None:
    findings = run_review(f"SELECT id {FROM} AND id IN ({DISTINCT_U} LIMIT 10);", Dialect.MAXCOMPUTE).findings
    assert "MC-P08" not in {item.rule for item in findings}


@pytest.mark.parametrize(
    ("code", "expected", "dialect"),
    [
        (f"-- {UNUSED}\nSELECT id {FROM};\n", f"SELECT id {FROM};\n", Dialect.MAXCOMPUTE),
        (f"a = 1\n    # {UNUSED}\r\nb = 1\n", "a = 1\nb = 1\n", Dialect.PYTHON),
        (f"SELECT id -- {UNUSED}\n{FROM};\n", f"SELECT id\n{FROM};\n", Dialect.MAXCOMPUTE),
        (f"SELECT id/* {UNUSED} */{FROM};\n", f"SELECT id {FROM};\n", Dialect.MAXCOMPUTE),
        (f"SELECT id\n{FROM}; -- {UNUSED}", f"SELECT id\n{FROM};", Dialect.MAXCOMPUTE),
        (f"echo a # {UNUSED}\n", "echo a\n", Dialect.SHELL),
        (f"SELECT id/* {UNUSED} */{FROM}", f"SELECT id {FROM}", Dialect.MAXCOMPUTE),
        (f"/* {UNUSED} */ SELECT id {FROM}", f" SELECT id {FROM}", Dialect.MAXCOMPUTE),
        (f"SELECT id {FROM};\n-- {UNUSED}\n\n", f"SELECT id {FROM};\n-- {UNUSED}\n\n", Dialect.MAXCOMPUTE),
    ],
)
def test_an_unused_suppression_is_removed(code: str, expected: str, dialect: Dialect) -> None:
    assert fixed(code, dialect, "DW-I02") == expected


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        (f"-- The daily total; {UNUSED}\nSELECT id {FROM};\n", Dialect.MAXCOMPUTE),
        (f"-- dwgate:ignore MC-P06, MC-P04 every column is needed\nSELECT * {FROM};\n", Dialect.MAXCOMPUTE),
        (f"SELECT '-- {UNUSED}' AS a {FROM};\n", Dialect.MAXCOMPUTE),
        # Without the line, the backslash would join the commands.
        (f"echo a \\\n# {UNUSED}\necho b\n", Dialect.SHELL),
        (f"echo a \\ # {UNUSED}\necho b\n", Dialect.SHELL),
    ],
)
def test_other_comments_stay(code: str, dialect: Dialect) -> None:
    result = fixed(code, dialect, "DW-I02")
    assert result == code or result == code.replace(f"# {UNUSED}", "")


def test_all_fixes_of_a_script_are_made() -> None:
    one = f"-- {UNUSED}\nSELECT DISTINCT sum(id) AS n {FROM};\n"
    assert fixed(one * 30) == f"SELECT sum(id) AS n {FROM};\n" * 30


def test_only_findings_of_wanted_rules_are_fixed() -> None:
    code = f"-- {UNUSED}\nSELECT DISTINCT sum(id) AS n {FROM};\n"
    assert fixed(code, Dialect.MAXCOMPUTE, "MC-P08") == f"-- {UNUSED}\nSELECT sum(id) AS n {FROM};\n"
    assert fixed(code, Dialect.MAXCOMPUTE, "MC-N01") == code


def test_a_suppressed_finding_is_not_fixed() -> None:
    code = f"-- dwgate:ignore MC-P08 kept for the reader's sake\nSELECT DISTINCT sum(id) AS n {FROM};\n"
    assert fixed(code) == code


@pytest.mark.parametrize("text", ["SELEC", "SELECT DISTINCT", "DELETE FROM t; SELECT"])
def test_an_edit_that_a_review_does_not_confirm_is_undone(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def judge(subject: RuleContext, _: object) -> list[Hit]:
        return (
            [Hit(Span(0, 6), Text("a", "a"), edit=Edit(Span(0, 6), text))]
            if "SELECT" in subject.script.code
            else []
        )

    wrong = replace(BY_ID["MC-C03"], check=judge)
    rules = tuple(wrong if rule.id == "MC-C03" else rule for rule in engine._FIRST)
    monkeypatch.setattr(engine, "_FIRST", rules)
    code = f"SELECT id {FROM};\n"
    assert fixed(code) == code
    both = f"SELECT DISTINCT sum(id) AS n {FROM};\n"
    assert fixed(both) == f"SELECT sum(id) AS n {FROM};\n"
