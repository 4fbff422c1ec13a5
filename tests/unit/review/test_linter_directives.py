"""Directives of external linters: the linters never see them, and the policy's rules decide what they do."""

from __future__ import annotations

import pytest

from common.verdicts import Finding
from review.dialects import Dialect
from review.engine import review
from review.languages.external.directives import Directive, find_directives
from review.options import ReviewOptions

REASON = "imported for its side effects"
SHELL = "set -e\n{}echo $1\n"
DROP = "{}DROP TABLE t;\n"


def found(code: str, dialect: Dialect, **policy: object) -> tuple[Finding, ...]:
    return review(code, dialect, policy=ReviewOptions.model_validate(policy))


def of(findings: tuple[Finding, ...], rule: str) -> list[tuple[int | None, int | None, str | None]]:
    return [(item.line, item.column, item.suppressed) for item in findings if item.rule == rule]


def refused(findings: tuple[Finding, ...]) -> list[tuple[object, object]]:
    return [
        (dict(item.params)["rule"], dict(item.params)["cause"]) for item in findings if item.rule == "DW-I03"
    ]


@pytest.mark.parametrize(
    ("code", "dialect", "rule", "reason"),
    [
        (f"import os  # noqa: F401 {REASON}\n", Dialect.PYTHON, "PY-F401", REASON),
        (f"import os  # NOQA:F401,F811 - {REASON}\n", Dialect.PYTHON, "PY-F401", REASON),
        (f"import os  # keep # noqa: F401  # {REASON}\n", Dialect.PYTHON, "PY-F401", REASON),
        (f"import os  # ruff: ignore[F401] {REASON}\n", Dialect.PYTHON, "PY-F401", REASON),
        (SHELL.format(f"# shellcheck disable=SC2086 # {REASON}\n"), Dialect.SHELL, "SH-SC2086", REASON),
        (SHELL.format(f"# shellcheck disable=SC2034,2086 # {REASON}\n"), Dialect.SHELL, "SH-SC2086", REASON),
        (
            DROP.format(f"-- squawk-ignore ban-drop-table {REASON}\n"),
            Dialect.HOLOGRES,
            "PG-ban-drop-table",
            REASON,
        ),
        (
            DROP.format(f"/* squawk-ignore prefer-robust-stmts, ban-drop-table: {REASON} */\n"),
            Dialect.HOLOGRES,
            "PG-ban-drop-table",
            REASON,
        ),
    ],
)
def test_a_directive_with_a_reason_suppresses(code: str, dialect: Dialect, rule: str, reason: str) -> None:
    hits = found(code, dialect)
    assert [suppressed for _, _, suppressed in of(hits, rule)] == [reason]
    assert refused(hits) == []


@pytest.mark.parametrize(
    ("code", "dialect", "rule", "cause"),
    [
        ("import os  # noqa\n", Dialect.PYTHON, "PY-F401", "unnamed_rule"),
        ("import os  # noqa: F401\n", Dialect.PYTHON, "PY-F401", "no_reason"),
        ("# ruff: noqa\nimport os\n", Dialect.PYTHON, "PY-F401", "unnamed_rule"),
        ("import os\n# flake8: noqa\n", Dialect.PYTHON, "PY-F401", "unnamed_rule"),
        (f"# ruff: noqa: F401 {REASON}\nimport os\n", Dialect.PYTHON, "PY-F401", "file_wide"),
        (f"# ruff: file-ignore[F401] {REASON}\nimport os\n", Dialect.PYTHON, "PY-F401", "file_wide"),
        (f"eval(args['x'])  # noqa: S307 {REASON}\n", Dialect.PYTHON, "PY-S307", "protected_rule"),
        (f"eval(args['x'])  # nosec B307 {REASON}\n", Dialect.PYTHON, "PY-S307", "protected_rule"),
        ("eval(args['x'])  # nosec\n", Dialect.PYTHON, "PY-S307", "unnamed_rule"),
        ("# shellcheck disable=all\necho $1\n", Dialect.SHELL, "SH-SC2086", "unnamed_rule"),
        ("#shellcheck disable=SC2000-SC2999\necho $1\n", Dialect.SHELL, "SH-SC2086", "unnamed_rule"),
        ("# shellcheck shell=bash disable=SC2086\necho $1\n", Dialect.SHELL, "SH-SC2086", "no_reason"),
        ("#\u00a0shellcheck disable=SC2086\necho $1\n", Dialect.SHELL, "SH-SC2086", "no_reason"),
        ("DROP TABLE t;\n-- squawk-ignore-file\n", Dialect.HOLOGRES, "PG-ban-drop-table", "unnamed_rule"),
        (
            f"-- squawk-ignore-file ban-drop-table {REASON}\nDROP TABLE t;\n",
            Dialect.HOLOGRES,
            "PG-ban-drop-table",
            "file_wide",
        ),
        (
            "-- squawk-ignore ban-drop-table\nDROP TABLE t;\n",
            Dialect.HOLOGRES,
            "PG-ban-drop-table",
            "no_reason",
        ),
    ],
)
def test_a_directive_that_is_not_allowed_has_no_effect(
    code: str, dialect: Dialect, rule: str, cause: str
) -> None:
    hits = found(code, dialect)
    assert [suppressed for _, _, suppressed in of(hits, rule)] == [None]
    assert (rule, cause) in refused(hits)


