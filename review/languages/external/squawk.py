"""Runs squawk on definitions in a Hologres node, with the few of its rules that apply to Hologres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from common.verdicts import Severity
from review.dialects import Dialect, lexical_rules
from review.languages.external.directives import hide_squawk_directives
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
from review.source.parameter_mask import mask_parameters

SQUAWK = ExternalTool(
    "squawk", "PG-SQUAWK", ("--config=/dev/null", "--reporter=json", "--stdin-filepath=node.sql")
)
_ENABLED_RULES = {
    "ban-drop-table": Severity.INFO,
    "ban-drop-database": Severity.WARN,
    "ban-drop-column": Severity.WARN,
    "ban-truncate-cascade": Severity.WARN,
    "prefer-robust-stmts": Severity.INFO,
    "renaming-column": Severity.INFO,
    "renaming-table": Severity.INFO,
}
"""Rules of squawk that apply; the others concern locks that Hologres does not have."""
_DEFINES = re.compile(r"\b(?:create|alter|drop|truncate)\b", re.IGNORECASE)


def run_squawk(code: str, seconds: float) -> Iterator[ExternalDiagnostic]:
    """Yield squawk's findings on the script `code`; nothing if it has no definitions."""
    if not _DEFINES.search(code):
        return
    try:
        masked = mask_parameters(code, lexical_rules(Dialect.HOLOGRES)).text
        answer = run(SQUAWK, hide_squawk_directives(masked), seconds)
    except ToolFailed as error:
        yield tool_failure_hit(SQUAWK, code, error)
        return
    offsets, lines = Offsets(code), code.split("\n")
    found = (_hit(item, offsets, lines) for item in answer if item.get("rule_name") in _ENABLED_RULES)
    yield from limit_hits(SQUAWK, code, found)


def _hit(item: dict[str, Any], offsets: Offsets, lines: list[str]) -> ExternalDiagnostic:
    name = str(item["rule_name"])
    return ExternalDiagnostic(
        f"PG-{name}",
        _ENABLED_RULES[name],
        offsets.span(
            _place(lines, item["line"], item["column"]), _place(lines, item["line_end"], item["column_end"])
        ),
        message_of(f"PG-{name}"),
    )


def _place(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """Return the 1-based position of the byte `column` of `line`; squawk counts both from 0."""
    text = lines[line] if line < len(lines) else ""
    return line + 1, len(text.encode("utf-8", "replace")[:column].decode("utf-8", "ignore")) + 1
