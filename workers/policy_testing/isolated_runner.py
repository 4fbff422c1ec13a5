"""Runs checks on node code in a process of their own, which the time limit can end."""

from __future__ import annotations

from typing import cast

from common.isolated_process import Interrupted, IsolatedProcess, RemoteCalls
from common.plan import PlannedCheck
from common.time_limits import REVIEW_SECONDS, Suspending
from common.verdicts import Outcome
from workers.checks.api import Check, Lookups, Runs
from workers.pipeline.check_runner import TIME_LIMIT, CheckRunner


class IsolatedRunner(CheckRunner):
    """A check runner for commands: what stalls or ends a worker process must not stall or end the command.

    CPU checks run in a forked process each. Their lookups are made by this process.
    """

    def run_or_raise(
        self,
        check: Check,
        planned: PlannedCheck,
        *,
        seconds: float | None = None,
        is_trial: bool = False,
    ) -> Outcome:
        """Run a check like the base class; a CPU check has at most `REVIEW_SECONDS`, and is never a trial.

        Raises:
            DataWorksError: a lookup failed.
            Exception: another transient fault.
        """
        if check.runs is not Runs.CPU:
            return super().run_or_raise(check, planned, seconds=seconds, is_trial=is_trial)
        run = super().run_or_raise

        def work(_: None, calls: RemoteCalls) -> Outcome:
            if self._lookups is not None:
                self._lookups = cast("Lookups", Suspending(calls))
            return run(check, planned)

        process = IsolatedProcess[None, Outcome](work, seconds or REVIEW_SECONDS, served=self._lookups)
        try:
            end = process.run(None)
        finally:
            process.close()
        if isinstance(end, Interrupted):
            detail = TIME_LIMIT.in_language(self._language) if end.is_timeout else end.reason
            return self._unreviewable(check, [], detail)
        return end
