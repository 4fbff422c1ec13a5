"""`dwgate review`: reviews node code in files with the rules of the code-review check."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from common.extension_points import BY_CODE
from common.i18n import Language
from common.verdicts import Finding, Outcome, Subject, SubjectKind
from console import language_option
from console.exit_codes import FAILED, UsageError
from console.options import LanguageName
from console.output import finding_text, tables
from console.output.github import workflow_commands
from console.output.sarif import build_sarif
from console.review_inputs import Source, read_sources
from review.context import ReviewContext
from review.dialects import Dialect
from review.engine import review
from review.fingerprints import only_new_findings
from review.options import ReviewOptions
from review.report import ReviewedFile, has_blocking, report_json
from review.source.source_files import decode_source
from review.tables.metadata import parse_tables

FORMATS = ("text", "json", "sarif", "github")
MAX_INLINE_FILES = 8
"""Up to this number, files are reviewed in this process; more are distributed over the cores."""

_SHARES = 4
"""Chunks of files per core: small enough that all cores finish at about the same time."""

CHECK = "code-review"


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """The options of the command line."""

    dialect: str | None = None
    metadata: Path | None = None
    project: str | None = None
    policy: Path | None = None
    diff: Path | None = None
    format: str = "text"
    language: str | None = None
    waivers: Path | None = None


@dataclass(frozen=True, slots=True)
class _Settings:
    context: ReviewContext
    policy: ReviewOptions
    language: Language


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
        str, typer.Option("--format", metavar="FORMAT", help="text, json, sarif or github.")
    ] = "text",
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Apply the waivers of this file.")
    ] = None,
    language: LanguageName = None,
) -> None:
    """Review node code; exit with 1 on a warning or a blocking finding."""
    request = ReviewRequest(dialect, metadata, project, policy, diff, format_, language, waivers)
    raise typer.Exit(run(files, request))


def run(paths: Sequence[str], request: ReviewRequest) -> int:
    """Review the files; return the exit code: 1 on a warning or a blocking finding."""
    if request.format not in FORMATS:
        raise UsageError(f"--format {request.format}: expected one of {', '.join(FORMATS)}")
    dialect = _dialect(request.dialect)
    settings = _read_settings(request)
    files = tuple(read_sources(paths, dialect, request.diff))
    # What the parser loads is permanent: collecting meanwhile is wasted time.
    gc.disable()
    if any(file.dialect.sql for file in files):
        # Warm up the parser before processes are forked.
        review("SELECT 1", Dialect.MAXCOMPUTE)
    gc.freeze()
    gc.enable()
    found = tuple(_all(files, settings))
    if request.waivers:
        found = tuple(_without_waived(found, request.waivers, request.policy))
    if request.format == "json":
        tables.json(report_json(found, settings.language))
    elif request.format == "sarif":
        from importlib.metadata import version  # noqa: PLC0415 - only this format needs it

        tables.json(build_sarif(found, settings.language, version("dwgate")))
    elif request.format == "github":
        for line in workflow_commands(found, settings.language):
            print(line)
    else:
        finding_text.show_findings(found, settings.language)
    return FAILED if has_blocking(found) else 0


def _dialect(name: str | None) -> Dialect | None:
    known = sorted(dialect.value for dialect in Dialect if dialect is not Dialect.UNKNOWN)
    if name is not None and name not in known:
        raise UsageError(f"--dialect {name}: unknown dialect; expected one of {', '.join(known)}")
    return Dialect(name) if name else None


def _read_settings(request: ReviewRequest) -> _Settings:
    # A plain dict, not the default: it is pickled for other processes.
    context = ReviewContext(project=request.project, tables={})
    if request.metadata:
        try:
            content = request.metadata.read_bytes()
        except OSError as error:
            raise UsageError(f"--metadata {request.metadata}: cannot be read: {error.strerror}") from None
        context = replace(context, tables=parse_tables(str(request.metadata), content))
    policy, language = _policy(request.policy) if request.policy else (ReviewOptions(), Language.ENGLISH)
    return _Settings(context, policy, language_option.language_named(request.language, language))


def _policy(path: Path) -> tuple[ReviewOptions, Language]:
    """Return the review options of a policy, from the first extension point that runs the check."""
    from workers.checks import registry  # noqa: PLC0415
    from workers.policy import policy  # noqa: PLC0415 - loading all checks is slow

    loaded = policy.load_policy(path, registry.load_checks())
    for code in BY_CODE:
        for check in loaded.resolve(code, None).checks:
            if check.name == CHECK:
                named = {
                    key: value for key, value in check.options.items() if key in ReviewOptions.model_fields
                }
                return ReviewOptions.model_validate(named), loaded.language
    raise UsageError(f"--policy {path}: no extension point runs the check {CHECK}")


def _without_waived(
    found: Sequence[ReviewedFile], file: Path, policy_file: Path | None
) -> Iterator[ReviewedFile]:
    """Yield the files with waivers applied: a file is also the node with its name."""
    import time  # noqa: PLC0415 - a review without waivers needs none of these

    from common.subjects.event_subject import EventSubject  # noqa: PLC0415
    from workers.checks import registry  # noqa: PLC0415
    from workers.policy import policy  # noqa: PLC0415
    from workers.waivers import loader  # noqa: PLC0415
    from workers.waivers.matching import apply_waivers  # noqa: PLC0415

    now = time.time()
    waivers = loader.load_waivers(file, policy.load_policy(policy_file, registry.load_checks()).waivers, now)
    for each in found:
        subject = EventSubject(CHECK, items=_subjects(Path(each.path)))
        yield replace(each, findings=apply_waivers(Outcome.of(each.findings), subject, waivers, now).findings)


def _subjects(path: Path) -> tuple[Subject, ...]:
    """Return a file and its node, each matched by file name, name without suffix, and path."""
    return tuple(
        Subject(kind, name=path.stem, aliases=(path.name, str(path)))
        for kind in (SubjectKind.FILE, SubjectKind.NODE)
    )


def _all(files: Sequence[Source], settings: _Settings) -> Iterator[ReviewedFile]:
    cores = os.cpu_count() or 1
    if len(files) <= MAX_INLINE_FILES or cores == 1:
        yield from map(partial(_review_source, settings=settings), files)
        return
    import multiprocessing  # noqa: PLC0415 - a few files need none of it
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    with ProcessPoolExecutor(min(cores, len(files)), mp_context=context) as pool:
        share = max(len(files) // (cores * _SHARES), 1)
        yield from pool.map(partial(_review_source, settings=settings), files, chunksize=share)


def _review_source(source: Source, settings: _Settings) -> ReviewedFile:
    code, found = _findings(source.data, source.dialect, settings)
    if source.before is not None:
        _, before = _findings(source.before, source.dialect, settings)
        found = only_new_findings(before, found)
    return ReviewedFile(source.path, source.dialect, code, found)


def _findings(data: bytes, dialect: Dialect, settings: _Settings) -> tuple[str | None, tuple[Finding, ...]]:
    code = decode_source(data, settings.language)
    if isinstance(code, str):
        return code, review(code, dialect, settings.context, settings.policy, language=settings.language)
    if settings.policy.is_disabled(code.rule):
        return None, ()
    return None, (replace(code, severity=settings.policy.effective_severity(code.rule, code.severity)),)
