"""Puts one event to a check: whatever comes of it is an outcome."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded

from common.events import Event
from common.i18n import Language
from common.plan import PlannedCheck
from common.ports import ResultCache
from common.snapshot import Snapshot
from common.verdicts import Outcome, OutcomeKind
from workers import metrics, waivers
from workers.about import About, about
from workers.checks.check import Check, Context, Skip
from workers.checks.findings import bounded
from workers.dataworks.errors import DataWorksError, Transient
from workers.services import Services
from workers.task import TRANSIENT, place

TOO_LONG = "it took too long"

log = structlog.get_logger()


class Asking:
    """One event and what its checks work with; what one has looked up the others need not.

    Args:
        services: this process's parts.
        event: the event.
        snapshot: what its operation works on; None when there is none.
        language: of the findings.
        until: when outcomes come too late, in seconds since the epoch.
        lookups_until: when lookups end, if that is before; then an outcome for which something could not be
            looked up does not count: somebody with more time is to be asked.
    """

    def __init__(
        self,
        services: Services,
        event: Event,
        snapshot: Snapshot | None,
        language: Language,
        until: float,
        lookups_until: float = math.inf,
    ) -> None:
        self._services = services
        self._event = event
        self._snapshot = snapshot
        self._language = language
        self._until = until
        self._hurried = lookups_until < until
        self._lookups = services.dataworks.lookups(min(until, lookups_until))
        self._answers = _Remembering(services.answers)

    def ask(self, asked: Check, planned: PlannedCheck) -> Outcome:
        """Ask a check once. Whatever it raises becomes an outcome, but for transient faults.

        Raises:
            Transient: a lookup could not be made; also Redis' and the broker's faults.
        """
        try:
            found = list(bounded(asked.ask(self._context(asked, planned))))
            self._refuse_half()
            return self._waived(about(asked.name, self._event, self._snapshot), Outcome.of(found))
        except Skip as skip:
            return Outcome(OutcomeKind.SKIPPED, detail=str(skip))
        except SoftTimeLimitExceeded:
            return Outcome(OutcomeKind.TIMED_OUT, detail=TOO_LONG)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - a check that fails must not take the others with it
            log.error("check-failed", check=asked.name, error=type(error).__name__, at=place(error))
            return Outcome(OutcomeKind.ERROR, detail=why(error))

    def _refuse_half(self) -> None:
        if self._hurried and self._lookups.faults:
            raise self._lookups.faults[-1]

    def _context(self, asked: Check, planned: PlannedCheck) -> Context:
        return Context(
            self._event,
            self._snapshot or Snapshot(),
            asked.options.model_validate(dict(planned.options)),
            self._lookups if asked.looks_up else None,
            time.time(),
            self._language,
            self._answers,
            self._until,
        )

    def _waived(self, what: About, outcome: Outcome) -> Outcome:
        judged = waivers.apply(outcome, what, self._services.waivers, time.time())
        if count := sum(item.waived is not None for item in judged.findings):
            metrics.WAIVED.labels(what.check).inc(count)
        return judged


class _Remembering:
    """Answers, of which those that were got or put once are at hand."""

    def __init__(self, answers: ResultCache) -> None:
        self._answers = answers
        self._known: dict[tuple[object, ...], Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        question = (operation, *sorted(arguments.items()))
        if question not in self._known:
            self._known[question] = self._answers.get(operation, arguments)
        return self._known[question]

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        self._known[operation, *sorted(arguments.items())] = value
        self._answers.put(operation, arguments, value)


def why(error: Exception) -> str:
    """Return what an outcome says of a fault: its kind, never its text, which could hold a node's code."""
    if isinstance(error, DataWorksError):
        tried = "could not be asked" if isinstance(error, Transient) else "refused"
        return f"DataWorks {tried}: {error.action} {error.code}"
    return f"it failed with {type(error).__name__}"
