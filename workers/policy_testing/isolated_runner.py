"""Runs checks on node code in a process of their own, which the time limit can end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from common.plan import PlannedCheck
from common.processes.isolated_process import Interrupted, IsolatedProcess, RemoteCalls
from common.processes.time_limits import REVIEW_SECONDS, Suspending
from common.verdicts import Outcome
from workers.checks.api import Check, Key, Lookups, Runs
from workers.dataworks.errors import DataWorksError
from workers.pipeline.check_runner import TIME_LIMIT, CheckOutput, CheckRunner


class _RemoteLookups:
    """The lookups in a process of a check: the process that started it makes them, one at a time."""

    def __init__(self, calls: RemoteCalls) -> None:
        self._calls = calls

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> Any:
        """Return the method `name` of the lookups there."""
        return getattr(self._calls, name)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a check ended: with an outcome, or with an error after some output."""

    by: Outcome | DataWorksError
    output: CheckOutput = field(default_factory=CheckOutput)


class IsolatedRunner(CheckRunner):
    """A check runner for commands: what stalls or ends a worker process must not stall or end the command.

    CPU checks run in a forked process each. Their lookups are made by this process.
    """

    def _run(
        self,
        check: Check,
        planned: PlannedCheck,
        output: CheckOutput,
        seconds: float | None,
        *,
        is_trial: bool = False,
    ) -> Outcome:
        if check.runs is not Runs.CPU:
            return super()._run(check, planned, output, seconds, is_trial=is_trial)
        run = super()._run

        def work(_: None, calls: RemoteCalls) -> _Ended:
            if self._lookups is not None:
                self._lookups = cast("Lookups", Suspending(_RemoteLookups(calls)))
            made = CheckOutput()
            try:
                return _Ended(run(check, planned, made, None))
            except DataWorksError as error:
                return _Ended(error, made)

        process = IsolatedProcess[None, _Ended](work, seconds or REVIEW_SECONDS, served=self._lookups)
        try:
            end = process.run(None)
        finally:
            process.close()
        if isinstance(end, Interrupted):
            detail = TIME_LIMIT.in_language(self._language) if end.is_timeout else end.reason
            return self._unreviewable(check, [], detail)
        if isinstance(end.by, DataWorksError):
            output.findings, output.impact = end.output.findings, end.output.impact
            raise end.by
        return end.by
