"""`dwgate review`: reviews node code in files with the rules of the code-review check."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from common.verdicts import Severity
from console.exit_codes import FAILED, UsageError
from console.options import LanguageName
from console.output.review_output import output_lines
from console.output.styled_line import is_colored
from console.reviews.file_reviews import review_files
from console.reviews.inputs import no_source_error, read_sources
from console.reviews.settings import ReviewRequest, load_settings
from review.report import Report, has_blocking, without_lower_severities

app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, folders, or - for standard input.")
    ],
    dialect: Annotated[
        str | None,
        typer.Option(
            help="Dialect of files, and of the SQL in folders; default: by file name, maxcompute for SQL."
        ),
    ] = None,
    metadata: Annotated[Path | None, typer.Option(metavar="FILE", help="Table metadata, as JSON.")] = None,
    project: Annotated[
        str | None, typer.Option(help="MaxCompute project of unqualified table names.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Use the options of this policy's code-review check.")
    ] = None,
    diff: Annotated[
        Path | None,
        typer.Option(metavar="OLD", help="Show only findings that this older file or folder does not have."),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="text, json, sarif or github.")
    ] = None,
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Apply the waivers of this file.")
    ] = None,
    severity: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="Lowest severity shown: info, warn or block; default: info for files, warn for folders.",
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE,...", help="Only these rules, by id or its beginning (MC-N)."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE,...", help="Not these rules, by id or its beginning."),
    ] = None,
    statistics: Annotated[bool, typer.Option(help="Count findings by rule instead of listing them.")] = False,
    output_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to this file instead of standard output.")
    ] = None,
    exit_zero: Annotated[bool, typer.Option(help="Exit with 0 even if there are findings.")] = False,
    language: LanguageName = None,
) -> None:
    """Review node code; exit with 1 on a warning, a block, or code that was not reviewed."""
    request = ReviewRequest(
        dialect=dialect,
        metadata=metadata,
        project=project,
        policy=policy,
        diff=diff,
        format=format_,
        language=language,
        waivers=waivers,
        severity=severity,
        select=_split(select),
        ignore=_split(ignore),
        statistics=statistics,
        output_file=output_file,
        exit_zero=exit_zero,
    )
    raise typer.Exit(run(files, request))


def run(paths: Sequence[str], request: ReviewRequest) -> int:
    """Review the files; return the exit code: 1 if a finding warns or blocks, or code was not reviewed."""
    settings = load_settings(request, paths[0])
    files = tuple(read_sources(paths, settings.dialect, request.diff))
    if not files:
        raise no_source_error(paths)
    report = Report(review_files(files, settings), settings.language, settings.rules_url)
    report = without_lower_severities(report, settings.minimum or _default_minimum(paths))
    lines = output_lines(
        report,
        settings.format,
        statistics=request.statistics,
        colored=request.output_file is None and is_colored(sys.stdout),
    )
    _write(lines, request.output_file)
    return FAILED if has_blocking(report.files) and not request.exit_zero else 0


def _split(values: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the parts of comma-separated values; None without a value."""
    return tuple(part.strip() for value in values for part in value.split(",")) if values else None


def _default_minimum(paths: Sequence[str]) -> Severity:
    """Return the lowest severity that is shown by default: nobody reads the remarks on a whole folder."""
    return Severity.WARN if any(Path(path).is_dir() for path in paths) else Severity.INFO


def _write(lines: Iterable[str], file: Path | None) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output-file {file}: cannot be written: {error.strerror}") from None
