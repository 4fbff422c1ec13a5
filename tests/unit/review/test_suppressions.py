"""Suppressions: what each covers, what makes it count, and that it changes nothing else."""

from __future__ import annotations

import pytest

from common.verdicts import Finding
from review.dialects import Dialect
from review.engine import review
from review.options import ReviewOptions

REASON = "200 rows a day"
SORT = "SELECT id FROM t WHERE ds = '${bizdate}'\nORDER BY id"


def found(code: str, dialect: Dialect = Dialect.MAXCOMPUTE, **policy: object) -> list[Finding]:
    return list(review(code, dialect, policy=ReviewOptions.model_validate(policy)))


def of(rule: str, code: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> list[str | None]:
    rules = {"file_wide": True}
    return [item.suppressed for item in found(code, dialect, suppressions=rules) if item.rule == rule]


@pytest.mark.parametrize(
    "code",
    [
        f"{SORT} -- dwgate:ignore MC-P06 200 rows a day",
        f"{SORT} -- see the wiki; dwgate:ignore MC-P06 200 rows a day",
        f"{SORT} /* dwgate:ignore MC-P06 200 rows a day */",
        f"{SORT} -- dwgate:ignore mc-p06, MC-C03: 200 rows a day",
        f"-- dwgate:ignore MC-P06 200 rows a day\n{SORT}",
        f"-- dwgate:ignore MC-P06 200 rows a day\n\n-- the orders\n/* of\n  a day */\n{SORT}",
        f"-- dwgate: ignore MC-P06 200 rows a day\n{SORT}",
        SORT.replace("\n", "\n-- dwgate:ignore MC-P06 200 rows a day\n"),
        f"-- dwgate:ignore-file MC-P06 200 rows a day\nSET a=b;\n{SORT}",
        f"/* owner: me */\n-- dwgate:ignore-file MC-P06 200 rows a day\n{SORT}",
        f"--@exclude_input=a.b\n-- dwgate:ignore MC-P06 200 rows a day\n{SORT}",
    ],
)
def test_a_suppression_covers(code: str) -> None:
    assert of("MC-P06", code) == [REASON]


@pytest.mark.parametrize(
    "code",
    [
        f"{SORT}\n-- dwgate:ignore MC-P06 200 rows a day",
        f"SET a=b; -- dwgate:ignore MC-P06 200 rows a day\n{SORT}",
        f"-- dwgate:ignore MC-P06 200 rows a day\nSET a=b;\n{SORT}",
        f"-- dwgate:ignore MC-P06\n{SORT}",
        f"-- dwgate:ignore MC-P04 200 rows a day\n{SORT}",
        f"-- dwgate:ignore 200 rows a day\n{SORT}",
        f"SET a=b;\n-- dwgate:ignore-file MC-P06 200 rows a day\n{SORT}",
        f"-- dwgate:ignored MC-P06 200 rows a day\n{SORT}",
        SORT.replace("id FROM", "'-- dwgate:ignore-file MC-P06 200 rows a day' FROM"),
    ],
)
def test_a_suppression_does_not_cover(code: str) -> None:
    assert of("MC-P06", code) == [None]


def test_at_the_end_of_a_line_only_that_line_is_covered() -> None:
    code = f"{SORT};\n{SORT}; -- dwgate:ignore MC-P06 200 rows a day\n{SORT}"
    assert of("MC-P06", code) == [None, REASON, None]


def test_alone_on_a_line_the_whole_next_statement_is_covered_and_no_more() -> None:
    code = f"-- dwgate:ignore MC-P06 200 rows a day\n{SORT};\n{SORT}"
    assert of("MC-P06", code) == [REASON, None]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("-- dwgate:ignore MC-P06\n", "has no reason"),
        ("-- dwgate:ignore the report is 200 rows a day\n", "names no rule"),
        ("-- dwgate:ignore MC-Z99 200 rows a day\n", "unknown rule MC-Z99"),
        ("-- dwgate:ignore MC-P06, MC-Z99 200 rows a day\n", "unknown rule MC-Z99"),
        ("-- dwgate:ignore cross-project-write shared\n", "MC-S03"),
        ("-- dwgate:ignore cross-project-write: shared\n", "cross-project-write, MC-S03"),
        ("-- dwgate:ignore di-invalid-job shared\n", "di-invalid-job, DI-001"),
    ],
)
def test_an_incomplete_suppression_is_a_finding(code: str, said: str) -> None:
    hits = [item for item in found(code + SORT) if item.rule == "DW-I01"]
    assert [said in item.message for item in hits] == [True]
    assert (hits[0].line, hits[0].column) == (1, 4)


def test_one_that_can_cover_nothing_is_a_finding() -> None:
    hits = [
        item.message
        for item in found(f"{SORT};\n-- dwgate:ignore MC-P06 200 rows a day")
        if item.rule == "DW-I01"
    ]
    assert hits == ["The suppression of MC-P06 covers no code."]


def test_an_unused_suppression_is_told_unless_its_rule_is_off() -> None:
    code = f"-- dwgate:ignore MC-P06, MC-C03 200 rows a day\n{SORT}"
    assert [item.message for item in found(code) if item.rule == "DW-I02"] == [
        "MC-C03 has no finding here, so the suppression has no effect."
    ]
    assert not [item for item in found(code, severity={"MC-C03": "off"}) if item.rule == "DW-I02"]


def test_rules_about_suppressions_have_severities_and_cannot_be_suppressed() -> None:
    code = f"-- dwgate:ignore-file DW-I01 no\n{SORT} -- dwgate:ignore MC-P06"
    hits = found(code, severity={"DW-I01": "block", "DW-I02": "off"})
    assert [(item.rule, item.severity, item.suppressed) for item in hits if item.rule.startswith("DW")] == [
        ("DW-I03", "warn", None),
        ("DW-I01", "block", None),
    ]


def test_the_others_stay_as_they_are() -> None:
    code = "SELECT a.*\nFROM a, b\nORDER BY 1"
    plain = found(code + " -- it is 200 rows a day")
    hits = found(code + " -- dwgate:ignore MC-P06 200 rows a day")
    assert [item for item in hits if item.suppressed is None] == [
        item for item in plain if item.rule != "MC-P06"
    ]
    assert {item.code_digest for item in hits} == {item.code_digest for item in plain}


def test_in_python_the_comment_stands_at_the_statement() -> None:
    call = 'o.execute_sql("""\nSELECT id FROM t WHERE ds = 1\nORDER BY id""")\n'
    assert of("MC-P06", f"# dwgate:ignore MC-P06 200 rows a day\n{call}", Dialect.PYTHON) == [REASON]
    assert of("MC-P06", f"{call}# dwgate:ignore MC-P06 200 rows a day\n", Dialect.PYTHON) == [None]
    inside = call.replace("ORDER BY id", "ORDER BY id -- dwgate:ignore MC-P06 200 rows a day\n")
    assert of("MC-P06", inside, Dialect.PYTHON) == [REASON]


def test_in_shell_too() -> None:
    query = "SELECT id FROM t WHERE ds = 1 ORDER BY id"
    code = f'set -e\n# dwgate:ignore MC-P06 200 rows a day\nodpscmd -e "{query}"\n'
    assert of("MC-P06", code, Dialect.SHELL) == [REASON]
