"""Runs one check on one event and converts every result, exceptions included, to an `Outcome`."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from common import tracing
from common.events import Event
from common.impact_graph import ImpactRecorder
from common.plan import PlannedCheck
from common.plugins.pool_exit import is_pool_exit
from common.ports import ResultCache
from common.processes import memory_limits, time_limits
from common.processes.memory_limits import REVIEW_BYTES
from common.processes.time_limits import Suspending, TimeLimitReached
from common.snapshot import Snapshot
from common.subjects.event_subject import subject_of
from common.text.i18n import Language, Text
from common.verdicts import Finding, Outcome, OutcomeKind
from review.analysis.secret_mask import SecretMask
from workers.checks.api import Check, Context, Lookups, Runs, SkipCheck, Unreviewable, no_key
from workers.checks.finding_builders import FindingInvalid, bound_findings, clip
from workers.checks.registry import CheckUnavailable
from workers.checks.snapshot_secrets import build_mask
from workers.dataworks.errors import DataWorksError, Transient
from workers.pipeline.check_threads import CheckThreads, DeadlineNear
from workers.waivers import matching as waiving
from workers.waivers.matching import Waivers

TIME_LIMIT = Text("it takes longer than the time limit", "耗时超过上限")
"""Detail of an outcome whose check was stopped at its time limit."""

NO_TIME = Text("no time was left for its lookups", "查询所需时间不足")
"""Detail of an outcome whose check was still waiting when the deadline was near."""

MEMORY_LIMIT = Text("it needs too much memory", "所需内存过多")
"""Detail of an outcome whose check needed too much memory."""


class CheckRunner:
    """Runs the checks of one event: for the workers, for `policy test` and for `replay`.

    The checks share what one of them has looked up or cached.

    Args:
        event: the event.
        snapshot: the file or table that its operation works on; None if there is none.
        language: of the findings.
        lookups: the lookups that checks may make; None for checks that make none.
        clock: returns the time for the checks and the waivers, in seconds since the epoch.
        cache: results that are shared with the checks of other events; None to share none.
        waivers: the waivers that may apply to findings.
        deadline: after this an outcome is too late, in seconds since the epoch.
        lookup_faults: transient faults of lookups so far. Once there is one, outcomes are discarded: they
            may be based on incomplete lookups, and a later attempt has more time.
        transient: exceptions that end a check without an outcome, because it is retried.
        fingerprint_key: returns the key of the digests of secrets in findings; None outside a fleet.
        threads: where checks without a time limit by timers run; None to run them in the calling thread.
    """

    def __init__(
        self,
        event: Event,
        snapshot: Snapshot | None,
        language: Language,
        *,
        lookups: Lookups | None,
        clock: Callable[[], float],
        cache: ResultCache | None = None,
        waivers: Waivers | None = None,
        deadline: float = math.inf,
        lookup_faults: Sequence[Transient] = (),
        transient: tuple[type[Exception], ...] = (Transient,),
        fingerprint_key: Callable[[], bytes | None] = no_key,
        threads: CheckThreads | None = None,
    ) -> None:
        self._event = event
        self._snapshot = snapshot
        self._language = language
        self._lookups = None if lookups is None else cast("Lookups", Suspending(lookups))
        self._clock = clock
        self._cache = _MemoizedCache(cache)
        self._waivers = waivers or Waivers()
        self._deadline = deadline
        self._lookup_faults = lookup_faults
        self._transient = transient
        self._find_fingerprint_key = fingerprint_key
        self._threads = threads
        self._mask: SecretMask | None = None
        self._raised: tuple[type[Exception], ...] = (DataWorksError, *transient)

    def run(
        self,
        check: Check,
        planned: PlannedCheck,
        *,
        seconds: float | None = None,
        is_trial: bool = False,
    ) -> Outcome:
        """Run a check once. What it raises becomes an outcome, except transient faults.

        Args:
            check: the check.
            planned: its part of the plan.
            seconds: time limit of its own work, lookups excluded, with which its memory is limited, too;
                None for a check that runs in a thread, or without limits. Only in a main thread, of a process
                that may be ended: see `common.processes.time_limits`.
            is_trial: whether the check runs again with a higher limit if it reaches this one.

        Raises:
            TimeLimitReached: the limit of a trial was reached.
            Exception: a transient fault; the check must be retried.
        """
        output = CheckOutput()
        with tracing.span(f"check {check.name}", check=check.name) as span:
            try:
                outcome = self._run(check, planned, output, seconds, is_trial=is_trial)
            except self._transient:
                raise
            except DataWorksError as error:
                fault = Outcome(OutcomeKind.ERROR, tuple(output.findings), describe_fault(error))
                outcome = self._with_evidence(self.apply_waivers(check, fault), output)
            span.set(outcome=outcome.kind.value)
            return outcome

    def run_or_raise(
        self,
        check: Check,
        planned: PlannedCheck,
        *,
        seconds: float | None = None,
        is_trial: bool = False,
    ) -> Outcome:
        """Run a check like `run`, but also raise permanent DataWorks errors.

        Raises:
            DataWorksError: a lookup failed.
            Exception: another transient fault.
        """
        return self._run(check, planned, CheckOutput(), seconds, is_trial=is_trial)

    def _run(
        self,
        check: Check,
        planned: PlannedCheck,
        output: CheckOutput,
        seconds: float | None,
        *,
        is_trial: bool = False,
    ) -> Outcome:
        """Run a check like `run_or_raise`; `output` gets what it produces before it raises."""
        findings = output.findings
        try:
            context = self._context(check, planned, output.impact)
        except Exception as error:  # noqa: BLE001 - options that this version of the check rejects
            return Outcome(OutcomeKind.ERROR, detail=f"{describe_fault(error)}{_location(error)}")

        def work() -> None:
            for finding in bound_findings(check.run(context), self._mask_secrets):
                output.findings.append(finding)  # kept if the check ends with an exception

        try:
            if seconds is not None:
                with _limited(seconds, is_trial=is_trial):
                    work()
            elif self._threads and check.runs is not Runs.CPU:
                self._threads.run(check, self._event.project_id, work, self._deadline)
            else:
                work()
        except (TimeLimitReached, MemoryError, Exception, SystemExit) as error:
            if isinstance(error, self._raised) or (isinstance(error, SystemExit) and is_pool_exit(error)):
                raise
            if isinstance(error, TimeLimitReached) and is_trial:
                raise
            return self._with_evidence(self._interrupted(check, findings, error), output)
        self._require_complete()
        return self._with_evidence(self.apply_waivers(check, Outcome.of(findings)), output)

    def _with_evidence(self, outcome: Outcome, output: CheckOutput) -> Outcome:
        has_ended = outcome.kind in (OutcomeKind.PASSED, OutcomeKind.FINDINGS)
        evidence = output.impact.build_graph(self._mask_secrets, has_ended=has_ended)
        return outcome if evidence is None else replace(outcome, evidence=evidence)

    def _interrupted(self, check: Check, findings: list[Finding], error: BaseException) -> Outcome:
        """Return the outcome of a check that ended with an exception, after these findings."""
        if isinstance(error, SkipCheck):
            return Outcome(OutcomeKind.SKIPPED, detail=str(error))
        if isinstance(error, CheckUnavailable | FindingInvalid):
            return Outcome(OutcomeKind.ERROR, detail=str(error))
        detail = self._detail(error)
        if isinstance(error, DeadlineNear) or (isinstance(error, TimeLimitReached) and not check.reads_input):
            return self.apply_waivers(check, Outcome(OutcomeKind.TIMED_OUT, tuple(findings), detail))
        if check.reads_input or isinstance(error, Unreviewable | TimeLimitReached | MemoryError):
            return self._unreviewable(check, findings, detail)
        return Outcome(OutcomeKind.ERROR, detail=detail)

    def _detail(self, error: BaseException) -> str:
        match error:
            case Unreviewable():
                return str(error)
            case TimeLimitReached():
                return TIME_LIMIT.in_language(self._language)
            case DeadlineNear():
                return NO_TIME.in_language(self._language)
            case MemoryError():
                return MEMORY_LIMIT.in_language(self._language)
        return f"{describe_fault(error)}{_location(error)}"

    def _unreviewable(self, check: Check, findings: list[Finding], detail: str) -> Outcome:
        self._require_complete()
        return self.apply_waivers(
            check, Outcome(OutcomeKind.UNREVIEWABLE, tuple(findings), clip(self._mask_secrets(detail)))
        )

    def apply_waivers(self, check: Check, outcome: Outcome) -> Outcome:
        """Return `outcome` of `check` with fingerprints, and a mark on each waived finding."""
        subject = subject_of(check.name, self._event, self._snapshot)
        return waiving.apply_waivers(outcome, subject, self._waivers, self._clock())

    def _fingerprint_key(self) -> bytes | None:
        with time_limits.suspended():  # the first call may wait for Redis
            return self._find_fingerprint_key()

    def _mask_secrets(self, text: str) -> str:
        if self._mask is None:
            self._mask = build_mask(self._snapshot)
        return self._mask.apply(text)

    def _require_complete(self) -> None:
        if self._lookup_faults:
            raise self._lookup_faults[-1]

    def _context(self, check: Check, planned: PlannedCheck, impact: ImpactRecorder) -> Context:
        return check.context(
            self._event,
            self._snapshot,
            planned.options,
            self._lookups,
            self._clock(),
            language=self._language,
            result_cache=self._cache,
            deadline=self._deadline,
            fingerprint_key=self._fingerprint_key,
            impact=impact,
        )


@dataclass(slots=True)
class CheckOutput:
    """What one run of a check has produced so far."""

    findings: list[Finding] = field(default_factory=list)
    impact: ImpactRecorder = field(default_factory=ImpactRecorder)


@contextmanager
def _limited(seconds: float, *, is_trial: bool) -> Iterator[None]:
    with time_limits.limited(seconds, is_trial=is_trial), memory_limits.limited(REVIEW_BYTES):
        yield


class _MemoizedCache:
    """A result cache that reads each entry of the shared cache once; without one it keeps its own entries."""

    def __init__(self, cache: ResultCache | None) -> None:
        self._cache = cache
        self._known: dict[tuple[object, ...], Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        key = (operation, *sorted(arguments.items()))
        if key not in self._known:
            with time_limits.suspended():
                self._known[key] = self._cache.get(operation, arguments) if self._cache else None
        return self._known[key]

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        self._known[operation, *sorted(arguments.items())] = value
        if self._cache:
            with time_limits.suspended():
                self._cache.put(operation, arguments, value)


def describe_fault(error: BaseException) -> str:
    """Return an outcome's detail for a fault: its type, never its text, which may contain a node's code."""
    if isinstance(error, DataWorksError):
        status = "failed" if isinstance(error, Transient) else "rejected"
        return f"DataWorks call {status}: {error.action} {error.code}"
    return f"raised {type(error).__name__}"


def _location(error: BaseException) -> str:
    """Return the file name and line of the innermost frame, for the author of the check."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f" at {Path(frame.filename).name}:{frame.lineno}"
