"""How many findings each rule has, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from common.json_types import Json
from common.text.printable import printable
from console.output.finding_text import summary
from console.output.styled_line import StyledLine, styled
from review.report import Report, count_by_rule


def statistics_lines(report: Report) -> Iterator[StyledLine]:
    """Yield a line for each rule, most findings first, then a summary."""
    rows = [(str(count), rule, _title(rule, report)) for rule, count in _counts(report)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    for count, rule, title in rows:
        yield styled(f"{count:>{widths[0]}}  ", (f"{rule:<{widths[1]}}", "bold"), f"  {printable(title)}")
    if rows:
        yield StyledLine()
    yield styled(summary(report))


def statistics_json(report: Report) -> Json:
    """Return the number of findings of each rule, and of files."""
    return {
        "statistics": [
            {"rule": rule, "name": report.describe(rule).name, "count": count}
            for rule, count in _counts(report)
        ],
        "files": len(report.files),
        "unreviewable": sum(file.unreviewable is not None for file in report.files),
        "hidden": report.hidden,
    }


def _counts(report: Report) -> list[tuple[str, int]]:
    return sorted(count_by_rule(report.findings).items(), key=lambda pair: (-pair[1], pair[0]))


def _title(rule: str, report: Report) -> str:
    description = report.describe(rule)
    # A linter's rule is named by its id.
    return description.title if description.name == rule else f"{description.name}: {description.title}"
