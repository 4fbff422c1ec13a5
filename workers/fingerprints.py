"""How a finding of any check is known again: the same for the same thing, another for another."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from common.verdicts import Finding
from workers.about import About, named

_LENGTH = 16
_NUMBER = re.compile(r"(?<![\w.:/-])(\d[\d,]*(?:\.\d+)?)(?=\s*(?:[^\W\d_]|%))")
"""A number before a word: `3 live nodes`, `12 days`, `5 个节点`. Dates, times and names are none."""

_ID_BEFORE = re.compile(
    r"\b(?:node|file|table|column|baseline|workspace|project|instance|job|task|owner|id)s? $"
    r"|(?:节点|文件|表|列|字段|基线|工作空间|实例|任务|负责人) ?$",
    re.IGNORECASE,
)
_ID_DIGITS = 6
"""Ids of DataWorks have at least so many digits; a count so high is told apart rather than mixed up."""


def of(check: str, rule: str, *subject: object) -> str:
    """Return the fingerprint of a finding whose check knows best what it is about.

    A check whose message lists what changes from day to day (dependents, counts) sets it itself.

    Args:
        check: the check.
        rule: the finding's rule.
        subject: what it is about, such as a node's id and a column's name.
    """
    whole = "\0".join((check, rule, *map(str, subject)))
    return hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()[:_LENGTH]


def fingerprinted(findings: Sequence[Finding], about: About) -> Iterator[Finding]:
    """Yield `findings`, each with a fingerprint: its own, or one made of what it says.

    That one holds the check, the rule, the workspace, the files, nodes and tables of the operation that the
    message names (all of them when it names none), and the message without its counts.
    """
    before: Counter[str] = Counter()
    for finding in findings:
        if finding.fingerprint:
            yield finding
            continue
        text = _uncounted(finding.message)
        kinds = {"file": about.files, "node": about.nodes, "table": about.tables}
        things = [
            f"{kind} {thing.names[0]}"
            for kind, things in kinds.items()
            for thing in named(things, finding.message)
        ]
        first = of(about.check, finding.rule, about.project, *things, text)
        before[first] += 1
        again = before[first] - 1
        yield replace(finding, fingerprint=of(about.check, finding.rule, first, again) if again else first)


def _uncounted(message: str) -> str:
    def without(number: re.Match[str]) -> str:
        is_id = len(number[1]) >= _ID_DIGITS or _ID_BEFORE.search(message, 0, number.start())
        return number[1] if is_id else "#"

    return _NUMBER.sub(without, message)
