"""No output of a review contains a secret: every form, in every language and place, in every format."""

from __future__ import annotations

import json
from collections.abc import Iterator

import orjson
import pytest

from common.plan import Mode, Plan, PlannedCheck
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, Result
from console.output import finding_text, tables
from console.output.github import workflow_commands
from console.output.sarif import build_sarif
from review.dialects import Dialect
from review.engine import review, run_review
from review.options import ReviewOptions
from review.report import SECRETS, Report, ReviewedFile, report_json
from tests.support.canary_secrets import CANARIES, Canary, scripts
from workers.pipeline.decision import decide_verdict

POLICIES = (
    ReviewOptions(),
    # The rules about secrets are off, and everything may be suppressed.
    ReviewOptions.model_validate(
        {
            "severity": dict.fromkeys(sorted(SECRETS), "off"),
            "suppressions": {"allow": ["info", "warn", "block"], "never": [], "min_reason": 1},
        }
    ),
)


def outputs(code: str, dialect: Dialect, findings: tuple[Finding, ...], language: Language) -> Iterator[str]:
    """Yield everything that is shown or stored of a review."""
    report = Report((ReviewedFile("node", dialect, code, findings),), language)
    yield json.dumps(report_json(report), ensure_ascii=False)
    yield json.dumps(build_sarif(report, "1"), ensure_ascii=False)
    yield "\n".join(workflow_commands(report))
    yield "\n".join(line.plain for line in finding_text.finding_lines(report))
    yield "\n".join(map(tables.finding, findings))
    outcome = Outcome.of(findings)
    yield orjson.dumps(outcome.to_json()).decode()
    plan = Plan(
        (PlannedCheck("code-review", Mode.ENFORCE, Result.WARN, Result.WARN),), Result.OK, language, "v"
    )
    yield decide_verdict(plan, {"code-review": outcome}, message_id="m-1", now=0).tip


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_no_format_shows_a_secret(canary: Canary) -> None:
    found: set[str] = set()
    for code, dialect in scripts(canary):
        for policy, language in zip(POLICIES, Language, strict=True):
            result = run_review(code, dialect, policy=policy, language=language)
            findings = result.findings
            found |= {item.rule for item in findings}
            for output in (*outputs(code, dialect, findings, language), repr(result.gaps)):
                assert canary.secret.lower() not in output.lower(), (dialect, language)
    assert "MC-S01" in found, "the canary is a secret of a known form"
    assert {"PY-F601", "PG-prefer-robust-stmts"} <= found, "the linters reported the code"
    assert any(rule.startswith("SH-SC") for rule in found)


def test_a_secret_that_is_not_new_is_not_shown_either() -> None:
    code = "SET a.password = 'C4naryPass';\nSELECT id FROM t WHERE ds = '1' ORDER BY id;\n"
    findings = tuple(item for item in review(code, Dialect.MAXCOMPUTE) if item.rule not in SECRETS)
    assert findings
    for output in outputs(code, Dialect.MAXCOMPUTE, findings, Language.ENGLISH):
        assert "C4naryPass" not in output


def test_too_many_secrets_are_not_shown_either() -> None:
    secrets = [f"C4nary{number:03}Pass" for number in range(250)]
    code = "".join(f"SET a.password = '{secret}'; DROP TABLE {secret};\n" for secret in secrets)
    findings = review(code, Dialect.MAXCOMPUTE)
    assert {"MC-S01", "MC-S02"} <= {item.rule for item in findings}
    for output in outputs(code, Dialect.MAXCOMPUTE, findings, Language.ENGLISH):
        assert "c4nary" not in output.lower()


@pytest.mark.parametrize("letter", ["\x1b", "\x9b", "\u202e", "\u2066", "\u200b", "\u3164", "\r"])
def test_no_format_shows_characters_that_are_not_printable(letter: str) -> None:
    name = f"t{letter}x"
    sql = f"-- dwgate:ignore MC-P06 the{letter}rows are few\nSELECT * FROM `{name}` ORDER BY 1;"
    codes = (
        (f"{sql}\nDROP TABLE `{name}`;", Dialect.MAXCOMPUTE),
        (f"o.execute_sql('DROP TABLE `{name}`')\nx = {{'{letter}': 1, '{letter}': 2}}\n", Dialect.PYTHON),
        (f"echo $1 '{letter}'\nodpscmd -e 'DROP TABLE `{name}`'\n", Dialect.SHELL),
    )
    for code, dialect in codes:
        findings = review(code, dialect)
        assert findings
        for output in outputs(code, dialect, findings, Language.ENGLISH):
            assert all(line.isprintable() for line in output.split("\n")), dialect
            assert letter not in output
