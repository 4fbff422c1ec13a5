"""The check `quality-rules`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.extension_points import POINTS
from common.json_types import Json
from common.text.i18n import Text
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

_REMEDY = Text(
    "Ask an operator whom the policy names, or contact the policy owner.",
    "请联系策略列出的人员或策略维护者。",
)


class QualityRulesOptions(Options):
    """Options of `quality-rules`."""

    guarded: bool = Field(
        default=False,
        strict=True,
        description="whether only `operators` may delete, disable or weaken data quality rules",
    )
    operators: tuple[limits.Uid, ...] = Field(default=(), description="UIDs that may; no one if empty")


@check("quality-rules", points=CODES, runs=Runs.INLINE, options=QualityRulesOptions)
def quality_rules(context: Context) -> Iterator[Finding]:
    """Check whether data quality rules are deleted, disabled or weakened, and by whom.

    Why: a rule that blocks tonight's run is quickly disabled, and rarely enabled again.

    Options:
        guarded: whether only `operators` may delete, disable or weaken rules; nothing is checked if not set.
        operators: UIDs that may; no one if empty.
    """
    options: QualityRulesOptions = context.options
    if not options.guarded or context.event.operator in options.operators:
        return
    try:
        yield from cap_findings(context, _event_findings(context))
    except event_fields.InvalidField as error:
        yield invalid_event(context, error)


def _event_findings(context: Context) -> Iterator[Finding]:
    code, data = context.event.event_code, context.event.data
    if code in _DELETES:
        yield _deleted_finding(context, data)
    rules = event_fields.object_list(data, "rules")
    if code in _UPDATES:
        if not rules and not data.keys() & {"enabled", "severity"}:
            yield missing_field(context, "enabled and severity")
        rules = rules or (data,)
    for rule in rules:
        yield from _weakened_findings(context, rule)
    if code == _UPDATES_TASK:
        yield from _hook_findings(context, data)


def _deleted_finding(context: Context, data: Json) -> Finding:
    ids = [str(number) for number in event_fields.numbers(data, "ids")]
    names = summarize_names(ids)
    about = Text(f" ({names.en})", f"（{names.zh}）") if ids else Text("", " ")
    return build_finding(
        context,
        "quality-deleted",
        Severity.BLOCK,
        Text(
            f"Only operators whom the policy names may run {context.event.event_code}{about.en}.",
            f"{context.event.event_code}{about.zh}仅限策略列出的人员执行。",
        ),
        _REMEDY,
        subjects=[Subject(SubjectKind.QUALITY_RULE, number) for number in ids],
    )


def _weakened_findings(context: Context, rule: Json) -> Iterator[Finding]:
    """Yield a block for a disabled rule, and a warning for an existing rule that no longer blocks the run.

    A new rule weakens nothing, whatever its severity is.
    """
    name = event_fields.text_or_int(rule, "name") or event_fields.text_or_int(rule, "id") or "?"
    subjects = _subjects(SubjectKind.QUALITY_RULE, rule)
    is_existing = context.event.event_code in _UPDATES or "id" in rule
    if event_fields.boolean(rule, "enabled") is False:
        yield build_finding(
            context,
            "quality-disabled",
            Severity.BLOCK,
            Text(f"Rule {name} is disabled.", f"规则 {name} 已停用。"),
            _REMEDY,
            subjects=subjects,
        )
    severity = event_fields.text_or_int(rule, "severity")
    if is_existing and severity and severity.lower() != _STRONG:
        yield build_finding(
            context,
            "quality-weakened",
            Severity.WARN,
            Text(
                f"Rule {name} now has severity {severity}; the event does not contain the previous one.",
                f"规则 {name} 的强度现为 {severity}；事件中不包含之前的强度。",
            ),
            _REMEDY,
            subjects=subjects,
        )


def _hook_findings(context: Context, data: Json) -> Iterator[Finding]:
    """Yield a warning if a changed task blocks no run; the event does not say whether it did before."""
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
                f"Task {name} blocks no run when its rules fail.", f"任务 {name} 在规则不通过时不会阻断运行。"
            ),
            _REMEDY,
            subjects=_subjects(SubjectKind.JOB, data),
        )


def _subjects(kind: SubjectKind, data: Json) -> tuple[Subject, ...]:
    id_, name = event_fields.text_or_int(data, "id"), event_fields.text_or_int(data, "name")
    return (Subject(kind, id_ or None, name or None),) if id_ or name else ()
