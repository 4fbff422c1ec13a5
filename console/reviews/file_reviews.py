"""Reviews files: in processes that their input can stall or break, with what is new, waived and wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from common.processes.isolated_process import Interrupted
from common.processes.time_limits import REVIEW_SECONDS
from common.subjects.event_subject import EventSubject
from common.subjects.fingerprints import add_fingerprints
from common.text.i18n import Text
from common.verdicts import Finding, Outcome, Subject, SubjectKind
from console.output.progress import progress_bar
from console.output.review_output import WITH_FINGERPRINTS
from console.reviews import isolated_reviews
from console.reviews.inputs import Source
from console.reviews.settings import CHECK, ReviewSettings
from review import languages
from review.content.node_script import NodeScript, file_script
from review.dialects import Dialect
from review.engine import NOT_REVIEWED, Review, review, run_review
from review.fingerprints import only_new_findings
from review.report import SECRETS, ReviewedFile, secrets_beside
from review.source.source_files import decode_source, outside_finding, unread_finding

MAX_GROUP = 16
"""Maximum files that a linter reads in one process, which is ended if one of them breaks it."""

MAX_GROUPED_BYTES = 32 << 10
"""Maximum size of such a file."""


def review_files(files: Sequence[Source], settings: ReviewSettings) -> tuple[ReviewedFile, ...]:
    """Return the files with the findings of the rules that are selected, in order."""
    _warm_up(files)
    found = tuple(_all(files, settings))
    if settings.waivers:
        found = tuple(_without_waived(found, settings.waivers, settings.policy_file))
    found = tuple(
        replace(each, findings=tuple(item for item in each.findings if settings.selection.has(item.rule)))
        for each in found
    )
    if settings.format in WITH_FINGERPRINTS:
        found = tuple(_with_fingerprints(found, settings.fingerprint_key))
    return found


def _warm_up(files: Sequence[Source]) -> None:
    """Load what the reviews of several files share before processes are forked."""
    dialects = {file.dialect for file in files} if len(files) > 1 else set()

    def load() -> None:
        if any(dialect.sql for dialect in dialects):
            review("SELECT 1", Dialect.MAXCOMPUTE)
        for dialect in dialects:
            languages.parse_embedded("", dialect, inf)

    isolated_reviews.load_before(load)


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


def _all(files: Sequence[Source], settings: ReviewSettings) -> Iterator[ReviewedFile]:
    jobs = [_Job(file.data, file.dialect) for file in files]
    compared = [file for file in files if file.before is not None]
    jobs += [_Job(file.before or b"", file.dialect) for file in compared]

    reviews = _reviews(jobs, settings)
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


def _reviews(jobs: Sequence[_Job], settings: ReviewSettings) -> list[Review]:
    """Return the reviews of the jobs, in order; small files of a language with a linter are in groups."""

    def work(group: tuple[_Job, ...]) -> tuple[Review, ...]:
        if len(group) > 1:
            codes = [script.code for job in group if (script := _script(job))]
            languages.run_linter_ahead(codes, group[0].dialect, REVIEW_SECONDS)
        return tuple(_review(job, settings) for job in group)

    groups = _groups(jobs)
    done: dict[int, Review | Interrupted] = {}
    with progress_bar(len(groups)) as on_done:
        # A job that stalls or ends the review interrupts its group, whose jobs are then done one by one.
        while groups:
            results = isolated_reviews.do_all(
                work, [tuple(jobs[at] for at in group) for group in groups], on_done
            )
            again: list[tuple[int, ...]] = []
            for group, result in zip(groups, results, strict=True):
                if not isinstance(result, Interrupted):
                    done |= zip(group, result, strict=True)
                elif len(group) > 1:
                    again += [(at,) for at in group]
                else:
                    done[group[0]] = result
            groups = again
    ordered = [done[at] for at in range(len(jobs))]
    return [_interrupted(item, settings) if isinstance(item, Interrupted) else item for item in ordered]


def _groups(jobs: Sequence[_Job]) -> list[tuple[int, ...]]:
    """Return the indexes of jobs that are done together, so that every core has some."""
    groups: list[tuple[int, ...]] = []
    for dialect in (Dialect.PYTHON, Dialect.SHELL):
        small = [at for at, job in enumerate(jobs) if job.dialect is dialect and _is_small(job)]
        size = min(MAX_GROUP, -(-len(small) // (2 * isolated_reviews.core_count()))) or 1
        groups += [tuple(small[at : at + size]) for at in range(0, len(small), size)]
    grouped = {at for group in groups for at in group}
    return [*groups, *((at,) for at in range(len(jobs)) if at not in grouped)]


def _is_small(job: _Job) -> bool:
    return job.data is not None and len(job.data) <= MAX_GROUPED_BYTES


def _script(job: _Job) -> NodeScript | None:
    content = None if job.data is None else decode_source(job.data)
    return file_script(content, job.dialect) if isinstance(content, str) else None


def _review(job: _Job, settings: ReviewSettings) -> Review:
    if job.data is None:
        return _unread(outside_finding(settings.language), settings)
    content = decode_source(job.data, settings.language)
    if not isinstance(content, str):
        return _unread(content, settings)
    script = file_script(content, job.dialect)
    done = review_code(script.code, script.dialect, settings)
    if script.rest:
        beside = secrets_beside(review_code(script.rest, Dialect.UNKNOWN, settings).findings)
        done = replace(done, findings=(*done.findings, *beside))
    return done


def review_code(code: str, dialect: Dialect, settings: ReviewSettings) -> Review:
    """Return the review of a script with the settings."""
    return run_review(
        code,
        dialect,
        settings.context,
        settings.policy,
        language=settings.language,
        fingerprint_key=settings.fingerprint_key,
    )


def _interrupted(end: Interrupted, settings: ReviewSettings) -> Review:
    """Return the review of a text that stalled or ended the process that reviewed it."""
    seconds = f"{REVIEW_SECONDS:.0f}"
    reason = (
        Text(f"the review takes longer than {seconds} s", f"评审耗时超过 {seconds} 秒")
        if end.is_timeout
        else Text(end.reason, f"评审进程异常结束（{end.reason}）")
    )
    return _unread(unread_finding(reason, settings.language), settings)


def _unread(finding: Finding, settings: ReviewSettings) -> Review:
    """Return the review of a text of which nothing was reviewed."""
    policy, gap = settings.policy, Text(finding.message, finding.message)
    if policy.is_disabled(NOT_REVIEWED):
        return Review((), (gap,))
    severity = policy.effective_severity(NOT_REVIEWED, finding.severity)
    return Review((replace(finding, severity=severity),), (gap,))
