"""What DataWorks accepted, by the status that it reports."""

import pytest

from common.verdicts import Reason, Result, Verdict
from workers.pipeline.acceptance import conclude_accepted

NOW = 1_780_000_100.0


def verdict(result: Result) -> Verdict:
    return Verdict(result, "the tip", Reason.COMPLETE, 1_780_000_001.0)


@pytest.mark.parametrize("statuses", [[], ["CHECKING"], ["CHECKING", "BLOCKED"]])
def test_dataworks_still_waits(statuses: list[str]) -> None:
    assert conclude_accepted(verdict(Result.OK), statuses, NOW) is None


@pytest.mark.parametrize(
    ("result", "statuses"),
    [
        (Result.OK, ["PASSED"]),
        (Result.WARN, ["PASSED"]),
        (Result.FAIL, ["BLOCKED"]),
        (Result.FAIL, ["PASSED", "BLOCKED"]),
        (Result.OK, ["PASSED", "BLOCKED"]),
        (Result.FAIL, ["A-NEW-STATUS"]),
    ],
)
def test_a_status_that_agrees_confirms_the_verdict(result: Result, statuses: list[str]) -> None:
    assert conclude_accepted(verdict(result), statuses, NOW) == verdict(result)


@pytest.mark.parametrize(
    ("result", "status", "accepted"),
    [
        (Result.FAIL, "PASSED", Result.OK),
        (Result.OK, "BLOCKED", Result.FAIL),
        (Result.WARN, "BLOCKED", Result.FAIL),
    ],
)
def test_a_status_that_contradicts_is_what_was_accepted(
    result: Result, status: str, accepted: Result
) -> None:
    found = conclude_accepted(verdict(result), [status], NOW)
    assert found == Verdict(accepted, f"DataWorks reports {status}.", Reason.EXTERNAL, NOW)
