"""The plan of an event: its checks and how each counts, fixed when a worker starts to process the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.contact import Contact
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Result, Severity

# The margin leaves time to decide and post the verdict, including retries.
MARGIN_SHARE = 0.2
MIN_MARGIN_SECONDS = 2.0
MAX_MARGIN_SECONDS = 15.0

RECORDING_SECONDS = 1.0
"""Seconds between the end of a check's work and its deadline: enough to record the outcome."""


def decision_margin(deadline_seconds: float) -> float:
    """Return the seconds before a deadline at which the watchdog decides: a fifth of it, from 2 to 15."""
    return min(max(deadline_seconds * MARGIN_SHARE, MIN_MARGIN_SECONDS), MAX_MARGIN_SECONDS)


class Mode(StrEnum):
    """How a check's findings count.

    ENFORCE: by their severity. WARN: at most as a warning. AUDIT: they are recorded and count as OK.
    """

    ENFORCE = "enforce"
    WARN = "warn"
    AUDIT = "audit"

    @property
    def max_result(self) -> Result:
        """The most severe result that a check in this mode can have."""
        return _MAX_RESULTS[self]


_MAX_RESULTS = {Mode.ENFORCE: Result.FAIL, Mode.WARN: Result.WARN, Mode.AUDIT: Result.OK}


_REQUESTED_RESULTS = {Severity.INFO: Result.OK, Severity.WARN: Result.WARN, Severity.BLOCK: Result.FAIL}


def requested_result(finding: Finding) -> Result:
    """Return the result for a finding's severity: FAIL for `block`, WARN for `warn`, OK for `info`.

    A suppressed or waived finding counts as OK: it has been accepted with a reason.
    """
    known = finding.suppressed is not None or finding.waived is not None
    return Result.OK if known else _REQUESTED_RESULTS[finding.severity]


def most_severe(*results: Result) -> Result:
    """Return the most severe of `results`; OK if there are none."""
    return max(results, key=lambda result: result.severity_rank, default=Result.OK)


ENABLED = "enabled"
"""Key of the source of a check's being planned at all."""

OPTION_PREFIX = "options."
"""What the keys of the sources of a check's own options begin with."""


@dataclass(frozen=True, slots=True)
class SettingSource:
    """Where the value of a setting comes from.

    Attributes:
        file: the policy file; None if no file sets it.
        line: its line, from 1; None if no file sets it.
        layer: `points`, `defaults`, or the path of the layer in the file (`sets.strict`, `workspaces.93124`,
            `where.0`); `console` (an option that was saved in the DataWorks console), `rollout` (the event
            is outside the share that the line sets), or `default` (dwgate's own).
    """

    file: str | None
    line: int | None
    layer: str

    def to_json(self) -> dict[str, Any]:
        """Return the source as plain JSON."""
        return {"file": self.file, "line": self.line, "layer": self.layer}

    def __str__(self) -> str:
        """Return the source as `policy.yaml:12 (points)`."""
        return f"({self.layer})" if self.file is None else f"{self.file}:{self.line} ({self.layer})"


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """One check of a plan.

    Attributes:
        name: the check.
        mode: how its findings count.
        on_timeout: its result if it has no outcome in time.
        on_error: its result if it could not be run.
        options: the check's own options, as plain JSON.
        share: the fraction of events that get the policy's mode; the other events get the mode audit.
        on_unreviewable: its result if the author's input could not be reviewed, unless a finding is worse.
        sources: where the policy sets each of these by name (`mode`, `options.max_days`), and that the check
            runs (`enabled`). Options without one have their default, or are the policy's `suppressions`.
            Plans of older versions have none.
    """

    name: str
    mode: Mode
    on_timeout: Result
    on_error: Result
    options: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1
    on_unreviewable: Result = Result.FAIL
    sources: Mapping[str, SettingSource] = field(default_factory=dict, compare=False)

    @property
    def source(self) -> SettingSource | None:
        """Where its mode was decided; None if unknown."""
        return self.sources.get("mode")

    def effective_result(self, outcome: Outcome | None) -> Result:
        """Return the check's result for `outcome` (None: missing), capped to its mode."""
        return self.cap_to_mode(self.would_be_result(outcome))

    def would_be_result(self, outcome: Outcome | None) -> Result:
        """Return the result that `outcome` (None: missing) would have in mode `enforce`."""
        findings = outcome.findings if outcome else ()
        requested = (requested_result(finding) for finding in findings)
        return most_severe(*requested, self._uncapped_incomplete_result(outcome))

    def incomplete_result(self, outcome: Outcome | None) -> Result:
        """Return what it counts as, capped to its mode, that the check did not finish; OK if it did."""
        return self.cap_to_mode(self._uncapped_incomplete_result(outcome))

    def _uncapped_incomplete_result(self, outcome: Outcome | None) -> Result:
        match outcome.kind if outcome else None:
            case OutcomeKind.UNREVIEWABLE:
                return self.on_unreviewable
            case OutcomeKind.ERROR:
                return self.on_error
            case OutcomeKind.TIMED_OUT | None:
                return self.on_timeout
            case _:
                return Result.OK

    def cap_to_mode(self, result: Result) -> Result:
        """Return `result`, or the maximum of the check's mode if that is less severe."""
        return min(result, self.mode.max_result, key=lambda each: each.severity_rank)


