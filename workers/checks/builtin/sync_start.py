"""The check `sync-start`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import Field

from common.json_types import Json
from common.text import globs
from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks import event_fields
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding, cap_findings
from workers.checks.not_checked import invalid_event, missing_field, not_checked
from workers.checks.registry import check
from workers.checks.subjects import named_subjects

_SOURCE = ("srcDatasourceName", "srcDatabaseName", "srcTable")
_TARGET = ("dstDatasourceName", "dstDatabaseName", "dstTable")
_SIDES = {"source": Text("reads from", "读取"), "target": Text("writes to", "写入")}


class SyncStartOptions(Options):
    """Options of `sync-start`."""

    forbidden_sources: tuple[globs.Glob, ...] = Field(
        default=(),
        description="datasource.database.table, * for any text, that may not be read: *.customer_*",
    )
    forbidden_targets: tuple[globs.Glob, ...] = Field(
        default=(), description="datasource.table, * for any text, that may not be written: holo_prod.ads_*"
    )
    allow_force_run: bool = Field(default=True, strict=True, description="whether a forced start is allowed")


@check("sync-start", points=("start-diJob", "batch-start-diJob"), runs=Runs.INLINE, options=SyncStartOptions)
def sync_start(context: Context) -> Iterator[Finding]:
    """Check which tables a started data integration job reads and writes, and whether the start is forced.

    Why: a job copies whole databases within minutes, including protected ones and those of other teams.

    Options:
        forbidden_sources: `datasource.database.table`, by pattern, that may not be read; none if not set.
        forbidden_targets: `datasource.table`, by pattern, that may not be written; none if not set.
        allow_force_run: whether a forced start is allowed; true if not set.
    """
    options: SyncStartOptions = context.options
    try:
        if not options.allow_force_run:
            yield from _force_finding(context)
        if options.forbidden_sources or options.forbidden_targets:
            yield from cap_findings(context, _job_findings(context, options))
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)


@dataclass(frozen=True, slots=True)
class _Job:
    """A job of the event.

    Attributes:
        name: of the job or its tasks; its id if the event contains no name.
        tables: table mappings; None if the event does not contain them.
    """

    name: str
    tables: tuple[Json, ...] | None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The job as subjects of a finding; `extensionBizName` may hold several names, comma-separated."""
        names = [name.strip() for name in self.name.split(",")]
        return named_subjects(SubjectKind.NODE, *(name for name in names if name != "?"))


def _job_findings(context: Context, options: SyncStartOptions) -> Iterator[Finding]:
    jobs = _jobs(context.event.data)
    for job in jobs:
        if not job.tables:
            yield _hidden_finding(context, job)
        for item in job.tables or ():
            yield from _table_findings(context, job, "source", item, _SOURCE, options.forbidden_sources)
            yield from _table_findings(context, job, "target", item, _TARGET, options.forbidden_targets)


def _jobs(data: Json) -> tuple[_Job, ...]:
    """Return the jobs: tables of a single job are at the top level, those of several in `tableMappings`."""
    if event_fields.boolean(data, "showTableMapping") is False:
        return (_Job(_job_name(data, "jobId"), None),)
    if "jobIds" not in data and "tableMappings" not in data:
        return (_Job(_job_name(data, "jobId"), event_fields.object_list(data, "tableMapping")),)
    mappings = event_fields.object_list(data, "tableMappings")
    ids = {event_fields.text_or_int(item, "id") for item in mappings}
    unmapped = [number for number in event_fields.numbers(data, "jobIds") if str(number) not in ids]
    return (
        *(_Job(_job_name(item, "id"), event_fields.object_list(item, "tableMapping")) for item in mappings),
        *(_Job(str(number), None) for number in unmapped),
    ) or (_Job(_job_name(data, "id"), None),)


def _job_name(data: Json, key: str) -> str:
    return (
        event_fields.text_or_int(data, "extensionBizName")
        or event_fields.text_or_int(data, key)
        or event_fields.text_or_int(data, "id")
        or "?"
    )


def _table_findings(
    context: Context,
    job: _Job,
    side: str,
    item: Json,
    keys: Iterable[str],
    forbidden: tuple[str, ...],
) -> Iterator[Finding]:
    if not forbidden:
        return
    names = tuple(event_fields.text_or_int(item, key) for key in keys)
    if not names[0] or not names[-1]:
        yield missing_field(context, f"the {side} of a table", job.subjects)
        return
    name = ".".join(filter(None, names))
    if not any(globs.is_regex(part) for part in names[1:]):
        if glob := globs.first_match(forbidden, name):
            yield _forbidden_finding(context, job, side, name, glob)
        return
    pattern = _as_glob(names)
    if pattern is None:
        yield _unclear_finding(context, job, side, name)
    elif glob := next((one for one in forbidden if globs.overlap(pattern, one)), None):
        yield _forbidden_finding(context, job, side, name, glob)


def _as_glob(names: tuple[str, ...]) -> str | None:
    """Return the glob that is equivalent to names with regular expressions; None if there is none."""
    parts = [names[0].lower(), *(globs.regex_to_glob(name) for name in names[1:] if name)]
    return None if None in parts else ".".join(part for part in parts if part)


def _forbidden_finding(context: Context, job: _Job, side: str, name: str, glob: str) -> Finding:
    does = _SIDES[side]
    return build_finding(
        context,
        f"sync-{side}",
        Severity.BLOCK,
        Text(
            f"The job {does.en} {name}: the policy forbids {glob}.",
            f"任务{does.zh} {name}：策略禁止 {glob}。",
        ),
        Text(
            "Remove the table from the job, or contact the policy owner.",
            "请从任务中移除该表，或联系策略维护者。",
        ),
        subjects=(*job.subjects, *named_subjects(SubjectKind.TABLE, name)),
    )


def _unclear_finding(context: Context, job: _Job, side: str, name: str) -> Finding:
    does = _SIDES[side]
    return not_checked(
        context,
        Text(
            f"the job {does.en} {name}, a regular expression that may include forbidden tables",
            f"任务{does.zh} {name}，该正则表达式可能包含被禁止的表",
        ),
        rule="sync-unclear",
        subjects=(*job.subjects, *named_subjects(SubjectKind.TABLE, name)),
        remedy=Text("Name the tables, or use only .* in the expression.", "请写明表名，或仅使用 .*。"),
    )


def _hidden_finding(context: Context, job: _Job) -> Finding:
    return not_checked(
        context,
        Text(f"the event does not contain the tables of job {job.name}", f"事件中没有任务 {job.name} 的表"),
        rule="sync-hidden",
        remedy=Text("Review the job's tables manually.", "请人工检查该任务的表。"),
        subjects=job.subjects,
    )


def _force_finding(context: Context) -> Iterator[Finding]:
    """Yield a block for a forced start; events of older jobs (`id`, not `jobId`) have no `forceRun`."""
    forced = event_fields.boolean(context.event.data, "forceRun")
    if forced is None and "jobId" in context.event.data:
        yield missing_field(context, "forceRun")
    if forced:
        yield build_finding(
            context,
            "sync-forced",
            Severity.BLOCK,
            Text("The start of the job is forced.", "任务被强制启动。"),
            Text(
                "Resolve what the job waits for, then start it without force.",
                "请先处理其等待的问题，再正常启动。",
            ),
        )
