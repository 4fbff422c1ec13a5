"""A finding in the language of the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from common.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks.check import Context

LONGEST = 600
"""Characters of a message: an event may hold names of any length."""

MOST = 20
"""Findings of a check that are listed one by one, where the event may name any number of things."""


def finding(context: Context, rule: str, severity: Severity, message: Text, remedy: Text) -> Finding:
    """Return a finding.

    Args:
        context: of the check that saw it.
        rule: its stable id.
        severity: what it asks for.
        message: one sentence that names the thing.
        remedy: how to mend it.
    """
    said = clipped(message.said(context.language))
    return Finding(rule, severity, said, help=remedy.said(context.language))


def capped(context: Context, found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings, each once and at most `MOST`; how many more there are counts as the worst of them."""
    kept = list(dict.fromkeys(found))
    yield from kept[:MOST]
    if rest := kept[MOST:]:
        worst = max((item.severity for item in rest), key=list(Severity).index)
        more = Text(f"{len(rest)} more findings are not listed.", f"另有 {len(rest)} 个问题未列出。")
        yield finding(
            context, "more-findings", worst, more, Text("Mend the first ones.", "请先处理以上问题。")
        )


def bounded(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings as they may be kept and shown, whatever names the check put into them.

    No text is longer than a message may be, and none holds half a character, which no JSON can.
    """
    for item in found:
        message, remedy = clipped(item.message), clipped(item.help or "") or None
        changed = (message, remedy) != (item.message, item.help)
        yield replace(item, message=message, help=remedy) if changed else item


def clipped(text: str) -> str:
    """Return a text that is no longer than a message may be, and can be written as UTF-8."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1]}…"
