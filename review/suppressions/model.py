"""A suppression comment, and its refusal by the policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from review.facts import Span

REFUSED = "DW-I03"
"""The rule that reports refused suppressions."""

REFERENCED_WAIVER = "referenced_waiver"
"""Parameter of a finding for which a comment names a waiver, and of the finding that reports that comment."""

REFUSED_RULE = "rule"
"""Parameter of a refusal: the rule that the comment names."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One suppression comment.

    Attributes:
        at: from its keyword to the end of its reason.
        rules: the rule ids it names, in upper case (those of squawk in lower case behind `PG-`).
        reason: the author's reason; empty without one.
        span: the span in which suppressed findings start; None if it has no effect at its position.
        waiver: id of the waiver that it names instead of a reason; empty if it names none.
        is_file_wide: whether it is for the whole script, wherever it is.
        tool: the external linter whose directive it is (`shellcheck disable=…`); empty for `dwgate:ignore`.
    """

    at: Span
    rules: tuple[str, ...]
    reason: str
    span: Span | None
    waiver: str = ""
    is_file_wide: bool = False
    tool: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it has rules, a reason or a waiver, and a span to cover."""
        return bool(self.rules and (self.reason or self.waiver) and self.span)


class RefusalCause(StrEnum):
    """Why a suppression has no effect on a rule."""

    ABOUT_REVIEW = "about_review"
    UNNAMED_RULE = "unnamed_rule"
    WAIVER_REQUIRED = "waiver_required"
    PROTECTED_RULE = "protected_rule"
    SECRET = "secret"  # noqa: S105 - a cause, not a password
    NOT_ALLOWED = "not_allowed"
    SEVERITY = "severity"
    FILE_WIDE = "file_wide"
    NO_REASON = "no_reason"
    SHORT_REASON = "short_reason"
    TOO_MANY = "too_many"
    WAIVER = "waiver"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A suppression that has no effect on a rule.

    Attributes:
        suppression: the comment.
        rule: the rule whose findings remain.
        cause: why. `WAIVER` holds until the waiver is known to cover the findings.
        limit: the limit that is not met: a severity, a length or a number; empty for other causes.
    """

    suppression: Suppression
    rule: str
    cause: RefusalCause
    limit: str = ""
