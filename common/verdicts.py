"""What a check says (findings, outcome) and what dwgate answers (verdict)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """A check result as DataWorks knows it, mildest first."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"

    @property
    def rank(self) -> int:
        """Its place from mild (0) to severe (2)."""
        return _RANKS[self]


_RANKS = {Result.OK: 0, Result.WARN: 1, Result.FAIL: 2}


class Severity(StrEnum):
    """What one finding asks for, before the policy's mode is applied."""

    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


class OutcomeKind(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FINDINGS = "findings"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check saw.

    Attributes:
        rule: a stable id (`MC-C01`, `backfill-periods`).
        severity: what it asks for.
        message: one sentence that names the thing; never node code, never a secret.
        line: 1-based line in the node's code, when it has one.
        column: 1-based column, in characters, when it has one.
        help: how to mend it, when that is known.
        end_line: 1-based line on which it ends, when it is a range.
        end_column: 1-based column of the first character after it.
        suppressed: the reason its author gave for keeping it; it counts as OK then. None: it counts.
        fingerprint: the same for the same finding wherever it moves in the code.
        waived: the id of the waiver that lets it pass, and its reason; it counts as OK then. None: it counts.
    """

    rule: str
    severity: Severity
    message: str
    line: int | None = None
    column: int | None = None
    help: str | None = None
    end_line: int | None = None
    end_column: int | None = None
    suppressed: str | None = None
    fingerprint: str | None = None
    waived: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON, without empty fields."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Finding:
        """Read what `to_json` wrote."""
        return cls(**{**raw, "severity": Severity(raw["severity"])})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check's end.

    Attributes:
        kind: how it ended.
        findings: what it saw; empty unless kind is `findings`.
        detail: for an error, time-out or skip: why, in a few words for the tip.
    """

    kind: OutcomeKind
    findings: tuple[Finding, ...] = field(default=())
    detail: str | None = None

    @classmethod
    def of(cls, findings: list[Finding] | tuple[Finding, ...]) -> Outcome:
        """Return `findings` as an outcome: passed when there are none."""
        kind = OutcomeKind.FINDINGS if findings else OutcomeKind.PASSED
        return cls(kind, tuple(findings))

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON."""
        return {
            "kind": self.kind.value,
            "findings": [finding.to_json() for finding in self.findings],
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Outcome:
        """Read what `to_json` wrote."""
        findings = tuple(Finding.from_json(item) for item in raw["findings"])
        return cls(OutcomeKind(raw["kind"]), findings, raw["detail"])


class Reason(StrEnum):
    """Why a verdict was decided when it was."""

    COMPLETE = "complete"
    DEADLINE = "deadline"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one answer to an event.

    Attributes:
        result: OK, WARN or FAIL.
        tip: the text that DataWorks shows to the person who waits.
        reason: all checks were in, the deadline came, or no check applied.
        decided_at: seconds since the epoch.
    """

    result: Result
    tip: str
    reason: Reason
    decided_at: float

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON."""
        return {
            "result": self.result.value,
            "tip": self.tip,
            "reason": self.reason.value,
            "decided_at": self.decided_at,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Verdict:
        """Read what `to_json` wrote."""
        return cls(Result(raw["result"]), raw["tip"], Reason(raw["reason"]), raw["decided_at"])
