"""The check `data-download`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from common.text import globs
from common.text.i18n import Text
from common.verdicts import Finding, Severity, SubjectKind
from workers.checks import event_fields, limits, time_windows
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check
from workers.checks.subjects import named_subjects

_NO_CODE = (
    re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^'\\]|\\.)*+\\?(?:'|\Z)", re.DOTALL),
    re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'[^']*(?:'|\Z)", re.DOTALL),
)
"""Comments and strings, in which names do not count. Text in double quotes may be a name.

A backslash escapes a quote in some engines and not in others, and the event does not name the engine: the SQL
is read both ways, and a name in either reading counts.
"""

_NAME = re.compile(r"[\w$]+(?:[`\"]?\.[`\"]?[\w$]+)*")
"""A name, dotted or not, with or without quotes around its parts."""

_STAR = re.compile(r"(?:\b(?:select|distinct|all)\s+|,\s*|\.)\*", re.IGNORECASE)
"""A `*` that selects columns; not `count(*)` or a product."""

Module = Annotated[str, StringConstraints(to_lower=True, min_length=1)]


class DataDownloadOptions(Options):
    """Options of `data-download`."""

    warn_rows: limits.Limit = Field(
        default=100_000, description="rows above which the check warns; never if null"
    )
    max_rows: limits.Limit = Field(default=None, description="rows above which it blocks; any number if null")
    max_bytes: limits.Limit = Field(
        default=None, description="bytes above which it blocks; any number if null"
    )
    modules: tuple[Module, ...] = Field(
        default=(),
        description="from where: entity_transfer, develop_query, sqlx_query, dw_excel; all if empty",
    )
    operators: tuple[limits.Uid, ...] = Field(default=(), description="UIDs that may do it; all if empty")
    hours: tuple[time_windows.TimeWindow, ...] = Field(
        default=(), description="when it is allowed; always if empty"
    )
    time_zone: time_windows.Zone = Field(default="Asia/Shanghai", description="IANA time zone of the hours")
    forbidden_names: tuple[globs.Glob, ...] = Field(
        default=(), description="tables and columns, * for any text, that its SQL may not name"
    )


@check(
    "data-download",
    points=("download-resources", "download-resources-execute"),
    runs=Runs.INLINE,
    options=DataDownloadOptions,
)
def data_download(context: Context) -> Iterator[Finding]:
    """Check how much data is downloaded, by whom, from where and when, and whether it is protected.

    Why: data that was exported to a file is out of control: a permission on a spreadsheet cannot be revoked.

    Options:
        warn_rows: rows above which the check warns; 100000 if not set.
        max_rows: rows above which it blocks; any number if not set.
        max_bytes: bytes above which it blocks; any number if not set.
        modules: entity_transfer, develop_query, sqlx_query, dw_excel; all if empty.
        operators: UIDs that may do it; all if empty.
        hours: windows (days, from, to) in which it is allowed; always if empty.
        time_zone: IANA time zone of the hours; Asia/Shanghai if not set.
        forbidden_names: tables and columns, by pattern, that its SQL may not name.
    """
    options: DataDownloadOptions = context.options
    if options.operators:
        what = Text("download data", "下载数据")
        yield from limits.operator_not_allowed(context, "download-operator", options.operators, what)
    hours = Text("downloads", "下载")
    yield from limits.outside_hours(context, "download-hours", options.hours, options.time_zone, hours)
    try:
        yield from _module_finding(context, options.modules)
        yield from _row_count_finding(context, options)
        yield from _size_finding(context, options.max_bytes)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)
    if options.forbidden_names:
        yield from _name_findings(context, options.forbidden_names)


def _module_finding(context: Context, allowed: tuple[str, ...]) -> Iterator[Finding]:
    module = event_fields.text_or_int(context.event.data, "moduleType")
    if allowed and module.lower() not in allowed:
        name = module[:40] or "?"
        yield build_finding(
            context,
            "download-module",
            Severity.BLOCK,
            Text(f"Downloads from {name} are not allowed.", f"不允许从 {name} 下载。"),
            Text(f"Use {', '.join(allowed)}.", f"请使用 {', '.join(allowed)}。"),
            subjects=named_subjects(SubjectKind.PARAMETER, module),
        )


def _row_count_finding(context: Context, options: DataDownloadOptions) -> Iterator[Finding]:
    if options.warn_rows is None and options.max_rows is None:
        return
    rows = event_fields.number(context.event.data, "dataRowSize")
    if rows is None:
        yield missing_field(context, "dataRowSize")
        return
    what = Text("The download has {count} rows", "本次下载共 {count} 行")
    blocked = list(limits.above_limit(context, "download-rows", Severity.BLOCK, rows, options.max_rows, what))
    yield from blocked or limits.above_limit(
        context, "download-rows", Severity.WARN, rows, options.warn_rows, what
    )


def _size_finding(context: Context, limit: int | None) -> Iterator[Finding]:
    what = Text("The download has {count} bytes", "本次下载共 {count} 字节")
    yield from limits.size_above_limit(context, "download-bytes", limit, what)


def _name_findings(context: Context, forbidden: tuple[str, ...]) -> Iterator[Finding]:
    """Yield a block for each pattern that a name in the SQL matches, and a warning if a star hides names."""
    sql = event_fields.text(context.event.data, "sqlText")
    if not sql:
        yield missing_field(context, "sqlText")
        return
    plain = [strip.sub(" ", sql) for strip in _NO_CODE]
    named = {name for text in plain for found in _NAME.findall(text) for name in _name_forms(found)}
    for glob in dict.fromkeys(
        found for name in sorted(named) if (found := globs.first_match(forbidden, name))
    ):
        yield build_finding(
            context,
            "download-name",
            Severity.BLOCK,
            Text(
                f"The query names a table or column that matches {glob}; its result may not be downloaded.",
                f"查询涉及符合 {glob} 的表或字段，不允许下载其结果。",
            ),
            Text(
                "Remove it from the query, or contact the policy owner.", "请去掉相关内容，或联系策略维护者。"
            ),
            subjects=named_subjects(SubjectKind.PATTERN, glob),
        )
    if any(_STAR.search(text) for text in plain):
        yield build_finding(
            context,
            "download-star",
            Severity.WARN,
            Text(
                "The query selects all columns by *; it is unknown whether protected ones are among them.",
                "查询使用 * 取出全部字段：无法判断其中是否有受保护字段。",
            ),
            Text("Name the columns.", "请写明字段。"),
        )


def _name_forms(name: str) -> tuple[str, ...]:
    """Return a dotted name as a whole and its parts, without quotes."""
    plain = re.sub(r"[`\"]", "", name).lower()
    return (plain, *plain.split(".")) if "." in plain else (plain,)
