"""Findings accepted by the code's author with a reason: `-- dwgate:ignore MC-P04 the target takes all`.

At the end of a line, a suppression applies to the findings that start on that line. Alone on a line, it
applies to those of the next line with code and, if a statement starts there, of the whole statement.
`dwgate:ignore-file`, before any code, applies to the whole script. A suppression without a reason is ignored.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from review.diagnostic import Diagnostic
from review.facts import Comment, Script, Span

_WHOLE = re.compile(
    r"\bdwgate:\s?ignore(?P<file>-file)?(?![\w-])[ \t:]*"
    r"(?P<rules>[A-Za-z]{2}-[\w-]+(?:[ \t]*,[ \t]*[A-Za-z]{2}-[\w-]+){0,19})?[ \t:,]*(?P<reason>[^\n]*)"
)
_SPACE = re.compile(r"\s*")
_MARKS = " \t*/-#:"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One suppression comment.

    Attributes:
        at: from its keyword to the end of its reason.
        rules: the rule IDs it names, in upper case.
        reason: the author's reason; empty without one.
        span: the span in which suppressed findings start; None if it has no effect at its position.
    """

    at: Span
    rules: tuple[str, ...]
    reason: str
    span: Span | None

    @property
    def is_valid(self) -> bool:
        """Whether it is complete: it has rules, a reason and a span to cover."""
        return bool(self.rules and self.reason and self.span)


class SuppressionIndex:
    """An index of the valid suppressions by rule and position."""

    def __init__(self, suppressions: Iterable[Suppression]) -> None:
        by_rule: dict[str, list[tuple[Span, str]]] = {}
        for each in suppressions:
            if each.span and each.is_valid:
                for rule in each.rules:
                    by_rule.setdefault(rule, []).append((each.span, each.reason))
        self._begins: dict[str, list[int]] = {}
        self._longest: dict[str, list[tuple[int, str]]] = {}
        for rule, covers in by_rule.items():
            covers.sort(key=lambda item: item[0])
            self._begins[rule] = [at.begin for at, _ in covers]
            # Of the spans that start up to a position, the one that ends last covers it, if any does.
            ends = ((at.end, reason) for at, reason in covers)
            self._longest[rule] = list(accumulate(ends, _later_of))

    def reason(self, rule: str, at: int) -> str | None:
        """Return the reason for which a finding of `rule` at `at` is suppressed; None if it is not."""
        begins = self._begins.get(rule.upper(), [])
        index = bisect_right(begins, at)
        if not index:
            return None
        end, reason = self._longest[rule.upper()][index - 1]
        return reason if at < end else None


def _later_of(one: tuple[int, str], other: tuple[int, str]) -> tuple[int, str]:
    return other if other[0] > one[0] else one


def apply_suppressions(script: Script, seen: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield all of `seen`; suppressed ones with the reason."""
    covers = SuppressionIndex(find_suppressions(script))
    for item in seen:
        reason = covers.reason(item.rule, item.at.begin)
        yield item if reason is None else replace(item, suppressed=reason)


def find_suppressions(script: Script) -> Iterator[Suppression]:
    """Yield the suppressions of a script, in order, including invalid ones."""
    if "dwgate:" not in script.code:
        return
    lines = _LineCoverage(script)
    for comment in script.comments:
        for match in _WHOLE.finditer(script.code, comment.at.begin, comment.at.end):
            rules = dict.fromkeys(part.strip().upper() for part in (match["rules"] or "").split(","))
            covers = lines.whole(comment) if match["file"] else lines.covered(comment)
            begin, end = match.span()
            at = Span(begin, begin + len(script.code[begin:end].rstrip(_MARKS)))
            yield Suppression(at, tuple(filter(None, rules)), match["reason"].strip(_MARKS), covers)


class _LineCoverage:
    """The lines of a script, and which of them contain code."""

    def __init__(self, script: Script) -> None:
        self._code = script.code
        self._sql = script.dialect.sql
        self._begins = [statement.at.begin for statement in script.statements]
        self._ends = [statement.at.end for statement in script.statements]
        blank = list(script.code)
        for comment in script.comments:
            blank[comment.at.begin : comment.at.end] = " " * (comment.at.end - comment.at.begin)
        bare = "".join(blank)
        self._first = len(bare) - len(bare.lstrip())
        self._starts = [0, *(match.end() for match in re.finditer("\n", script.code))]
        spans = (self._line(number) for number in range(len(self._starts)))
        self._coded = [number for number, at in enumerate(spans) if bare[at.begin : at.end].strip()]

    def whole(self, comment: Comment) -> Span | None:
        """Return the whole script if no code precedes `comment`."""
        return Span(0, len(self._code) + 1) if comment.at.begin <= self._first else None

    def covered(self, comment: Comment) -> Span | None:
        """Return the span a comment applies to: its own line, or what starts on the next line with code."""
        number = bisect_right(self._starts, comment.at.begin) - 1
        after = bisect_left(self._coded, number)
        if after == len(self._coded):
            return None
        line = self._line(self._coded[after])
        return line if self._coded[after] == number else Span(line.begin, max(line.end, self._last(line)))

    def _line(self, number: int) -> Span:
        last = number + 1 == len(self._starts)
        return Span(self._starts[number], len(self._code) + 1 if last else self._starts[number + 1])

    def _last(self, line: Span) -> int:
        """Return the end of the last statement that starts on `line`, or in a string opened at its end."""
        count = bisect_left(self._begins, line.end)
        if not self._sql and count < len(self._begins):
            opened = _SPACE.match(self._code, line.end)
            count += bool(opened and opened.end() == self._begins[count])
        return self._ends[count - 1] if count and self._begins[count - 1] >= line.begin else 0
