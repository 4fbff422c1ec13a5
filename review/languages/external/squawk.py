"""Runs squawk on definitions in a Hologres node, with the few of its rules that apply to Hologres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from common.verdicts import Severity
from review.dialects import Dialect, lexis
from review.languages.external.external_tool import Offsets, OutsideHit, Tool, ToolFailed, ask, failed, kept
from review.rules.api import Text
from review.source.parameter_mask import mask

SQUAWK = Tool("squawk", "PG-SQUAWK", ("--reporter=json", "--stdin-filepath=node.sql"))
_KEPT = {
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


def hits(code: str, seconds: float) -> Iterator[OutsideHit]:
    """Yield squawk's findings on the script `code`; nothing if it has no definitions."""
    if not _DEFINES.search(code):
        return
    try:
        answer = ask(SQUAWK, mask(code, lexis(Dialect.HOLOGRES)).text, seconds)
    except ToolFailed as error:
        yield failed(SQUAWK, code, error)
        return
    offsets, lines = Offsets(code), code.split("\n")
    found = (_hit(item, offsets, lines) for item in answer if item.get("rule_name") in _KEPT)
    yield from kept(SQUAWK, code, found)


def _hit(item: dict[str, Any], offsets: Offsets, lines: list[str]) -> OutsideHit:
    name, said = str(item["rule_name"]), str(item["message"]).rstrip(".")
    return OutsideHit(
        f"PG-{name}",
        _KEPT[name],
        offsets.span(
            _place(lines, item["line"], item["column"]), _place(lines, item["line_end"], item["column_end"])
        ),
        Text(f"{said}.", f"squawk {name}：{said}。"),
    )


def _place(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """Return the 1-based position of the byte `column` of `line`; squawk counts both from 0."""
    text = lines[line] if line < len(lines) else ""
    return line + 1, len(text.encode("utf-8", "replace")[:column].decode("utf-8", "ignore")) + 1
