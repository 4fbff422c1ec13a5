"""Runs checks on node code in a process of their own, which the time limit can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from common.plan import PlannedCheck
from common.processes.isolated_process import Interrupted, IsolatedProcess, RemoteCalls
from common.processes.time_limits import REVIEW_SECONDS, Suspending
from common.verdicts import Finding, Outcome
from workers.checks.api import Check, Lookups, Runs
from workers.dataworks.errors import DataWorksError
from workers.pipeline.check_runner import TIME_LIMIT, CheckRunner


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a check ended: with an outcome, or with an error after some findings."""

    by: Outcome | DataWorksError
    findings: tuple[Finding, ...] = ()


class IsolatedRunner(CheckRunner):
    """A check runner for commands: what stalls or ends a worker process must not stall or end the command.

    CPU checks run in a forked process each. Their lookups are made by this process.
    """

    def _run(
        self,
        check: Check,
        planned: PlannedCheck,
        findings: list[Finding],
        seconds: float | None,
        *,
        is_trial: bool = False,
    ) -> Outcome:
        if check.runs is not Runs.CPU:
            return super()._run(check, planned, findings, seconds, is_trial=is_trial)
        run = super()._run

        def work(_: None, calls: RemoteCalls) -> _Ended:
            if self._lookups is not None:
                self._lookups = cast("Lookups", Suspending(calls))
            found: list[Finding] = []
            try:
                return _Ended(run(check, planned, found, None))
            except DataWorksError as error:
                return _Ended(error, tuple(found))

        process = IsolatedProcess[None, _Ended](work, seconds or REVIEW_SECONDS, served=self._lookups)
        try:
            end = process.run(None)
        finally:
            process.close()
        if isinstance(end, Interrupted):
            detail = TIME_LIMIT.in_language(self._language) if end.is_timeout else end.reason
            return self._unreviewable(check, [], detail)
        if isinstance(end.by, DataWorksError):
            findings += end.findings
            raise end.by
        return end.by
