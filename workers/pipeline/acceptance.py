"""What DataWorks accepted, concluded from the status that it reports: a pure function."""

from __future__ import annotations

from collections.abc import Iterable

from common.verdicts import Reason, Result, Verdict
from workers.dataworks.models import ProcessStatus

_RESULTS = {
    ProcessStatus.PASSED: frozenset({Result.OK, Result.WARN}),
    ProcessStatus.BLOCKED: frozenset({Result.FAIL}),
}
_EXTERNAL = {ProcessStatus.PASSED: Result.OK, ProcessStatus.BLOCKED: Result.FAIL}


def conclude_accepted(verdict: Verdict, statuses: Iterable[str], now: float) -> Verdict | None:
    """Return the verdict that DataWorks accepted for an event; None if it still waits for one.

    Args:
        verdict: the frozen verdict. It counts as accepted unless a status contradicts it.
        statuses: of the event's check processes, as ListCheckProcesses reports them; empty if it lists none.
        now: seconds since the epoch.
    """
    found = frozenset(statuses)
    if not found or ProcessStatus.CHECKING in found:
        return None
    # One extension may have passed what another one blocked.
    if any(status in found and verdict.result in results for status, results in _RESULTS.items()):
        return verdict
    for status in (ProcessStatus.BLOCKED, ProcessStatus.PASSED):
        if status in found:
            return Verdict(_EXTERNAL[status], f"DataWorks reports {status}.", Reason.EXTERNAL, now)
    return verdict
