"""Labels of the workers' metrics: a comment in a node's code cannot create any number of them."""

from __future__ import annotations

import pytest

from common.verdicts import AppliedWaiver, Finding, Outcome, Severity
from workers import metrics
from workers.check_execution import note_outcome


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
    note_outcome("code-review", Outcome.of([refused, valid, kept, Finding("MC-P06", Severity.WARN, "m")]))
    assert [after - was for after, was in zip(counts(), before, strict=True)] == [1, 1, 1]
