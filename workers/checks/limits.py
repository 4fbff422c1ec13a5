"""Limits that several checks share: allowed operators, allowed hours and maximum amounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from common.text.i18n import Text
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
"""UID of a user; YAML may contain it as a number."""

Limit = Annotated[int | None, Field(strict=True, ge=1)]
"""A maximum; None: no limit."""


def operator_not_allowed(
    context: Context, rule: str, allowed: tuple[str, ...], what: Text
) -> Iterator[Finding]:
    """Yield a block if the operator is not one of `allowed`; a missing operator is not.

    Args:
        context: context of the check.
        rule: id of the finding.
        allowed: UIDs.
        what: the restricted operation, such as `delete workspaces`.
    """
    operator = context.event.operator
    if operator in allowed:
        return
    en, zh = (
        (f"Operator {operator}", f"操作人 {operator} ") if operator else ("An unknown operator", "未知操作人")
    )
    yield build_finding(
        context,
        rule,
        Severity.BLOCK,
        Text(f"{en} is not allowed to {what.en}.", f"{zh}不在允许{what.zh}的人员名单中。"),
        Text("Contact an allowed operator or the policy owner.", "请联系名单中的人员或策略维护者。"),
        subjects=[Subject(SubjectKind.USER, operator)] if operator else (),
    )


def outside_hours(
    context: Context, rule: str, hours: tuple[time_windows.TimeWindow, ...], zone: str, what: Text
) -> Iterator[Finding]:
    """Yield a block if `hours` are set and the current time is outside them.

    Args:
        context: context of the check.
        rule: id of the finding.
        hours: allowed hours; always allowed if empty.
        zone: time zone of `hours`.
        what: the restricted operation, such as `pre-kill-instance`.
    """
    now = time_windows.to_local(context.now, zone)
    if hours and not time_windows.is_within(hours, now):
        yield build_finding(
            context,
            rule,
            Severity.BLOCK,
            Text(
                f"It is {now:%H:%M} ({zone}), outside the allowed hours of {what.en}.",
                f"现在是 {now:%H:%M}（{zone}），不在{what.zh}的允许时段内。",
            ),
            Text("Retry within the allowed hours of the policy.", "请在策略允许的时段内重试。"),
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
    """Yield a finding if there is a limit and `count` exceeds it.

    Args:
        context: context of the check.
        rule: id of the finding.
        severity: severity of the finding.
        count: actual amount.
        limit: maximum amount; None: no limit.
        what: template of the message, with subject, verb and unit: `The download has {count} rows`.
        subjects: objects that it is about; those of the event if empty.
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
    """Yield a block if the event's `fileSize` exceeds `limit` bytes, and a warning if it is missing.

    Args:
        context: context of the check.
        rule: id of the finding.
        limit: maximum in bytes; None: no limit, and the field is not read.
        what: as for `above_limit`.

    Raises:
        InvalidField: the size is not a number.
    """
    if limit is None:
        return
    size = event_fields.number(context.event.data, "fileSize")
    if size is None:
        yield missing_field(context, "fileSize")
        return
    yield from above_limit(context, rule, Severity.BLOCK, size, limit, what)
