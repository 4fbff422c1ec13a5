"""`dwgate lineage`: shows which tables and columns node code reads and writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from common.processes.isolated_process import Interrupted
from common.processes.time_limits import REVIEW_SECONDS
from common.text.printable import printable
from console.exit_codes import FAILED, UsageError
from console.options import DialectName, SourcePaths
from console.output import tables
from console.output.lineage import lineage_json, lineage_text, mermaid
from console.output.openlineage import lineage_event
from console.reviews import isolated_reviews
from console.reviews.inputs import Source, dialect_named, read_context, read_sources
from review.content.node_script import file_script
from review.context import ReviewContext
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.lineage.file_lineage import FileLineage, UnreadCode, script_lineage
from review.script_reader import read_script
from review.source.source_files import decode_source

FORMATS = ("text", "json", "mermaid", "openlineage")


@dataclass(frozen=True, slots=True)
class LineageRequest:
    """The options of the command line."""

    dialect: str | None = None
    metadata: Path | None = None
    format: str = "text"


app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    files: SourcePaths,
    dialect: DialectName = None,
    metadata: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table metadata, as JSON; it expands SELECT *.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, json, mermaid or openlineage.")
    ] = "text",
) -> None:
    """Show which tables and columns node code reads and writes; exit with 1 on unread code."""
    raise typer.Exit(run(files, LineageRequest(dialect, metadata, format_)))


def run(paths: Sequence[str], request: LineageRequest) -> int:
    """Show the lineage of the files; return the exit code: 1 if some code could not be read."""
    if request.format not in FORMATS:
        raise UsageError(f"--format {request.format}: expected one of {', '.join(FORMATS)}")
    context = read_context(request.metadata)
    sources = tuple(read_sources(paths, dialect_named(request.dialect), None))
    if any(source.dialect.sql for source in sources):
        isolated_reviews.load_before(lambda: read_code("SELECT 1", Dialect.MAXCOMPUTE))
    found = tuple(_all(sources, context))
    _show(found, request.format, " ".join(paths))
    gaps = [(file.path, gap) for file in found for gap in file.unread]
    for path, gap in gaps:
        place = path if gap.line is None else f"{path}:{gap.line}"
        print(printable(f"{place}: not read: {gap.reason}"), file=sys.stderr)
    return FAILED if gaps else 0


def _show(found: Sequence[FileLineage], form: str, job: str) -> None:
    if form == "json":
        tables.json(lineage_json(found))
    elif form == "openlineage":
        tables.json(lineage_event(found, job, datetime.now(UTC)))
    else:
        for line in mermaid(found) if form == "mermaid" else lineage_text(found):
            print(line)


def _all(sources: Sequence[Source], context: ReviewContext) -> Iterator[FileLineage]:
    def work(source: Source) -> FileLineage:
        return _lineage(source, context)

    for source, done in zip(sources, isolated_reviews.do_all(work, sources), strict=True):
        yield _unread(source, _interruption(done)) if isinstance(done, Interrupted) else done


def _lineage(source: Source, context: ReviewContext) -> FileLineage:
    if source.data is None:
        return _unread(source, "a symbolic link to a place outside the folder")
    content = decode_source(source.data)
    if not isinstance(content, str):
        return _unread(source, content.message.removeprefix("Not reviewed: ").rstrip("."))
    node = file_script(content, source.dialect)
    script = read_script(node.code, node.dialect, context, None, monotonic() + REVIEW_SECONDS)
    return script_lineage(source.path, script)


def _interruption(end: Interrupted) -> str:
    return f"it takes longer than {REVIEW_SECONDS:.0f} s" if end.is_timeout else end.reason


def _unread(source: Source, reason: str) -> FileLineage:
    return FileLineage(source.path, source.dialect.value, unread=(UnreadCode(None, reason),))
