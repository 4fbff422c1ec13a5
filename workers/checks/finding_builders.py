"""Builds findings in the language of the policy, and bounds their size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from common.errors import DwgateError
from common.text.i18n import Language, Text
from common.text.printable import printable
from common.verdicts import Finding, Param, Severity, Subject, limit_subjects
from workers.checks.api import Context

MAX_MESSAGE_LENGTH = 600
"""Maximum characters of a message: an event may contain names of any length."""

MAX_FINDINGS = 20
"""Maximum findings listed per check: an event may name any number of objects."""


def build_finding(
    context: Context,
    rule: str,
    severity: Severity,
    message: Text,
    remedy: Text,
    *,
    subjects: Iterable[Subject] = (),
    line: int | None = None,
    **params: Param,
) -> Finding:
    """Return a finding, rendered in the language of the policy.

    Args:
        context: context of the check.
        rule: stable id of the finding.
        severity: severity before the policy's mode caps it.
        message: one sentence that names the object.
        remedy: how to fix it.
        subjects: all objects that it is about; kinds that are omitted come from the event.
        line: 1-based line in the node's code.
        params: values in the message by name, such as counts and limits.
    """
    english = None if context.language is Language.ENGLISH else clip(message.en)
    return Finding(
        rule,
        severity,
        clip(message.in_language(context.language)),
        line=line,
        help=remedy.in_language(context.language),
        subjects=limit_subjects(subjects),
        params=tuple(params.items()),
        english=english,
    )


def cap_findings(context: Context, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield at most `MAX_FINDINGS` findings without duplicates.

    One more finding reports the number of omitted ones, with the highest severity among them.
    """
    kept = list(dict.fromkeys(findings))
    yield from kept[:MAX_FINDINGS]
    if rest := kept[MAX_FINDINGS:]:
        worst = max((item.severity for item in rest), key=list(Severity).index)
        more = Text(f"{len(rest)} more findings are not listed.", f"另有 {len(rest)} 个问题未列出。")
        yield build_finding(
            context,
            "findings-truncated",
            worst,
            more,
            Text("Fix the listed findings first.", "请先处理以上问题。"),
            subjects=[subject for item in rest for subject in item.subjects],
            count=len(rest),
        )


class FindingInvalid(DwgateError):
    """A check returned something other than findings; the text names the type, never the content."""


def bound_findings(findings: Iterable[Finding], mask: Callable[[str], str] = str) -> Iterator[Finding]:
    """Yield findings that are safe to store and show, whatever names the check put into them.

    No text exceeds `MAX_MESSAGE_LENGTH` or contains a character that is not printable, and there are at most
    `common.verdicts.MAX_SUBJECTS` subjects of a kind.

    Args:
        findings: what the check returned.
        mask: replaces secrets in a text.

    Raises:
        FindingInvalid: the check returned or yielded another type.
    """
    if not isinstance(findings, Iterable):
        raise FindingInvalid(f"it returned {type(findings).__name__}, expected findings")

    def bounded(text: str) -> str:
        return clip(mask(text))

    for item in findings:
        _require_valid(item)
        bound = replace(
            item,
            message=bounded(item.message),
            help=bounded(item.help or "") or None,
            english=bounded(item.english or "") or None,
            subjects=limit_subjects(each.with_texts(bounded) for each in item.subjects),
            suppressed=None if item.suppressed is None else bounded(item.suppressed),
            params=tuple(
                (name, bounded(value) if isinstance(value, str) else value) for name, value in item.params
            ),
        )
        yield item if bound == item else bound


def _require_valid(item: object) -> None:
    # Plug-in authors may not use a type checker.
    if not isinstance(item, Finding):
        raise FindingInvalid(f"it yielded {type(item).__name__}, expected Finding")
    for name, types in (("rule", str), ("message", str), ("severity", Severity)):
        value: object = getattr(item, name)
        if not isinstance(value, types):
            raise FindingInvalid(
                f"it yielded a Finding whose {name} is {type(value).__name__}, expected {types.__name__}"
            )


def clip(text: str) -> str:
    """Return a text cut to `MAX_MESSAGE_LENGTH`, with characters replaced that are not printable."""
    whole = printable(text)
    return whole if len(whole) <= MAX_MESSAGE_LENGTH else f"{whole[: MAX_MESSAGE_LENGTH - 1]}…"