@pytest.mark.parametrize(
    ("directive", "bare", "dialect"),
    [
        ("# shellcheck disable=all\necho $1 $foo `ls`\n", "# a comment about it all\n", Dialect.SHELL),
        ("#shellcheck disable=SC2086 because\ncd /x; rm -r $1/\n", "#", Dialect.SHELL),
        ("# shellcheck source=/dev/null shell=sh\necho $1\n", "#", Dialect.SHELL),
        ("-- squawk-ignore-file\nDROP TABLE a; ALTER TABLE t DROP COLUMN c;\n", "--", Dialect.HOLOGRES),
        ("# ruff: noqa\nimport os\nx = y\n", "#", Dialect.PYTHON),
        ("# ruff: disable[F]\nimport os\nx = y\n# ruff: enable[F]\n", "#", Dialect.PYTHON),
    ],
)
def test_the_linters_report_everything_at_its_place(directive: str, bare: str, dialect: Dialect) -> None:
    first, rest = directive.split("\n", 1)
    hits = found(directive, dialect)
    plain = found(f"{bare.strip()}{' ' * (len(first) - len(bare.strip()))}\n{rest}", dialect)
    linter = [(item.rule, item.line, item.column) for item in hits if item.rule[:3] in ("PY-", "SH-", "PG-")]
    assert linter == [
        (item.rule, item.line, item.column) for item in plain if item.rule[:3] in ("PY-", "SH-", "PG-")
    ]
    assert linter


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        ("import os  # noqa: E501\nprint(os.name)\n", Dialect.PYTHON),
        ("x = 1  # nosec\nprint(x)\n", Dialect.PYTHON),
        ("text = 'import os  # noqa'\nprint(text)\n", Dialect.PYTHON),
        ('set -e\n# shellcheck disable=SC2034\necho "$1"\n', Dialect.SHELL),
        ("-- squawk-ignore ban-drop-table\nSELECT 1;\n", Dialect.HOLOGRES),
        ("SELECT 1; -- noqa: F401\n", Dialect.MAXCOMPUTE),
    ],
)
def test_a_directive_without_a_finding_of_ours_is_of_no_concern(code: str, dialect: Dialect) -> None:
    assert not [item for item in found(code, dialect) if item.rule.startswith("DW-")]


def test_a_directive_does_not_hide_rules_of_dwgate() -> None:
    code = 'o.execute_sql("DELETE FROM a.t")  # noqa\n'
    assert [item.suppressed for item in found(code, Dialect.PYTHON) if item.rule == "MC-C14"] == [None]


@pytest.mark.parametrize(
    ("comment", "dialect", "directives"),
    [
        ("# a note", Dialect.PYTHON, []),
        ("# noqa", Dialect.PYTHON, [Directive(2, 6, "noqa", (), "")]),
        ("# noqaed", Dialect.PYTHON, []),
        ("# shellcheck source=lib.sh", Dialect.SHELL, []),
        ("# about shellcheck disable=SC2086", Dialect.SHELL, []),
        ("-- about squawk-ignore x-y", Dialect.HOLOGRES, []),
        ("-- squawk-ignored x-y", Dialect.HOLOGRES, []),
        ("# noqa: F401", Dialect.SHELL, []),
    ],
)
def test_what_a_directive_is(comment: str, dialect: Dialect, directives: list[Directive]) -> None:
    assert list(find_directives(comment, dialect)) == directives
