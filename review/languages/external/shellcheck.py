"""Runs shellcheck on a shell node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from review.languages.external.directives import hide_shellcheck_directives
from review.languages.external.external_diagnostic import ExternalDiagnostic
from review.languages.external.external_tool import (
    ExternalTool,
    Offsets,
    ToolFailed,
    limit_hits,
    run,
    tool_failure_hit,
)
from review.rules.external_rules import message_of

# Scheduling parameters are variables that are never assigned (2154); DataWorks starts nodes without a
# shebang (2148); files that a node sources are not available (1090, 1091).
SHELLCHECK = ExternalTool(
    "shellcheck",
    "SH-SHELLCHECK",
    ("--norc", "--format=json1", "--shell=bash", "--exclude=SC2154,SC2148,SC1090,SC1091", "-"),
)
_SEVERITY = {"error": Severity.WARN, "warning": Severity.WARN}
_SCHEDULED = re.compile(r"\$\[[a-zA-Z][^\[\]\n]*\]|\{\{[^{}\n]*\}\}")
"""Scheduling parameters that have another meaning in a shell."""


def run_shellcheck(code: str, seconds: float) -> Iterator[ExternalDiagnostic]:
    """Yield shellcheck's findings on the script `code`."""
    try:
        answer = run(SHELLCHECK, hide_shellcheck_directives(_mask_parameters(code)), seconds)
    except ToolFailed as error:
        yield tool_failure_hit(SHELLCHECK, code, error)
        return
    offsets = Offsets(code)
    yield from limit_hits(SHELLCHECK, code, (_hit(item, offsets) for item in answer["comments"]))


def _mask_parameters(code: str) -> str:
    return _SCHEDULED.sub(lambda match: "p" * len(match.group()), code)


def _hit(item: dict[str, int], offsets: Offsets) -> ExternalDiagnostic:
    rule = f"SH-SC{item['code']}"
    return ExternalDiagnostic(
        rule,
        _SEVERITY.get(str(item["level"]), Severity.INFO),
        offsets.span((item["line"], item["column"]), (item["endLine"], item["endColumn"])),
        message_of(rule),
    )
