"""A finding in the language of the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from common.errors import DwgateError
from common.i18n import Language, Text
from common.verdicts import Finding, Param, Severity, Subject, limit_subjects
from workers.checks.api import Context

MAX_MESSAGE_LENGTH = 600
"""Characters of a message: an event may hold names of any length."""

MAX_FINDINGS = 20
"""Findings of a check that are listed one by one, where the event may name any number of things."""


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
        context: of the check that saw it.
        rule: its stable id.
        severity: its severity.
        message: one sentence that names the thing.
        remedy: how to fix it.
        subjects: everything that it is about; kinds that are left out come from the event.
        line: 1-based line in the node's code.
        params: values of the message by name, such as counts and limits.
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
    """Yield findings, each once and at most `MOST`; how many more there are counts as the worst of them."""
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
    """A check yields something else than findings; the text says what, never its content."""


def bound_findings(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings as they may be stored and shown, whatever names the check put into them.

    No text is longer than a message may be, none holds half a character, which no JSON can, and there are at
    most `MAX_SUBJECTS` subjects of a kind.

    Raises:
        FindingInvalid: the check returned or yielded something else.
    """
    if not isinstance(findings, Iterable):
        raise FindingInvalid(f"it returned {type(findings).__name__}, expected findings")
    for item in findings:
        _require_valid(item)
        bound = replace(
            item,
            message=clip(item.message),
            help=clip(item.help or "") or None,
            english=clip(item.english or "") or None,
            subjects=limit_subjects(map(_bounded_subject, item.subjects)),
        )
        yield item if bound == item else bound


def _require_valid(item: object) -> None:
    # Checks of any package are run: their authors may not use a type checker.
    if not isinstance(item, Finding):
        raise FindingInvalid(f"it yielded {type(item).__name__}, expected Finding")
    for name, types in (("rule", str), ("message", str), ("severity", Severity)):
        value: object = getattr(item, name)
        if not isinstance(value, types):
            raise FindingInvalid(
                f"it yielded a Finding whose {name} is {type(value).__name__}, expected {types.__name__}"
            )


def _bounded_subject(subject: Subject) -> Subject:
    return replace(
        subject,
        id=clip(subject.id or "") or None,
        name=clip(subject.name or "") or None,
        aliases=tuple(map(clip, subject.aliases)),
    )


def clip(text: str) -> str:
    """Return a text that is no longer than a message may be, and can be written as UTF-8."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= MAX_MESSAGE_LENGTH else f"{whole[: MAX_MESSAGE_LENGTH - 1]}…"
