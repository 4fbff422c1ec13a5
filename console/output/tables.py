"""Tables and texts for terminals; without colours and with a fixed width in files and pipes."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from common.text.printable import printable
from common.verdicts import Finding, Severity
from console.output.json_text import json_text

if TYPE_CHECKING:
    from common.ledger import EventRecord

PLAIN_WIDTH = 160
"""Width in characters of prose written to a file or a pipe."""

_MAX_LINE = 10_000
"""Width in characters up to which a row of a table is one line in a file or a pipe."""

NOTHING = "–"

_STYLES = {"OK": "green", "WARN": "yellow", "FAIL": "red", "dead": "bold red"}
_SEVERITIES = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}


def console() -> Console:
    """Return a console for standard output: the terminal, or plain text of a fixed width."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=PLAIN_WIDTH, color_system=None)


def show(what: RenderableType) -> None:
    """Print tables: fitted to the terminal; in files and pipes one line a row, without trailing spaces."""
    if sys.stdout.isatty():
        console().print(what)
        return
    plain = Console(file=io.StringIO(), highlight=False, width=_MAX_LINE, color_system=None)
    with plain.capture() as captured:
        plain.print(what)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def paragraphs(*parts: RenderableType) -> RenderableType:
    """Return texts and tables with an empty line between them."""
    return Group(*[item for part in parts for item in ("", part)][1:])


def facts(rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of names and values, without headings."""
    built = table(("name", "value"), rows)
    built.show_header = False
    return built


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: frozenset[str] = frozenset()
) -> Table:
    """Return a table; its last column takes the remaining width.

    Args:
        columns: headings.
        rows: cells; `rich.text.Text` is kept, None becomes a dash, everything else becomes text.
        right: headings of right-aligned columns.
    """
    built = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        last = name == columns[-1]
        built.add_column(
            name, justify="right" if name in right else "left", no_wrap=not last, overflow="fold"
        )
    for row in rows:
        built.add_row(*(cell if isinstance(cell, Text) else text(cell) for cell in row))
    return built


def text(value: object) -> Text:
    """Return a value as text without markup and unprintable characters: it may be untrusted."""
    plain = NOTHING if value is None or value == "" else str(value)
    plain = printable(plain)
    return Text(plain, style=_STYLES.get(plain, ""))


def format_time(seconds: float | None) -> str | None:
    """Return a time as local date and time, to the second."""
    return None if seconds is None else _local(seconds).strftime("%Y-%m-%d %H:%M:%S")


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()


def format_precise_time(seconds: float) -> str:
    """Return a time as local date and time, to the millisecond."""
    return _local(seconds).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def result(record: EventRecord) -> str | None:
    """Return the accepted result, with that of a rerun if it differs; a frozen one only as not accepted."""
    if accepted := record.accepted_verdict:
        rerun = record.rerun_verdict if record.is_rerun_different else None
        return accepted.result.value + (f" (rerun: {rerun.result})" if rerun else "")
    return f"not accepted: {record.verdict.result}" if record.verdict else None


def first_finding(record: EventRecord) -> str | None:
    """Return the worst finding as one line, else why a check failed to run; None for neither."""
    for found in worst_findings(record):
        return found
    for name in record.planned_checks:
        outcome = record.outcomes.get(name)
        if outcome and outcome.kind.value in ("unreviewable", "error", "timed_out"):
            return f"{name}: {outcome.detail or outcome.kind.value}"
    return None


def worst_findings(record: EventRecord) -> list[str]:
    """Return the worst finding of each check as one line, most severe first."""
    found = [
        min(outcome.findings, key=_severity_rank)
        for name in record.planned_checks
        if (outcome := record.outcomes.get(name)) and outcome.findings
    ]
    return [finding(item) for item in sorted(found, key=_severity_rank)]


def _severity_rank(item: Finding) -> tuple[bool, int]:
    is_exempt = item.suppressed is not None or item.waived is not None
    return is_exempt, _SEVERITIES[item.severity]


def finding(item: Finding) -> str:
    """Return a finding as one line: rule, location, message, and the suppression or waiver if any."""
    place = f" line {item.line}:" if item.line else ""
    kept = f" (suppressed: {item.suppressed})" if item.suppressed is not None else ""
    kept += f" (waived by {item.waived})" if item.waived is not None else ""
    return f"{item.rule}:{place} {item.message}{kept}"


def json(value: Any) -> None:
    """Print a value as JSON; characters that are not printable are escaped."""
    print(json_text(value))
