"""`dwgate review`: reviews node code in files with the rules of the code-review check."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from common.extension_points import BY_CODE
from common.processes.isolated_process import Interrupted
from common.processes.time_limits import REVIEW_SECONDS
from common.subjects.event_subject import EventSubject
from common.subjects.fingerprints import MIN_KEY_LENGTH, add_fingerprints
from common.text.i18n import Language, Text
from common.verdicts import Finding, Outcome, Result, Subject, SubjectKind
from console import isolated_reviews, language_option
from console.exit_codes import FAILED, UsageError
from console.options import LanguageName
from console.output import finding_text, tables
from console.output.github import workflow_commands
from console.output.sarif import build_sarif
from console.review_inputs import Source, dialect_named, read_context, read_sources
from review.context import ReviewContext
from review.dialects import Dialect
from review.engine import NOT_REVIEWED, Review, review, run_review
from review.fingerprints import only_new_findings
from review.node_script import file_script
from review.options import ReviewOptions
from review.report import SECRETS, ReviewedFile, has_blocking, report_json, secrets_beside
from review.source.source_files import decode_source, outside_finding, unread_finding

FORMATS = ("text", "json", "sarif", "github")
WITH_FINGERPRINTS = ("json", "sarif")

FINGERPRINT_KEY = "DWGATE_FINGERPRINT_KEY"
"""The variable of the environment with the key of fingerprints, see docs/settings.md."""

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
    on_unreviewable: Result = Result.FAIL
    fingerprint_key: bytes | None = None


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
    """Review node code; exit with 1 on a warning, a block, or code that was not reviewed."""
    request = ReviewRequest(dialect, metadata, project, policy, diff, format_, language, waivers)
    raise typer.Exit(run(files, request))


def run(paths: Sequence[str], request: ReviewRequest) -> int:
    """Review the files; return the exit code: 1 if a finding warns or blocks, or code was not reviewed."""
    if request.format not in FORMATS:
        raise UsageError(f"--format {request.format}: expected one of {', '.join(FORMATS)}")
    dialect = dialect_named(request.dialect)
    settings = _read_settings(request)
    files = tuple(read_sources(paths, dialect, request.diff))
    if any(file.dialect.sql for file in files):
        isolated_reviews.load_before(lambda: review("SELECT 1", Dialect.MAXCOMPUTE))
    found = tuple(_all(files, settings))
    if request.waivers:
        found = tuple(_without_waived(found, request.waivers, request.policy))
    if request.format in WITH_FINGERPRINTS:
        found = tuple(_with_fingerprints(found, settings.fingerprint_key))
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


def _read_settings(request: ReviewRequest) -> _Settings:
    context = read_context(request.metadata, request.project)
    settings = _Settings(context, ReviewOptions(), Language.ENGLISH, fingerprint_key=_fingerprint_key())
    if request.policy:
        settings = _with_policy(settings, request.policy)
    return replace(settings, language=language_option.language_named(request.language, settings.language))


def _fingerprint_key() -> bytes | None:
    key = os.environ.get(FINGERPRINT_KEY, "")
    if key and len(key) < MIN_KEY_LENGTH:
        raise UsageError(f"{FINGERPRINT_KEY}: too short; expected at least {MIN_KEY_LENGTH} characters")
    return key.encode("utf-8", "surrogateescape") or None


def _with_policy(settings: _Settings, path: Path) -> _Settings:
    """Return settings with those of a policy, from the first extension point that runs the check."""
    from workers.checks import registry  # noqa: PLC0415
    from workers.policy import policy  # noqa: PLC0415 - loading all checks is slow

    loaded = policy.load_policy(path, registry.load_checks())
    for code in BY_CODE:
        for check in loaded.resolve(code, None).checks:
            if check.name == CHECK:
                named = {
                    key: value for key, value in check.options.items() if key in ReviewOptions.model_fields
                }
                return replace(
                    settings,
                    policy=ReviewOptions.model_validate(named),
                    language=loaded.language,
                    on_unreviewable=min(
                        check.on_unreviewable, check.mode.max_result, key=lambda each: each.severity_rank
                    ),
                )
    raise UsageError(f"--policy {path}: no extension point runs the check {CHECK}")


def _without_waived(
    found: Sequence[ReviewedFile], file: Path, policy_file: Path | None
) -> Iterator[ReviewedFile]:
    """Yield the files with waivers applied: a file is also the node with its name."""
    import time  # noqa: PLC0415 - a review without waivers needs none of these

    from workers.checks import registry  # noqa: PLC0415
    from workers.policy import policy  # noqa: PLC0415
    from workers.waivers import loader  # noqa: PLC0415
    from workers.waivers.matching import apply_waivers  # noqa: PLC0415

    now = time.time()
    waivers = loader.load_waivers(file, policy.load_policy(policy_file, registry.load_checks()).waivers, now)
    for each in found:
        outcome = apply_waivers(Outcome.of(each.findings), _subject(each), waivers, now)
        yield replace(each, findings=outcome.findings)


def _with_fingerprints(found: Sequence[ReviewedFile], key: bytes | None) -> Iterator[ReviewedFile]:
    """Yield the files with fingerprints; without a key, a secret has none that could be compared later."""
    for each in found:
        findings = add_fingerprints(each.findings, _subject(each))
        yield replace(
            each,
            findings=tuple(
                replace(item, fingerprint=None) if key is None and item.rule in SECRETS else item
                for item in findings
            ),
        )


def _subject(file: ReviewedFile) -> EventSubject:
    """Return a file and its node, each with the path, the file name and the name without suffix as names."""
    path = Path(file.path)
    items = tuple(
        Subject(kind, name=file.path, aliases=(path.name, path.stem))
        for kind in (SubjectKind.FILE, SubjectKind.NODE)
    )
    return EventSubject(CHECK, items=items)


@dataclass(frozen=True, slots=True)
class _Job:
    """One text to review: a file, or the file as it was before; no data for a link that is not followed."""

    data: bytes | None
    dialect: Dialect


def _all(files: Sequence[Source], settings: _Settings) -> Iterator[ReviewedFile]:
    jobs = [_Job(file.data, file.dialect) for file in files]
    compared = [file for file in files if file.before is not None]
    jobs += [_Job(file.before or b"", file.dialect) for file in compared]

    def work(job: _Job) -> Review:
        return _review(job, settings)

    done = isolated_reviews.do_all(work, jobs)
    reviews = [_interrupted(item, settings) if isinstance(item, Interrupted) else item for item in done]
    before = dict(zip((file.path for file in compared), reviews[len(files) :], strict=True))
    for file, reviewed in zip(files, reviews[: len(files)], strict=True):
        found = reviewed.findings
        if file.before is not None:
            found = only_new_findings(before[file.path].findings, found)
        text = None if file.data is None else decode_source(file.data)
        if isinstance(text, str):
            text = file_script(text, file.dialect).code
        yield ReviewedFile(
            file.path,
            file.dialect,
            text if isinstance(text, str) else None,
            found,
            reviewed.describe_gaps(settings.language),
            settings.on_unreviewable,
        )


def _review(job: _Job, settings: _Settings) -> Review:
    if job.data is None:
        return _unread(outside_finding(settings.language), settings)
    content = decode_source(job.data, settings.language)
    if not isinstance(content, str):
        return _unread(content, settings)
    script = file_script(content, job.dialect)
    done = _review_code(script.code, script.dialect, settings)
    if script.rest:
        beside = secrets_beside(_review_code(script.rest, Dialect.UNKNOWN, settings).findings)
        done = replace(done, findings=(*done.findings, *beside))
    return done


def _review_code(code: str, dialect: Dialect, settings: _Settings) -> Review:
    return run_review(
        code,
        dialect,
        settings.context,
        settings.policy,
        language=settings.language,
        fingerprint_key=settings.fingerprint_key,
    )


def _interrupted(end: Interrupted, settings: _Settings) -> Review:
    """Return the review of a text that stalled or ended the process that reviewed it."""
    seconds = f"{REVIEW_SECONDS:.0f}"
    reason = (
        Text(f"the review takes longer than {seconds} s", f"评审耗时超过 {seconds} 秒")
        if end.is_timeout
        else Text(end.reason, f"评审进程异常结束（{end.reason}）")
    )
    return _unread(unread_finding(reason, settings.language), settings)


def _unread(finding: Finding, settings: _Settings) -> Review:
    """Return the review of a text of which nothing was reviewed."""
    policy, gap = settings.policy, Text(finding.message, finding.message)
    if policy.is_disabled(NOT_REVIEWED):
        return Review((), (gap,))
    severity = policy.effective_severity(NOT_REVIEWED, finding.severity)
    return Review((replace(finding, severity=severity),), (gap,))
