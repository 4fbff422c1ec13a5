"""`dwgate review`: reviews node code in files with the rules of the code-review check."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from common.verdicts import Severity
from console.exit_codes import FAILED, UsageError
from console.options import DialectName, LanguageName, SourcePaths
from console.output.review_output import output_lines
from console.output.styled_line import is_colored
from console.reviews.file_reviews import review_files
from console.reviews.inputs import STANDARD_INPUT, Source, no_source_error, read_sources
from console.reviews.settings import ReviewRequest, ReviewSettings, load_settings
from review.report import Report, has_blocking, without_lower_severities

if TYPE_CHECKING:
    from typer._click import Context

    from console.reviews.fixed_files import FixedFile

app = typer.Typer(add_completion=False)

_SHOW_FIXES = "--show-fixes"


class _ReviewCommand(TyperCommand):
    """The command: with `--fix`, its `--diff` has no value and means that nothing is written, as in Ruff."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the words of the command line."""
        end = args.index("--") if "--" in args else len(args)
        if "--fix" in args[:end]:
            args = [_SHOW_FIXES if word == "--diff" else word for word in args[:end]] + args[end:]
        return super().parse_args(ctx, args)


@app.command(cls=_ReviewCommand)
def command(
    *,
    files: SourcePaths,
    dialect: DialectName = None,
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
    fix: Annotated[
        bool,
        typer.Option(
            help="Fix what can be fixed with the same behaviour; with --diff only show the changes."
        ),
    ] = False,
    show_fixes: Annotated[bool, typer.Option(_SHOW_FIXES, hidden=True)] = False,
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
        fix=fix,
        show_fixes=show_fixes,
    )
    raise typer.Exit(run(files, request))


def run(paths: Sequence[str], request: ReviewRequest) -> int:
    """Review the files; return the exit code: 1 if a finding warns or blocks, or code was not reviewed."""
    if request.fix and STANDARD_INPUT in paths:
        raise UsageError("--fix: standard input cannot be fixed; expected files or folders")
    settings = load_settings(request, paths[0])
    files = tuple(read_sources(paths, settings.dialect, request.diff))
    if not files:
        raise no_source_error(paths)
    if request.show_fixes:
        return _show_fixes(files, settings, request)
    if request.fix:
        _fix(files, settings)
        files = tuple(read_sources(paths, settings.dialect, request.diff))
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


def _fix(files: Sequence[Source], settings: ReviewSettings) -> None:
    """Fix the files, and say on standard error how many findings were fixed."""
    from console.reviews import fixed_files  # noqa: PLC0415 - most reviews fix nothing

    fixed = fixed_files.fix_files(files, settings)
    for each in fixed:
        fixed_files.write_fixed(each)
    print(f"dwgate: {_fixes_text(fixed)} fixed", file=sys.stderr)


def _show_fixes(files: Sequence[Source], settings: ReviewSettings, request: ReviewRequest) -> int:
    """Show how the files would be fixed; return the exit code: 1 if any would be."""
    from console.reviews import fixed_files  # noqa: PLC0415 - most reviews fix nothing

    fixed = fixed_files.fix_files(files, settings)
    _write((line for each in fixed for line in fixed_files.diff_lines(each)), request.output_file)
    print(f"dwgate: {_fixes_text(fixed)} would be fixed", file=sys.stderr)
    return FAILED if fixed and not request.exit_zero else 0


def _fixes_text(fixed: Sequence[FixedFile]) -> str:
    findings, files = sum(each.fixed for each in fixed), len(fixed)
    return f"{findings} finding{'s' * (findings != 1)} in {files} file{'s' * (files != 1)}"


def _split(values: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the parts of comma-separated values; None without a value."""
    return tuple(part.strip() for value in values for part in value.split(",")) if values else None


def _default_minimum(paths: Sequence[str]) -> Severity:
    """Return the lowest severity that is shown by default: on folders, info findings are hidden."""
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
