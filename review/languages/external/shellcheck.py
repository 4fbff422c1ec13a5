"""Runs shellcheck on a shell node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from common.verdicts import Severity
from review.languages.external.directives import hide_shellcheck_directives
from review.languages.external.external_diagnostic import ExternalDiagnostic
from review.languages.external.external_tool import (
    Batch,
    ExternalTool,
    Offsets,
    ToolFailed,
    limit_hits,
    run,
    run_ahead,
    tool_failure_hit,
)
from review.rules.external_rules import message_of

# Scheduling parameters are variables that are never assigned (2154); DataWorks starts nodes without a
# shebang (2148); files that a node sources are not available (1090, 1091).
_ARGUMENTS = ("--norc", "--format=json1", "--shell=bash", "--exclude=SC2154,SC2148,SC1090,SC1091")


def _split(result: dict[str, Any], paths: Sequence[str]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    for item in result["comments"]:
        found[item["file"]].append(item)
    return [{"comments": comments} for comments in found.values()]


SHELLCHECK = ExternalTool("shellcheck", "SH-SHELLCHECK", (*_ARGUMENTS, "-"), Batch(_ARGUMENTS, _split))
_SEVERITY = {"error": Severity.WARN, "warning": Severity.WARN}
_SCHEDULED = re.compile(r"\$\[[a-zA-Z][^\[\]\n]*\]|\{\{[^{}\n]*\}\}")
"""Scheduling parameters that have another meaning in a shell."""


def run_shellcheck_ahead(codes: Iterable[str], seconds: float) -> None:
    """Run shellcheck once on scripts that `run_shellcheck` is going to be called with."""
    run_ahead(SHELLCHECK, [_checked_text(code) for code in codes], seconds)


def run_shellcheck(code: str, seconds: float) -> Iterator[ExternalDiagnostic]:
    """Yield shellcheck's findings on the script `code`."""
    try:
        answer = run(SHELLCHECK, _checked_text(code), seconds)
    except ToolFailed as error:
        yield tool_failure_hit(SHELLCHECK, code, error)
        return
    offsets = Offsets(code)
    yield from limit_hits(SHELLCHECK, code, (_hit(item, offsets) for item in answer["comments"]))


def _checked_text(code: str) -> str:
    return hide_shellcheck_directives(_mask_parameters(code))


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
