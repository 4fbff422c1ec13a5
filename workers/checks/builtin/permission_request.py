"""The check `permission-request`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from common.json_types import Json
from common.text import globs
from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind, table_subject
from workers.checks import event_fields, limits
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding, cap_findings
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check
from workers.checks.subjects import named_subjects

_DAYS = {"day": 1, "month": 31}
"""Days of each unit of `deadlineType`, for the longest month."""

_EVERYTHING = frozenset({"all", "*"})
"""Actions that include all others."""

Action = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]


class PermissionRequestOptions(Options):
    """Options of `permission-request`."""

    forbidden_actions: tuple[Action, ...] = Field(
        default=(), description="actions that may not be requested: Drop, Alter, Update"
    )
    forbidden_tables: tuple[globs.Glob, ...] = Field(
        default=(), description="tables, * for any text, that may not be requested: odps.shop.*_secret"
    )
    max_days: limits.Limit = Field(
        default=None, description="days that a permission lasts (a month has 31); any number if null"
    )
    max_tables: limits.Limit = Field(default=None, description="tables of one request; any number if null")
    max_grantees: limits.Limit = Field(default=None, description="people of one request; any number if null")


@check(
    "permission-request",
    points=("approval-change-before-create",),
    runs=Runs.INLINE,
    options=PermissionRequestOptions,
)
def permission_request(context: Context) -> Iterator[Finding]:
    """Check which actions and tables a permission request asks for, for how long, and for how many people.

    Why: an approver sees a long list; a Drop among the Selects, or a period of a year, is easily missed.

    Options:
        forbidden_actions: actions that may not be requested; none if not set.
        forbidden_tables: tables, by pattern (`odps.shop.*_secret`), that may not be requested; default: none.
        max_days: days that a permission lasts (a month has 31); any number if not set.
        max_tables: tables of one request; any number if not set.
        max_grantees: people of one request; any number if not set.
    """
    options: PermissionRequestOptions = context.options
    try:
        order = event_fields.object_field(context.event.data, "order")
        objects = event_fields.object_list(event_fields.object_field(order, "projectMeta"), "objectMetaList")
        grantees = event_fields.object_list(order, "granteeObjectList")
        if not objects and (options.forbidden_actions or options.forbidden_tables or options.max_tables):
            yield missing_field(context, "objectMetaList")
        yield from cap_findings(context, _action_findings(context, objects, options.forbidden_actions))
        yield from cap_findings(context, _table_findings(context, objects, options.forbidden_tables))
        yield from _count_finding(context, "tables", len(objects), options.max_tables, objects)
        if options.max_grantees is not None and not grantees:
            yield missing_field(context, "granteeObjectList", _table_subjects(objects))
        yield from _count_finding(context, "grantees", len(grantees), options.max_grantees, objects)
        yield from _period_finding(context, order, options.max_days, objects)
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)


def _action_findings(
    context: Context, objects: tuple[Json, ...], forbidden: tuple[str, ...]
) -> Iterator[Finding]:
    for item in objects if forbidden else ():
        name, actions = _table_name(item), event_fields.text_list(item, "action")
        if not actions:
            yield missing_field(context, f"the action on {name}", _table_subjects([item]))
        found = [one for one in actions if one.lower() in forbidden or one.lower() in _EVERYTHING]
        if found:
            names = summarize_names(found)
            yield build_finding(
                context,
                "permission-action",
                Severity.BLOCK,
                Text(
                    f"{names.en} on {name} may not be requested.",
                    f"不可通过申请获得 {name} 的 {names.zh} 权限。",
                ),
                Text(
                    "Request only Select and Describe, or contact the table's owner.",
                    "请仅申请 Select 和 Describe，或联系表负责人。",
                ),
                subjects=(*_table_subjects([item]), *named_subjects(SubjectKind.OPERATION, *found)),
            )


def _table_findings(
    context: Context, objects: tuple[Json, ...], forbidden: tuple[str, ...]
) -> Iterator[Finding]:
    for item in objects if forbidden else ():
        if not event_fields.text_or_int(item, "name"):
            yield missing_field(context, "the name of a table")
        elif glob := globs.first_match(forbidden, _table_name(item)):
            yield build_finding(
                context,
                "permission-table",
                Severity.BLOCK,
                Text(
                    f"{_table_name(item)} may not be requested: the policy forbids {glob}.",
                    f"不可申请 {_table_name(item)}：策略禁止 {glob}。",
                ),
                Text("Contact the table's owner.", "请联系表负责人。"),
                subjects=_table_subjects([item]),
            )


def _count_finding(
    context: Context, what: str, count: int, limit: int | None, objects: tuple[Json, ...]
) -> Iterator[Finding]:
    zh = {"tables": "张表", "grantees": "位被授权人"}[what]
    message = Text(f"The request names {{count}} {what}", f"该申请包含 {{count}} {zh}")
    yield from limits.above_limit(
        context, f"permission-{what}", Severity.BLOCK, count, limit, message, _table_subjects(objects)
    )


def _period_finding(
    context: Context, order: Json, max_days: int | None, objects: tuple[Json, ...]
) -> Iterator[Finding]:
    if max_days is None:
        return
    length = event_fields.number(order, "deadlineDate")
    unit = _DAYS.get(event_fields.text_or_int(order, "deadlineType").lower())
    if length is None or unit is None:
        yield missing_field(context, "deadlineDate and deadlineType", _table_subjects(objects))
        return
    message = Text("The permission would last {count} days", "该权限有效期为 {count} 天")
    yield from limits.above_limit(
        context,
        "permission-period",
        Severity.BLOCK,
        length * unit,
        max_days,
        message,
        _table_subjects(objects),
    )


def _table_subjects(objects: Iterable[Json]) -> tuple[Subject, ...]:
    return tuple(table_subject(name) for item in objects if (name := _table_name(item)) != "?")


def _table_name(item: Json) -> str:
    """Return a table as `odps.project.table`."""
    return (
        ".".join(
            filter(
                None, (event_fields.text_or_int(item, "projectGuid"), event_fields.text_or_int(item, "name"))
            )
        )
        or "?"
    )
