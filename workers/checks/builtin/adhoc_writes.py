"""The check `adhoc-writes`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.text.i18n import Text
from common.text.patterns import Pattern, is_found
from common.verdicts import Finding, Severity, Subject, SubjectKind, table_subject
from review.analysis.naming import is_temporary
from review.dialects import Dialect
from review.facts import table_key
from workers.checks.api import Context, Options, Runs
from workers.checks.code_effects.model import TableWrite
from workers.checks.code_effects.node_file import MAXCOMPUTE, code_file
from workers.checks.code_effects.reader import read_effects
from workers.checks.code_effects.table_names import is_dynamic
from workers.checks.finding_builders import build_finding
from workers.checks.not_checked import language_unknown, not_checked, require_parsed, unparsed
from workers.checks.registry import check
from workers.checks.subjects import named_subjects

MAX_LISTED = 20
"""Changes that are listed for one run; the rest are counted."""

_REMEDY = Text(
    "Write to a development or tmp_ table; change production tables through a node that is deployed.",
    "请写入开发环境的表或 tmp_ 表；生产表请通过已发布的节点变更。",
)


class AdhocWritesOptions(Options):
    """Options of `adhoc-writes`."""

    development: Pattern = Field(
        default="_dev$", description="RE2 regular expression that the names of development projects match"
    )
    own_prefix: str = Field(
        default="tmp_", description="prefix of the names of tables that everyone may write"
    )
    project: str | None = Field(
        default=None,
        description="project of tables named without one; if not set, they belong to development",
    )


@check("adhoc-writes", points=("run-file",), runs=Runs.CPU, options=AdhocWritesOptions, needs_snapshot=True)
def adhoc_writes(context: Context) -> Iterator[Finding]:
    """Check whether an ad hoc run writes, alters or drops production tables.

    Why: an ad hoc run has no review, no deployment and no rerun; the data that it overwrites is lost.

    Options:
        development: RE2 regular expression that the names of development projects match.
        own_prefix: prefix of the names of tables that everyone may write.
        project: project of tables named without one; if not set, they belong to development.
    """
    options: AdhocWritesOptions = context.options
    _, script = code_file(context)
    dialect = script.dialect
    if dialect is Dialect.UNKNOWN:
        yield language_unknown(context, Severity.WARN)
        return
    project = options.project.lower() if options.project and dialect in MAXCOMPUTE else None
    effects = read_effects(context, script.code, dialect, project)
    yield from unparsed(context, effects.unparsed)
    found: dict[tuple[str, str], TableWrite] = {}
    for change in effects.changes:
        database = change.database or project
        if not change.table:
            what = Text(
                f"{change.description} of a table whose name is built at run time",
                f"{change.description} 的表名在运行时生成",
            )
            yield not_checked(context, what, line=change.line)
        elif not database or _is_own_table(change.table, options):
            continue
        elif is_dynamic(database):
            what = Text(
                f"{change.description} {change.table}, whose project is set at run time",
                f"{change.description} {change.table}，其项目在运行时确定",
            )
            yield not_checked(context, what, line=change.line, subjects=[_table(change, dialect)])
        elif not is_found(options.development, database):
            found.setdefault((change.description, change.table.lower()), change)
    yield from _write_findings(context, list(found.values()), dialect)
    require_parsed(context, effects.gaps)


def _write_findings(context: Context, changes: list[TableWrite], dialect: Dialect) -> Iterator[Finding]:
    for change in changes[:MAX_LISTED]:
        message = Text(
            f"This ad hoc run changes production: {change.description} {change.table}.",
            f"本次手动运行会修改生产环境：{change.description} {change.table}。",
        )
        yield build_finding(
            context,
            "adhoc-write",
            Severity.BLOCK,
            message,
            _REMEDY,
            line=change.line,
            subjects=(_table(change, dialect), *named_subjects(SubjectKind.OPERATION, change.description)),
        )
    unlisted = len(changes) - MAX_LISTED
    if unlisted > 0:
        message = Text(
            f"{unlisted} more changes to production are not listed.", f"另有 {unlisted} 处生产变更未列出。"
        )
        tables = [_table(change, dialect) for change in changes[MAX_LISTED:]]
        yield build_finding(
            context, "adhoc-write", Severity.BLOCK, message, _REMEDY, subjects=tables, count=unlisted
        )


def _table(change: TableWrite, dialect: Dialect) -> Subject:
    if dialect in MAXCOMPUTE:
        return table_subject(change.table)
    return Subject(SubjectKind.TABLE, name=change.table)


def _is_own_table(table: str, options: AdhocWritesOptions) -> bool:
    """Whether `table` is temporary, or has the prefix of tables that everyone may write."""
    name = table_key(table)
    prefix = options.own_prefix.lower()
    return is_temporary(name) or bool(prefix and name.startswith(prefix))
