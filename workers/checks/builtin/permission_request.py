"""The check `permission-request`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from common import globs
from common.events import Json
from common.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind, table_subject
from workers.checks import event_fields, limits
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import capped, finding
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check
from workers.checks.subjects import named_subjects

_DAYS = {"day": 1, "month": 31}
"""Days of a unit of `deadlineType`, at most."""

_EVERYTHING = frozenset({"all", "*"})
"""Actions that stand for every action."""

Action = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]


class PermissionRequestOptions(Options):
    """What a workspace may set."""

    forbidden_actions: tuple[Action, ...] = Field(
        default=(), description="actions that are not given by a request: Drop, Alter, Update"
    )
    forbidden_tables: tuple[globs.Glob, ...] = Field(
        default=(), description="tables, * for any text, that nobody asks for: odps.shop.*_secret"
    )
    most_days: limits.Most = Field(
        default=None, description="days that a permission lasts, a month being 31; any when null"
    )
    most_tables: limits.Most = Field(default=None, description="tables of one request; any when null")
    most_grantees: limits.Most = Field(default=None, description="people of one request; any when null")


@check(
    "permission-request",
    points=("approval-change-before-create",),
    runs=Runs.INLINE,
    options=PermissionRequestOptions,
)
def permission_request(context: Context) -> Iterator[Finding]:
    """Ask what a request for table permissions wants: which actions, which tables, how long, for how many.

    Why: whoever approves sees a list and says yes; a Drop among the Selects, or a year, is easily missed.

    Options:
        forbidden_actions: actions that are not given by a request; none if not set.
        forbidden_tables: tables, by pattern (`odps.shop.*_secret`), that nobody asks for; none if not set.
        most_days: days that a permission lasts, a month being 31; any number if not set.
        most_tables: tables of one request; any number if not set.
        most_grantees: people of one request; any number if not set.
    """
    options: PermissionRequestOptions = context.options
    try:
        order = event_fields.part(context.event.data, "order")
        objects = event_fields.parts(event_fields.part(order, "projectMeta"), "objectMetaList")
        grantees = event_fields.parts(order, "granteeObjectList")
        if not objects and (options.forbidden_actions or options.forbidden_tables or options.most_tables):
            yield missing_field(context, "objectMetaList")
        yield from capped(context, _actions(context, objects, options.forbidden_actions))
        yield from capped(context, _tables(context, objects, options.forbidden_tables))
        yield from _count(context, "tables", len(objects), options.most_tables, objects)
        if options.most_grantees is not None and not grantees:
            yield missing_field(context, "granteeObjectList", _tables_of(objects))
        yield from _count(context, "grantees", len(grantees), options.most_grantees, objects)
        yield from _period(context, order, options.most_days, objects)
    except event_fields.Unreadable as error:
        yield invalid_event(context, error)


def _actions(context: Context, objects: tuple[Json, ...], forbidden: tuple[str, ...]) -> Iterator[Finding]:
    for item in objects if forbidden else ():
        name, actions = _name(item), event_fields.words(item, "action")
        if not actions:
            yield missing_field(context, f"the action on {name}", _tables_of([item]))
        found = [one for one in actions if one.lower() in forbidden or one.lower() in _EVERYTHING]
        if found:
            asked = summarize_names(found)
            yield finding(
                context,
                "permission-action",
                Severity.BLOCK,
                Text(
                    f"{asked.en} on {name} is not given by a request.",
                    f"不可通过申请获得 {name} 的 {asked.zh} 权限。",
                ),
                Text(
                    "Ask for Select and Describe, or ask the table's owner.",
                    "请申请 Select 和 Describe，或联系表负责人。",
                ),
                subjects=(*_tables_of([item]), *named_subjects(SubjectKind.OPERATION, *found)),
            )


def _tables(context: Context, objects: tuple[Json, ...], forbidden: tuple[str, ...]) -> Iterator[Finding]:
    for item in objects if forbidden else ():
        if not event_fields.word(item, "name"):
            yield missing_field(context, "the name of a table")
        elif glob := globs.first_match(forbidden, _name(item)):
            yield finding(
                context,
                "permission-table",
                Severity.BLOCK,
                Text(
                    f"{_name(item)} is not given by a request: the policy has {glob}.",
                    f"不可申请 {_name(item)}：策略列有 {glob}。",
                ),
                Text("Ask the table's owner.", "请联系表负责人。"),
                subjects=_tables_of([item]),
            )


def _count(
    context: Context, what: str, count: int, most: int | None, objects: tuple[Json, ...]
) -> Iterator[Finding]:
    zh = {"tables": "张表", "grantees": "位被授权人"}[what]
    said = Text(f"The request names {{count}} {what}", f"该申请包含 {{count}} {zh}")
    yield from limits.above(
        context, f"permission-{what}", Severity.BLOCK, count, most, said, _tables_of(objects)
    )


def _period(context: Context, order: Json, most: int | None, objects: tuple[Json, ...]) -> Iterator[Finding]:
    if most is None:
        return
    length = event_fields.number(order, "deadlineDate")
    unit = _DAYS.get(event_fields.word(order, "deadlineType").lower())
    if length is None or unit is None:
        yield missing_field(context, "deadlineDate and deadlineType", _tables_of(objects))
        return
    said = Text("The permission would last {count} days", "该权限有效期为 {count} 天")
    yield from limits.above(
        context, "permission-period", Severity.BLOCK, length * unit, most, said, _tables_of(objects)
    )


def _tables_of(objects: Iterable[Json]) -> tuple[Subject, ...]:
    return tuple(table_subject(name) for item in objects if (name := _name(item)) != "?")


def _name(item: Json) -> str:
    """Return a table as `odps.project.table`."""
    return (
        ".".join(filter(None, (event_fields.word(item, "projectGuid"), event_fields.word(item, "name"))))
        or "?"
    )
