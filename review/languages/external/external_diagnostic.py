"""What an external linter finds."""

from __future__ import annotations

from dataclasses import dataclass

from common.verdicts import Severity
from review.facts import Span
from review.rules.api import Text


@dataclass(frozen=True, slots=True)
class ExternalDiagnostic:
    """A finding of an external linter.

    Attributes:
        rule: our rule ID: `PY-F821`, `SH-SC2086`, `PG-ban-drop-table`; `PY-RUFF`, `SH-SHELLCHECK`,
            `PG-SQUAWK` if the linter itself could not be run.
        severity: its severity, unless the policy overrides it.
        at: its span in the code.
        message: dwgate's own text about the rule: the linter's text quotes the code.
        is_unfinished: whether it reports that the linter did not finish on this code.
    """

    rule: str
    severity: Severity
    at: Span
    message: Text
    is_unfinished: bool = False
