"""What the policy lets the author of code suppress, and what is said of everything else."""

# ruff: noqa: S608 - none of this SQL is ever run

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.text.i18n import Language
from common.verdicts import Finding, Severity
from review.dialects import Dialect
from review.engine import review
from review.options import ReviewOptions
from review.rules.registry import BY_ID, RULES
from review.suppressions.rules import SuppressionRules, reason_length

SORT = "SELECT id FROM t WHERE ds = '${bizdate}' ORDER BY id"
REASON = "200 rows a day"


def found(
    code: str, dialect: Dialect = Dialect.MAXCOMPUTE, language: Language = Language.ENGLISH, **policy: object
) -> tuple[Finding, ...]:
    return review(code, dialect, policy=ReviewOptions.model_validate(policy), language=language)


def kept(findings: tuple[Finding, ...]) -> list[tuple[str, str | None]]:
    return [(item.rule, item.suppressed) for item in findings if not item.rule.startswith("DW-")]


def refused(findings: tuple[Finding, ...]) -> list[tuple[int | None, object, object]]:
    return [
        (item.line, dict(item.params)["rule"], dict(item.params)["cause"])
        for item in findings
        if item.rule == "DW-I03"
    ]


def test_without_a_policy_warnings_and_remarks_can_be_suppressed_at_their_line() -> None:
    hits = found(f"{SORT} -- dwgate:ignore MC-P06 {REASON}")
    assert ("MC-P06", REASON) in kept(hits)
    assert refused(hits) == []


@pytest.mark.parametrize(
    ("code", "rule", "cause", "policy"),
    [
        (f"DELETE FROM a.t; -- dwgate:ignore MC-C14 {REASON}", "MC-C14", "severity", {}),
        (f"{SORT} -- dwgate:ignore MC-P06 {REASON}", "MC-P06", "severity", {"severity": {"MC-P06": "block"}}),
        (f"DELETE FROM a.t; -- dwgate:ignore MC-S02 {REASON}", "MC-S02", "protected_rule", {}),
        (f"{SORT} -- dwgate:ignore MC-S02 {REASON}", "MC-S02", "protected_rule", {}),
        (
            f"SET a.password = 'Tr0ub4dor'; -- dwgate:ignore MC-S01 {REASON}",
            "MC-S01",
            "protected_rule",
            {"severity": {"MC-S01": "info"}},
        ),
        (
            f"SET a.password = 'Tr0ub4dor'; -- dwgate:ignore MC-S01 {REASON}",
            "MC-S01",
            "secret",
            {"suppressions": {"allow": ["info", "warn", "block"], "never": []}},
        ),
        (f"-- dwgate:ignore-file MC-P06 {REASON}\n{SORT}", "MC-P06", "file_wide", {}),
        (f"{SORT} -- dwgate:ignore MC-P06 x", "MC-P06", "short_reason", {}),
        (f"{SORT} -- dwgate:ignore MC-P06 ..........,,,,,,,,,,", "MC-P06", "short_reason", {}),
        (
            f"{SORT} -- dwgate:ignore MC-P06 {REASON}",
            "MC-P06",
            "short_reason",
            {"suppressions": {"min_reason": 40}},
        ),
        (
            f"{SORT} -- dwgate:ignore MC-P06 {REASON}",
            "MC-P06",
            "not_allowed",
            {"suppressions": {"allow": []}},
        ),
        (
            f"{SORT} -- dwgate:ignore MC-P06 {REASON}",
            "MC-P06",
            "too_many",
            {"suppressions": {"max_per_script": 0}},
        ),
        (
            f"{SORT} -- dwgate:ignore MC-P06 {REASON}",
            "MC-P06",
            "waiver_required",
            {"suppressions": {"require_waiver": True}},
        ),
        (f"{SORT} -- dwgate:ignore MC-P06 waiver:W-1", "MC-P06", "waiver", {}),
        (f"{SORT} -- dwgate:ignore MC-C19 {REASON}", "MC-C19", "about_review", {}),
        (f"{SORT} -- dwgate:ignore DW-I03 {REASON}", "DW-I03", "about_review", {}),
        (f"SELECT FROM WHERE (; -- dwgate:ignore MC-C19 {REASON}", "MC-C19", "about_review", {}),
    ],
)
@pytest.mark.parametrize("language", Language)
def test_what_is_not_allowed_has_no_effect_and_is_a_finding(
    code: str, rule: str, cause: str, policy: dict[str, Any], language: Language
) -> None:
    hits = found(code, language=language, **policy)
    line = code[: code.index("dwgate:")].count("\n") + 1
    assert refused(hits) == [(line, rule, cause)]
    assert all(reason is None for _, reason in kept(hits))
    (said,) = (item for item in hits if item.rule == "DW-I03")
    assert said.severity is Severity.WARN
    assert said.help
    assert rule in said.message
    assert said.message.endswith("。" if language is Language.CHINESE else ".")
    bare = found(code.replace("dwgate:", "x"), language=language, **policy)
    assert {item.rule for item in hits} - {"DW-I03"} == {item.rule for item in bare}