@dataclass(frozen=True, slots=True)
class Plan:
    """The checks of one event and how they count.

    Attributes:
        checks: the checks, in the policy's order.
        verdict: the result if there are no checks.
        language: the language of the tip.
        policy: version of the policy that the plan is based on.
        disabled_reason: why nothing is checked, if dwgate is disabled for such events; for the tip.
        ignored_options: settings of the DataWorks console that are ignored, each with the reason.
        contact: whom people may ask about the verdict; None if the policy names nobody.
    """

    checks: tuple[PlannedCheck, ...]
    verdict: Result
    language: Language
    policy: str
    disabled_reason: str | None = None
    ignored_options: tuple[str, ...] = ()
    contact: Contact | None = None

    def would_be_result(self, outcomes: Mapping[str, Outcome], *, is_final: bool = True) -> Result:
        """Return the result that outcomes would have if all checks were in mode `enforce`.

        Args:
            outcomes: by check name.
            is_final: whether a check without an outcome has timed out; otherwise it does not count.
        """
        if not self.checks:
            return self.verdict
        counted = (check for check in self.checks if is_final or check.name in outcomes)
        return most_severe(*(check.would_be_result(outcomes.get(check.name)) for check in counted))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON; sources are numbered, since many settings share a few."""
        sources = {each: None for check in self.checks for each in check.sources.values()}
        numbers = {source: number for number, source in enumerate(sources)}
        return {
            "checks": [
                {
                    "name": check.name,
                    "mode": check.mode.value,
                    "on_timeout": check.on_timeout.value,
                    "on_error": check.on_error.value,
                    "options": dict(check.options),
                    "share": check.share,
                    "on_unreviewable": check.on_unreviewable.value,
                    "sources": {name: numbers[source] for name, source in check.sources.items()},
                }
                for check in self.checks
            ],
            "verdict": self.verdict.value,
            "language": self.language.value,
            "policy": self.policy,
            "off": self.disabled_reason,
            "ignored": list(self.ignored_options),
            "contact": self.contact.to_json() if self.contact else None,
            "sources": [[source.file, source.line, source.layer] for source in sources],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Plan:
        """Return the plan that `to_json` serialized; older plans have no `on_unreviewable`: it is FAIL.

        Raises:
            KeyError: a field is missing.
        """
        sources = [SettingSource(*each) for each in raw.get("sources", ())]
        return cls(
            checks=tuple(
                PlannedCheck(
                    item["name"],
                    Mode(item["mode"]),
                    Result(item["on_timeout"]),
                    Result(item["on_error"]),
                    item["options"],
                    item.get("share", 1),
                    Result(item.get("on_unreviewable", Result.FAIL)),
                    {name: sources[number] for name, number in item.get("sources", {}).items()},
                )
                for item in raw["checks"]
            ),
            verdict=Result(raw["verdict"]),
            language=Language(raw["language"]),
            policy=raw["policy"],
            disabled_reason=raw.get("off"),
            ignored_options=tuple(raw.get("ignored", ())),
            contact=Contact.from_json(raw["contact"]) if raw.get("contact") else None,
        )
