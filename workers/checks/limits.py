"""Limits that several checks have in common: who may do a thing, at which hours, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from common.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks import event_fields, time_windows
from workers.checks.api import Context
from workers.checks.finding_builders import build_finding
from workers.checks.not_checked import missing_field


def _uid(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Uid = Annotated[
    str,
    BeforeValidator(_uid),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}),
]
"""The uid of a person; YAML may have it as a number."""

Limit = Annotated[int | None, Field(strict=True, ge=1)]
"""A number that may not be passed; None: it is not asked."""


def operator_not_allowed(
    context: Context, rule: str, allowed: tuple[str, ...], what: Text
) -> Iterator[Finding]:
    """Yield a block when whoever asks is none of `allowed`; who is not told is none of them.

    Args:
        context: of the check.
        rule: id of the finding.
        allowed: uids.
        what: what they may do, such as `delete workspaces`.
    """
    who = context.event.operator
    if who in allowed:
        return
    en, zh = (f"Operator {who}", f"操作人 {who} ") if who else ("An unnamed operator", "未知操作人")
    yield build_finding(
        context,
        rule,
        Severity.BLOCK,
        Text(f"{en} is not among those who may {what.en}.", f"{zh}不在可{what.zh}的人员之列。"),
        Text("Ask one of them, or who keeps the policy.", "请联系名单上的人员或策略维护者。"),
        subjects=[Subject(SubjectKind.USER, who)] if who else (),
    )


def outside_hours(
    context: Context, rule: str, hours: tuple[time_windows.TimeWindow, ...], zone: str, what: Text
) -> Iterator[Finding]:
    """Yield a block when there are `hours` and it is none of them now.

    Args:
        context: of the check.
        rule: id of the finding.
        hours: when it is allowed; always when empty.
        zone: their time zone.
        what: what is asked for, such as `pre-kill-instance`.
    """
    now = time_windows.to_local(context.now, zone)
    if hours and not time_windows.is_within(hours, now):
        yield build_finding(
            context,
            rule,
            Severity.BLOCK,
            Text(
                f"It is {now:%H:%M} ({zone}), outside the hours of {what.en}.",
                f"现在是 {now:%H:%M}（{zone}），不在{what.zh}的允许时段内。",
            ),
            Text("Try again within the hours that the policy sets.", "请在策略规定的时段内重试。"),
        )


def above_limit(
    context: Context,
    rule: str,
    severity: Severity,
    count: int,
    limit: int | None,
    what: Text,
    subjects: Iterable[Subject] = (),
) -> Iterator[Finding]:
    """Yield a finding when there is a limit and `count` is above it.

    Args:
        context: of the check.
        rule: id of the finding.
        severity: what it asks for.
        count: how much there is.
        limit: how much is allowed; None: any.
        what: subject, verb and unit around the count: `The download has {count} rows`.
        subjects: what it is about; those of the event when there are none.
    """
    if limit is not None and count > limit:
        yield build_finding(
            context,
            rule,
            severity,
            Text(
                f"{what.en.format(count=count)}; the policy allows {limit}.",
                f"{what.zh.format(count=count)}，上限为 {limit}。",
            ),
            Text(
                "Request less at once, or contact the policy owner.",
                "请减少单次数量，或联系策略维护者。",
            ),
            subjects=subjects,
            count=count,
            limit=limit,
        )


def size_above_limit(context: Context, rule: str, limit: int | None, what: Text) -> Iterator[Finding]:
    """Yield a block when the event's `fileSize` is above `limit` bytes, and a warning when it is not told.

    Args:
        context: of the check.
        rule: id of the finding.
        limit: how many are allowed; None: any, and it is not looked at.
        what: as for `above`.

    Raises:
        Unreadable: the size is no number.
    """
    if limit is None:
        return
    size = event_fields.number(context.event.data, "fileSize")
    if size is None:
        yield missing_field(context, "fileSize")
        return
    yield from above_limit(context, rule, Severity.BLOCK, size, limit, what)
