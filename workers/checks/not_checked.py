"""Findings for what a check could not examine: they warn, so that nothing passes unnoticed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject
from workers.checks.api import Context, Unreviewable
from workers.checks.event_fields import InvalidField
from workers.checks.finding_builders import build_finding

_REVIEW = Text("Review it manually.", "请人工检查。")
_RETRY = Text(
    "Retry; if it persists, contact the dwgate operator.", "请重试；若仍如此，请联系 dwgate 的运维人员。"
)


def not_checked(
    context: Context,
    what: Text,
    *,
    severity: Severity = Severity.WARN,
    remedy: Text = _REVIEW,
    rule: str = "not-checked",
    line: int | None = None,
    subjects: Iterable[Subject] = (),
) -> Finding:
    """Return the finding that `what` was not checked.

    Args:
        context: context of the check.
        what: what was not checked, without a full stop.
        severity: severity of the finding.
        remedy: how to handle it.
        rule: id of the finding.
        line: 1-based line in the node's code.
        subjects: objects that it is about; those of the event if empty.
    """
    message = Text(f"Not checked: {what.en}.", f"未检查：{what.zh}。")
    return build_finding(context, rule, severity, message, remedy, line=line, subjects=subjects)


def language_unknown(context: Context, severity: Severity) -> Finding:
    """Return the finding that code was not checked since its node type has no language that is known."""
    what = Text("the code (the language of its node type is not known)", "代码（其节点类型的语言未知）")
    return not_checked(context, what, severity=severity)


def unparsed(context: Context, lines: Sequence[int], severity: Severity = Severity.WARN) -> Iterator[Finding]:
    """Yield one finding if code at these lines could not be parsed, or is generated at run time."""
    if lines:
        count, first = len(lines), min(lines)
        at = "1 location" if count == 1 else f"{count} locations"
        what = Text(
            f"code that cannot be parsed or is generated at run time, at {at} from line {first}",
            f"自第 {first} 行起有 {count} 处代码无法解析或在运行时生成",
        )
        yield not_checked(context, what, severity=severity, line=first)


def require_parsed(context: Context, gaps: Sequence[tuple[int, str]]) -> None:
    """Call this after the last finding on a node's code.

    Args:
        context: context of the check.
        gaps: lines of code that could not be parsed, each with the reason (in English).

    Raises:
        Unreviewable: there are some.
    """
    if gaps:
        line, why = gaps[0]
        what = Text(f"the code from line {line} was not parsed: {why}", f"自第 {line} 行起的代码无法解析")
        if more := len(gaps) - 1:
            what = Text(f"{what.en}, and {more} more", f"{what.zh}，另有 {more} 处")
        raise Unreviewable(what.in_language(context.language))


def missing_field(context: Context, field: str, subjects: Iterable[Subject] = ()) -> Finding:
    """Return the finding for a field that the policy checks and the event does not provide."""
    what = Text(f"the event does not provide {field}", f"事件中没有 {field}")
    return not_checked(context, what, rule="event-field-missing", subjects=subjects)


def invalid_event(context: Context, error: InvalidField) -> Finding:
    """Return the finding for an event that cannot be checked because a field is invalid."""
    message = Text(f"The event cannot be checked: {error.text.en}.", f"事件无法检查：{error.text.zh}。")
    return build_finding(context, "event-invalid", Severity.BLOCK, message, _RETRY)