def test_a_refusal_stands_whatever_the_severity_of_its_rule() -> None:
    code = f"DELETE FROM a.t; -- dwgate:ignore MC-C14 {REASON}"
    hits = found(code, severity={"DW-I03": "off"})
    assert ("MC-C14", None) in kept(hits)
    assert refused(hits) == []
    raised = found(code, severity={"DW-I03": "block"})
    assert [item.severity for item in raised if item.rule == "DW-I03"] == [Severity.BLOCK]


def test_blocks_can_be_suppressed_if_the_policy_says_so() -> None:
    code = f"TRUNCATE TABLE a.t; DELETE FROM a.t; -- dwgate:ignore MC-C14, MC-S02 {REASON}"
    rules = {"allow": ["info", "warn", "block"], "never": []}
    hits = found(code, suppressions=rules)
    assert kept(hits) == [("MC-S02", REASON), ("MC-C14", REASON)] or set(kept(hits)) == {
        ("MC-S02", REASON),
        ("MC-C14", REASON),
    }
    assert refused(hits) == []


def test_the_first_suppressions_of_a_script_count() -> None:
    code = "\n".join(f"{SORT}; -- dwgate:ignore MC-P06 {REASON}" for _ in range(12))
    hits = found(code)
    assert [reason for rule, reason in kept(hits) if rule == "MC-P06"] == [REASON] * 10 + [None] * 2
    assert refused(hits) == [(11, "MC-P06", "too_many"), (12, "MC-P06", "too_many")]


def test_several_rules_of_one_comment_count_one_by_one() -> None:
    code = f"SELECT * FROM t WHERE ds = '1' ORDER BY id -- dwgate:ignore MC-P06, MC-P04 {REASON}"
    hits = found(code, suppressions={"max_per_script": 1})
    assert len([reason for _, reason in kept(hits) if reason]) == 1
    assert len(refused(hits)) == 1


def test_suppressions_without_findings_do_not_count() -> None:
    unused = f"SELECT 1; -- dwgate:ignore MC-P06 {REASON}\n" * 20
    hits = found(f"{unused}{SORT} -- dwgate:ignore MC-P06 {REASON}")
    assert ("MC-P06", REASON) in kept(hits)


def test_a_refused_suppression_is_not_reported_as_unused_as_well() -> None:
    hits = found(f"{SORT} -- dwgate:ignore MC-S02, MC-C03 {REASON}")
    assert [item.message for item in hits if item.rule == "DW-I02"] == [
        "MC-C03 has no finding here, so the suppression has no effect."
    ]


def test_of_one_comment_only_the_findings_that_may_be_suppressed_are() -> None:
    code = f"-- dwgate:ignore MC-P06, MC-C14 {REASON}\nDELETE FROM a.t;"
    both = found(f"{code}\n", severity={"MC-C14": "warn"})
    assert ("MC-C14", REASON) in kept(both)
    assert ("MC-C14", None) in kept(found(f"{code}\n"))


@pytest.mark.parametrize("one", [rule for rule in RULES if rule.id.startswith("MC-S") or rule.secret])
def test_security_rules_are_protected(one: object) -> None:
    rule = BY_ID[one.id]  # type: ignore[attr-defined]
    assert SuppressionRules().is_protected(rule.id) or rule.secret


@pytest.mark.parametrize(
    ("reason", "length"),
    [("", 0), ("ok", 2), ("a b-c!", 3), ("目标表需要全部列", 16), ("\u200b\u3164\u115f" * 50, 0), ("é1", 2)],
)
def test_the_length_of_a_reason(reason: str, length: int) -> None:
    assert reason_length(reason) == length


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"never": ["MC-Z99"]}, "unknown rule MC-Z99"),
        ({"never": [""]}, "at least 1"),
        ({"allow": ["fatal"]}, "'info', 'warn' or 'block'"),
        ({"file_wide": "yes"}, "boolean"),
        ({"min_reason": 0}, "greater than or equal to 1"),
        ({"max_per_script": -1}, "greater than or equal to 0"),
        ({"most": 3}, "Extra inputs"),
    ],
)
def test_wrong_rules_are_rejected(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SuppressionRules.model_validate(values)


RULE_NAMES = st.sampled_from(["MC-P06", "MC-P04", "MC-S02", "MC-C14", "MC-C03", "DW-I01", "MC-C19", "MC-Z99"])
COMMENTS = st.builds(
    lambda kind, rules, reason: f"-- dwgate:ignore{kind} {', '.join(rules)} {reason}",
    st.sampled_from(["", "-file"]),
    st.lists(RULE_NAMES, min_size=1, max_size=3),
    st.sampled_from(["", "x", REASON, "waiver:W-1", "waiver:W-2 until the loader is replaced"]),
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(COMMENTS, st.sampled_from([f"{SORT};", "DELETE FROM a.t;", "SELECT * FROM t;"])), max_size=8
    )
)
def test_comments_never_hide_what_is_protected(lines: list[str]) -> None:
    hits = found("\n".join(lines))
    bare = found("\n".join(line.replace("dwgate:", "x") for line in lines))
    ours = [item for item in hits if not item.rule.startswith("DW-")]
    assert [(item.rule, item.severity, item.line) for item in ours] == [
        (item.rule, item.severity, item.line) for item in bare
    ]
    for item in ours:
        if item.suppressed is not None:
            assert item.severity is not Severity.BLOCK
            assert not item.rule.startswith("MC-S")
            assert item.suppressed == REASON
