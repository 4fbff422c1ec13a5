"""Labels of the workers' metrics: a comment in a node's code cannot create any number of them."""

from __future__ import annotations

import pytest

from common.plan import Mode, PlannedCheck
from common.verdicts import AppliedWaiver, Finding, Outcome, Result, Severity
from workers import metrics
from workers.check_execution import note_outcome
from workers.checks import registry

REVIEW = PlannedCheck("code-review", Mode.AUDIT, Result.OK, Result.OK)


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        ("MC-P04", "MC-P04"),
        ("PY-F401", "PY-F401"),
        ("PY-ZZZZ9999", "PY-*"),
        ("SH-SC9999", "SH-*"),
        ("PG-no-such-rule", "PG-*"),
        ("QZ-1234", "other"),
        ("", "other"),
    ],
)
def test_the_label_of_a_rule(rule: str, label: str) -> None:
    assert metrics.rule_label(rule) == label


def test_suppressions_are_counted_by_rule() -> None:
    def counts() -> list[float]:
        return [
            metrics.SUPPRESSED.labels("MC-P04")._value.get(),
            metrics.SUPPRESSIONS_REFUSED.labels("MC-S01")._value.get(),
            metrics.WAIVED.labels("code-review")._value.get(),
        ]

    refused = Finding("DW-I03", Severity.WARN, "m", params=(("rule", "MC-S01"), ("cause", "secret")))
    valid = Finding(
        "DW-I03", Severity.WARN, "m", params=(("rule", "MC-C14"),), waived=AppliedWaiver("W-1", "r")
    )
    kept = Finding("MC-P04", Severity.WARN, "m", suppressed="all columns are needed")
    before = counts()
    outcome = Outcome.of([refused, valid, kept, Finding("MC-P06", Severity.WARN, "m")])
    note_outcome(REVIEW, outcome, registry.load_checks()["code-review"])
    assert [after - was for after, was in zip(counts(), before, strict=True)] == [1, 1, 1]


def test_findings_that_count_are_counted_by_rule_severity_and_mode() -> None:
    def count(rule: str, severity: str = "warn") -> float:
        return float(metrics.FINDINGS.labels(rule, severity, "audit")._value.get())

    rules = ("MC-P06", "MC-P04", "MC-C14", "other")
    before = {rule: count(rule) for rule in rules}
    found = [
        Finding("MC-P06", Severity.WARN, "m"),
        Finding("MC-P04", Severity.WARN, "m", suppressed="all columns are needed"),
        Finding("MC-C14", Severity.WARN, "m", waived=AppliedWaiver("W-1", "r")),
    ]
    note_outcome(REVIEW, Outcome.of(found), registry.load_checks()["code-review"])
    assert {rule: count(rule) - before[rule] for rule in rules} == {
        "MC-P06": 1,
        "MC-P04": 0,
        "MC-C14": 0,
        "other": 0,
    }


@pytest.mark.parametrize(
    ("check", "rule", "is_built_in", "label"),
    [
        ("code-review", "MC-P04", True, "MC-P04"),
        ("downstream-impact", "downstream-node", True, "downstream-node"),
        ("table-design", "MC-N03", True, "MC-N03"),
        ("acme-owner", "owner of dwd_orders is missing", False, "acme-owner"),
    ],
)
def test_the_label_of_a_finding(check: str, rule: str, is_built_in: bool, label: str) -> None:
    assert metrics.finding_label(check, rule, is_built_in=is_built_in) == label
