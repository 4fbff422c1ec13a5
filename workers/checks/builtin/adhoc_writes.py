"""The check `adhoc-writes`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from common.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind, table_subject
from review.analysis.naming import temporary
from review.dialects import Dialect
from review.facts import table_key
from workers.checks.api import Context, Options, Runs
from workers.checks.code_effects.model import Change
from workers.checks.code_effects.node_file import MAXCOMPUTE, coded
from workers.checks.code_effects.reader import deeds
from workers.checks.code_effects.table_names import made_at_run_time
from workers.checks.finding_builders import finding
from workers.checks.not_checked import not_checked, unparsed
from workers.checks.registry import check
from workers.checks.subjects import named_subjects

MOST_LISTED = 20
"""Tables that are told of one run; the rest are counted."""

_HELP = Text(
    "Write to a development or tmp_ table; bring changes of production tables in by a node that is deployed.",
    "请写入开发环境的表或 tmp_ 表；生产表的变更请通过发布节点完成。",
)


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"wants a regular expression: {error}") from None
    return value


class AdhocWritesOptions(Options):
    """What a workspace may set."""

    development: Annotated[str, AfterValidator(_pattern)] = Field(
        default="_dev$", description="regular expression that the names of development projects match"
    )
    own_prefix: str = Field(
        default="tmp_", description="what names of tables begin with that anybody may write"
    )
    project: str | None = Field(
        default=None, description="project of tables named without one; without it these are development's"
    )


@check("adhoc-writes", points=("run-file",), runs=Runs.CPU, options=AdhocWritesOptions, snapshot=True)
def adhoc_writes(context: Context) -> Iterator[Finding]:
    """Ask whether an ad hoc run writes, alters or takes away production tables.

    Why: what runs by hand has no review, no deployment and no rerun; the data that it overwrites is gone.

    Options:
        development: regular expression that the names of development projects match.
        own_prefix: what names of tables begin with that anybody may write.
        project: project of tables named without one; without it these are tables of development.
    """
    options: AdhocWritesOptions = context.options
    file, dialect = coded(context)
    project = options.project.lower() if options.project and dialect in MAXCOMPUTE else None
    done = deeds(context, file.content, dialect, project)
    yield from unparsed(context, done.unread)
    found: dict[tuple[str, str], Change] = {}
    for change in done.changes:
        database = change.database or project
        if not change.table:
            what = Text(
                f"{change.words} of a table whose name is made at run time",
                f"{change.words} 的表名在运行时生成",
            )
            yield not_checked(context, what, line=change.line)
        elif not database or _own(change.table, options):
            continue
        elif made_at_run_time(database):
            what = Text(
                f"{change.words} {change.table}, whose project is put in at run time",
                f"{change.words} {change.table}，其项目在运行时确定",
            )
            yield not_checked(context, what, line=change.line, subjects=[_table(change, dialect)])
        elif not re.search(options.development, database):
            found.setdefault((change.words, change.table.lower()), change)
    yield from _told(context, list(found.values()), dialect)


def _told(context: Context, changes: list[Change], dialect: Dialect) -> Iterator[Finding]:
    for change in changes[:MOST_LISTED]:
        said = Text(
            f"This ad hoc run changes production: {change.words} {change.table}.",
            f"本次手动运行会修改生产环境：{change.words} {change.table}。",
        )
        yield finding(
            context,
            "adhoc-write",
            Severity.BLOCK,
            said,
            _HELP,
            line=change.line,
            subjects=(_table(change, dialect), *named_subjects(SubjectKind.OPERATION, change.words)),
        )
    left = len(changes) - MOST_LISTED
    if left > 0:
        said = Text(f"{left} more changes of production are not listed.", f"另有 {left} 处生产变更未列出。")
        tables = [_table(change, dialect) for change in changes[MOST_LISTED:]]
        yield finding(context, "adhoc-write", Severity.BLOCK, said, _HELP, subjects=tables, count=left)


def _table(change: Change, dialect: Dialect) -> Subject:
    if dialect in MAXCOMPUTE:
        return table_subject(change.table)
    return Subject(SubjectKind.TABLE, name=change.table)


def _own(table: str, options: AdhocWritesOptions) -> bool:
    """Whether a table is one of passage, or one that anybody may write."""
    name = table_key(table)
    prefix = options.own_prefix.lower()
    return temporary(name) or bool(prefix and name.startswith(prefix))
