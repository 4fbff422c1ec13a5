"""Findings as GitHub workflow commands: lines on standard output that GitHub shows as annotations.

Source: GitHub's documentation, "Workflow commands for GitHub Actions", "Setting an error message".
"""

from __future__ import annotations

from collections.abc import Iterator

from common.text.printable import printable
from common.verdicts import Finding, Result, Severity
from review.report import Report, suppression_status

_COMMANDS = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.INFO: "notice"}
_SEVERITIES = {Result.FAIL: Severity.BLOCK, Result.WARN: Severity.WARN, Result.OK: Severity.INFO}
_GAP = "MC-C19"


def workflow_commands(report: Report) -> Iterator[str]:
    """Yield a line for each finding that is neither suppressed nor waived, and for files with gaps."""
    for file in report.files:
        for item in file.findings:
            if suppression_status(item) is None:
                yield _line(file.path, item, report)
        if file.unreviewable is not None:
            title = _property(f"{_GAP} {report.describe(_GAP).name}")
            command = _COMMANDS[_SEVERITIES[file.on_unreviewable]]
            yield f"::{command} file={_property(file.path)},title={title}::{_data(file.unreviewable)}"


def _line(path: str, item: Finding, report: Report) -> str:
    rule = report.describe(item.rule)
    places = {
        "file": path,
        "line": item.line,
        "col": item.column,
        "endLine": item.end_line,
        # GitHub accepts columns only if the range is on one line.
        "endColumn": item.end_column if item.end_line == item.line else None,
        "title": f"{item.rule} {rule.name}",
    }
    properties = ",".join(
        f"{key}={_property(str(value))}" for key, value in places.items() if value is not None
    )
    text = " ".join(filter(None, (item.message, item.help, rule.url if rule.is_url_absolute else None)))
    return f"::{_COMMANDS[item.severity]} {properties}::{_data(text)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
