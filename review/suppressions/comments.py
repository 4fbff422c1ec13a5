"""Finds suppression comments and what each of them covers: `-- dwgate:ignore MC-P04 the target takes all`.

At the end of a line, a suppression covers the findings that start on that line. Alone on a line, it covers
those of the next line with code and, if a statement starts there, of the whole statement.
`dwgate:ignore-file`, before any code, covers the whole script. Directives of external linters cover the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace

from review.facts import Comment, Script, Span
from review.languages.external.directives import Directive, find_directives
from review.suppressions.model import Suppression

_WHOLE = re.compile(
    r"\bdwgate:\s?ignore(?P<file>-file)?(?![\w-])[ \t:]*"
    r"(?P<rules>[A-Za-z]{2}-[\w-]+(?:[ \t]*,[ \t]*[A-Za-z]{2}-[\w-]+){0,19})?[ \t:,]*(?P<reason>[^\n]*)"
)
_WAIVER = re.compile(r"waiver:[ \t]?(?P<id>[A-Za-z0-9][A-Za-z0-9._-]{0,39})(?![\w.-])(?P<reason>.*)")
_SPACE = re.compile(r"\s*")
_MARKS = " \t*/-#:"


def find_suppressions(script: Script) -> Iterator[Suppression]:
    """Yield the suppressions of a script, in order, including incomplete ones and directives of linters."""
    lines: _LineCoverage | None = None
    for comment in script.comments:
        found = [
            *_of_dwgate(script.code, comment),
            *(_of_linter(comment, item) for item in find_directives(comment.text, script.dialect)),
        ]
        for item in found:
            lines = lines or _LineCoverage(script)
            yield lines.placed(item, comment)


def _of_dwgate(code: str, comment: Comment) -> Iterator[Suppression]:
    for match in _WHOLE.finditer(code, comment.at.begin, comment.at.end):
        rules = dict.fromkeys(part.strip().upper() for part in (match["rules"] or "").split(","))
        begin, end = match.span()
        at = Span(begin, begin + len(code[begin:end].rstrip(_MARKS)))
        waiver = _WAIVER.match(match["reason"])
        reason = (waiver["reason"] if waiver else match["reason"]).strip(_MARKS)
        yield Suppression(
            at,
            tuple(filter(None, rules)),
            reason,
            None,
            waiver=waiver["id"] if waiver else "",
            is_file_wide=bool(match["file"]),
        )


def _of_linter(comment: Comment, found: Directive) -> Suppression:
    return Suppression(
        Span(comment.at.begin + found.begin, comment.at.begin + found.end),
        found.rules,
        found.reason,
        None,
        is_file_wide=found.is_file_wide,
        tool=found.name,
    )


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

    def placed(self, found: Suppression, comment: Comment) -> Suppression:
        """Return `found` with the span that it covers."""
        if not found.is_file_wide:
            return replace(found, span=self.covered(comment))
        # A linter's directive for the whole script may be anywhere in it.
        everything = Span(0, len(self._code) + 1)
        return replace(found, span=everything if found.tool else self.whole(comment))

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
