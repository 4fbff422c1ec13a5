"""The output of a review in the format that the command line names."""

from __future__ import annotations

from collections.abc import Iterator

from console.output import finding_text, github, sarif
from console.output.json_text import json_text
from console.output.statistics import statistics_json, statistics_lines
from review.report import Report, report_json

FORMATS = ("text", "json", "sarif", "github")
WITH_FINGERPRINTS = frozenset({"json", "sarif"})
WITH_STATISTICS = frozenset({"text", "json"})


def output_lines(report: Report, format_: str, *, statistics: bool, colored: bool) -> Iterator[str]:
    """Yield the output.

    Args:
        report: what is said.
        format_: one of `FORMATS`; of `WITH_STATISTICS` if these are wanted.
        statistics: whether to count findings by rule instead of listing them.
        colored: whether text has colours.
    """
    if format_ == "text":
        lines = statistics_lines(report) if statistics else finding_text.finding_lines(report)
        yield from (line.colored if colored else line.plain for line in lines)
    elif format_ == "json":
        yield json_text(statistics_json(report) if statistics else report_json(report))
    elif format_ == "sarif":
        from common.processes.version import running_version  # noqa: PLC0415 - only this format needs it

        yield json_text(sarif.build_sarif(report, running_version()))
    else:
        yield from github.workflow_commands(report)
        if report.hidden:
            yield f"{report.hidden} findings of lower severity hidden; --severity info shows all."
