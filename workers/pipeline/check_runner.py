"""Runs one check on one event and converts every result, exceptions included, to an `Outcome`."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded

from common.events import Event
from common.i18n import Language
from common.plan import PlannedCheck
from common.plugins.pool_exit import is_pool_exit
from common.ports import ResultCache
from common.snapshot import Snapshot
from common.subjects.event_subject import subject_of
from common.verdicts import Outcome, OutcomeKind
from workers.checks.api import Check, Context, Lookups, SkipCheck
from workers.checks.finding_builders import FindingInvalid, bound_findings
from workers.checks.registry import CheckUnavailable
from workers.dataworks.errors import DataWorksError, Transient
from workers.waivers import matching as waiving
from workers.waivers.matching import Waivers

TIMED_OUT = "time limit reached"
"""Detail of an outcome whose check was stopped at its time limit."""


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
    ) -> None:
        self._event = event
        self._snapshot = snapshot
        self._language = language
        self._lookups = lookups
        self._clock = clock
        self._cache = _MemoizedCache(cache)
        self._waivers = waivers or Waivers()
        self._deadline = deadline
        self._lookup_faults = lookup_faults
        self._transient = transient
        self._raised: tuple[type[Exception], ...] = (DataWorksError, *transient)

    def run(self, check: Check, planned: PlannedCheck) -> Outcome:
        """Run a check once. What it raises becomes an outcome, except transient faults.

        Raises:
            Exception: a transient fault; the check must be retried.
        """
        try:
            return self.run_or_raise(check, planned)
        except self._transient:
            raise
        except DataWorksError as error:
            return Outcome(OutcomeKind.ERROR, detail=describe_fault(error))

    def run_or_raise(self, check: Check, planned: PlannedCheck) -> Outcome:
        """Run a check like `run`, but also raise permanent DataWorks errors.

        Raises:
            DataWorksError: a lookup failed.
            Exception: another transient fault.
        """
        try:
            findings = list(bound_findings(check.run(self._context(check, planned))))
            self._require_complete()
            return self.apply_waivers(check, Outcome.of(findings))
        except SkipCheck as skip:
            return Outcome(OutcomeKind.SKIPPED, detail=str(skip))
        except SoftTimeLimitExceeded:
            return Outcome(OutcomeKind.TIMED_OUT, detail=TIMED_OUT)
        except self._raised:
            raise
        except (CheckUnavailable, FindingInvalid) as error:
            return Outcome(OutcomeKind.ERROR, detail=str(error))
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and is_pool_exit(error):
                raise
            return Outcome(OutcomeKind.ERROR, detail=f"{describe_fault(error)}{_location(error)}")

    def apply_waivers(self, check: Check, outcome: Outcome) -> Outcome:
        """Return `outcome` of `check` with fingerprints, and a mark on each waived finding."""
        subject = subject_of(check.name, self._event, self._snapshot)
        return waiving.apply_waivers(outcome, subject, self._waivers, self._clock())

    def _require_complete(self) -> None:
        if self._lookup_faults:
            raise self._lookup_faults[-1]

    def _context(self, check: Check, planned: PlannedCheck) -> Context:
        return check.context(
            self._event,
            self._snapshot,
            planned.options,
            self._lookups,
            self._clock(),
            language=self._language,
            result_cache=self._cache,
            deadline=self._deadline,
        )


class _MemoizedCache:
    """A result cache that reads each entry of the shared cache once; without one it keeps its own entries."""

    def __init__(self, cache: ResultCache | None) -> None:
        self._cache = cache
        self._known: dict[tuple[object, ...], Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        key = (operation, *sorted(arguments.items()))
        if key not in self._known:
            self._known[key] = self._cache.get(operation, arguments) if self._cache else None
        return self._known[key]

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        self._known[operation, *sorted(arguments.items())] = value
        if self._cache:
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
