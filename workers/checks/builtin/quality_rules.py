"""The check `quality-rules`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.extension_points import POINTS
from common.i18n import Text
from common.json_types import Json
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks import event_fields, limits
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding, cap_findings
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import invalid_event, missing_field
from workers.checks.registry import check

CODES = tuple(point.code for point in POINTS if "data-quality" in point.code)

_DELETES = tuple(code for code in CODES if "delete" in code)
_UPDATES = ("batch-update-data-quality-rules", "update-data-quality-rule")
_STRONG, _BLOCKS = "high", "blocktaskinstance"
_UPDATES_TASK = "update-data-quality-evaluation-task"


class QualityRulesOptions(Options):
    """What a workspace may set."""

    guarded: bool = Field(
        default=False,
        strict=True,
        description="whether only `operators` may delete, disable or weaken what watches over data",
    )
    operators: tuple[limits.Uid, ...] = Field(default=(), description="uids that may; nobody when empty")


@check("quality-rules", points=CODES, runs=Runs.INLINE, options=QualityRulesOptions)
def quality_rules(context: Context) -> Iterator[Finding]:
    """Ask whether rules that watch over data are deleted, disabled or weakened, and by whom.

    Why: a rule that is in the way of tonight's run is quickly off, and nobody turns it on again.

    Options:
        guarded: whether only `operators` may delete, disable or weaken; nothing is asked if not set.
        operators: their uids; nobody when empty.
    """
    options: QualityRulesOptions = context.options
    if not options.guarded or context.event.operator in options.operators:
        return
    try:
        yield from cap_findings(context, _rule_of_event(context))
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)


def _rule_of_event(context: Context) -> Iterator[Finding]:
    code, data = context.event.event_code, context.event.data
    if code in _DELETES:
        yield _deleted_finding(context, data)
    rules = event_fields.object_list(data, "rules")
    if code in _UPDATES:
        if not rules and not data.keys() & {"enabled", "severity"}:
            yield missing_field(context, "enabled and severity")
        rules = rules or (data,)
    for rule in rules:
        yield from _weakened_finding(context, rule)
    if code == _UPDATES_TASK:
        yield from _hooks(context, data)


def _deleted_finding(context: Context, data: Json) -> Finding:
    ids = [str(number) for number in event_fields.numbers(data, "ids")]
    names = summarize_names(ids)
    about = Text(f" ({names.en})", f"（{names.zh}）") if ids else Text("", " ")
    return build_finding(
        context,
        "quality-deleted",
        Severity.BLOCK,
        Text(
            f"{context.event.event_code}{about.en} is for those whom the policy names.",
            f"{context.event.event_code}{about.zh}仅限策略列出的人员执行。",
        ),
        _RETRY_HINT,
        subjects=[Subject(SubjectKind.QUALITY_RULE, number) for number in ids],
    )


_RETRY_HINT = Text("Ask one of those, or who keeps the policy.", "请联系名单上的人员或策略维护者。")


def _weakened_finding(context: Context, rule: Json) -> Iterator[Finding]:
    """Yield a block for a rule that is off, and a warning for one that no longer stops the run.

    A rule that is made anew, and not strong from the start, weakens nothing.
    """
    name = event_fields.text_or_int(rule, "name") or event_fields.text_or_int(rule, "id") or "?"
    subjects = _named(SubjectKind.QUALITY_RULE, rule)
    there = context.event.event_code in _UPDATES or "id" in rule
    if event_fields.boolean(rule, "enabled") is False:
        yield build_finding(
            context,
            "quality-disabled",
            Severity.BLOCK,
            Text(f"Rule {name} is switched off.", f"规则 {name} 被停用。"),
            _RETRY_HINT,
            subjects=subjects,
        )
    severity = event_fields.text_or_int(rule, "severity")
    if there and severity and severity.lower() != _STRONG:
        yield build_finding(
            context,
            "quality-weakened",
            Severity.WARN,
            Text(
                f"Rule {name} is of severity {severity} now; whether it was High the event does not tell.",
                f"规则 {name} 的强度现为 {severity}；事件中没有其之前的强度。",
            ),
            _RETRY_HINT,
            subjects=subjects,
        )


def _hooks(context: Context, data: Json) -> Iterator[Finding]:
    """Yield a warning when a task that is changed stops no run: whether it did before is not told."""
    if "hooks" not in data:
        yield missing_field(context, "hooks")
        return
    if not any(
        event_fields.text_or_int(hook, "type").lower() == _BLOCKS
        for hook in event_fields.object_list(data, "hooks")
    ):
        name = event_fields.text_or_int(data, "name") or event_fields.text_or_int(data, "id") or "?"
        yield build_finding(
            context,
            "quality-unhooked",
            Severity.WARN,
            Text(
                f"Task {name} stops no run when its rules fail.", f"任务 {name} 在规则不通过时不再阻断运行。"
            ),
            _RETRY_HINT,
            subjects=_named(SubjectKind.JOB, data),
        )


def _named(kind: SubjectKind, data: Json) -> tuple[Subject, ...]:
    id_, name = event_fields.text_or_int(data, "id"), event_fields.text_or_int(data, "name")
    return (Subject(kind, id_ or None, name or None),) if id_ or name else ()
