"""The policy's rules for suppressions: what the author of code may suppress, and how."""

from __future__ import annotations

from typing import Annotated
from unicodedata import east_asian_width

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from common.text.globs import first_match
from common.text.printable import printable
from common.verdicts import Severity

SECURITY = ("MC-S*", "PY-001", "PY-007", "PY-S*", "SH-001", "SH-003")
"""Rules about secrets, destruction and permissions, those of ruff's security linter included."""

_MAX_LENGTH = 100


def _rule_pattern(value: str) -> str:
    """Return a pattern for rule ids.

    Raises:
        ValueError: it has no wildcard and is not the id of a rule.
    """
    from review.rules.registry import is_known_rule  # noqa: PLC0415 - the registry holds rules about suppressions

    pattern = value.strip()
    if "*" not in pattern and "?" not in pattern and not is_known_rule(pattern):
        raise ValueError(f"unknown rule {pattern}; expected the id of a rule, or a pattern with * or ?")
    return pattern


RulePattern = Annotated[str, Field(min_length=1, max_length=_MAX_LENGTH), AfterValidator(_rule_pattern)]


class SuppressionRules(BaseModel):
    """What the author of code may suppress with a comment. A refused suppression is a finding (DW-I03)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: tuple[Severity, ...] = Field(
        default=(Severity.INFO, Severity.WARN),
        description="severities of findings that may be suppressed: info, warn, block; none if empty",
    )
    never: tuple[RulePattern, ...] = Field(
        default=SECURITY, description="rules that must not be suppressed, with * and ?"
    )
    file_wide: bool = Field(
        default=False, strict=True, description="whether a comment may suppress a rule in the whole script"
    )
    max_per_script: int = Field(
        default=10, strict=True, ge=0, le=1000, description="maximum number of suppressions in one script"
    )
    min_reason: int = Field(
        default=10,
        strict=True,
        ge=1,
        le=200,
        description="minimum letters and digits of the reason; a Chinese character counts as two",
    )
    require_waiver: bool = Field(
        default=False, strict=True, description="whether a comment must name a waiver instead of a reason"
    )

    def is_protected(self, rule: str) -> bool:
        """Whether `rule` must not be suppressed."""
        return first_match(self.never, rule) is not None

    def permits(self, rule: str, severity: Severity, reason: str) -> bool:
        """Whether a comment with `reason` may suppress a finding of `rule` on its line."""
        return (
            severity in self.allow
            and not self.require_waiver
            and not self.is_protected(rule)
            and reason_length(reason) >= self.min_reason
        )


def reason_length(reason: str) -> int:
    """Return the length of a reason: visible letters and digits of any script; wide ones count as two."""
    letters = filter(str.isalnum, printable(reason))
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in letters)
