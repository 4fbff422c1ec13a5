"""The code around a finding, from what is kept of the operation's object, with its secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from common.snapshot import Snapshot
from common.verdicts import Finding
from review.analysis.secret_mask import SecretMask
from review.content.node_script import NodeScript
from review.content.notebook import CELLS, node_scripts
from review.dialects import Dialect
from review.facts import Span
from review.report import SECRETS

LINES_BEFORE = 2
LINES_AFTER = 1
MAX_HIT_LINES = 6
"""Maximum lines shown of a range; of a longer one the first."""

MAX_WIDTH = 200
"""Maximum characters shown of a line; of a longer one, those around the range."""

_LEAD = 60
"""Characters shown before the range in a shortened line."""


@dataclass(frozen=True, slots=True)
class FrameLine:
    """One line of a frame: what is before the range, in it, and after it.

    Attributes:
        is_hit: whether the range has a part of this line.
    """

    number: int
    before: str
    marked: str
    after: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class CodeFrame:
    """The code around a range.

    Attributes:
        lines: the lines.
        is_masked: whether a secret in one of them is masked.
    """

    lines: tuple[FrameLine, ...]
    is_masked: bool


class KeptCode:
    """The code of one operation's file.

    Args:
        snapshot: what is kept of it.
        findings: those on it: ranges of rules about secrets are masked, whatever is in them.
    """

    def __init__(self, snapshot: Snapshot, findings: Iterable[Finding]) -> None:
        file = snapshot.file
        scripts = node_scripts(file.content, file.file_type) if file and file.content else ()
        found = tuple(findings)
        self._scripts = [_MaskedScript(script, found) for script in scripts]

    def frame(self, finding: Finding) -> CodeFrame | None:
        """Return the code around a finding; None if its position is not in the code."""
        if finding.line is None:
            return None
        for script in self._scripts:
            if script.has(finding):
                return script.frame(finding)
        return None


class _MaskedScript:
    """One script: the whole code, or a cell of a notebook."""

    def __init__(self, script: NodeScript, findings: Sequence[Finding]) -> None:
        self._cell = script.place if script.place and script.place.startswith(CELLS) else None
        self._original = script.code.split("\n")
        # Where each line begins.
        self._starts = [0, *accumulate(len(line) + 1 for line in self._original)]
        secrets = [
            self._span(item) for item in findings if item.rule in SECRETS and item.line and self.has(item)
        ]
        mask = SecretMask(script.code, Dialect.SHELL, [span for span in secrets if span.begin < span.end])
        self._lines = mask.blank(script.code).split("\n")

    def has(self, finding: Finding) -> bool:
        """Whether a finding is on this script: one in a cell names it (see the check `code-review`)."""
        return self._cell is None or finding.message.startswith(f"{self._cell}: ")

    def frame(self, finding: Finding) -> CodeFrame | None:
        """Return the code around a finding on this script."""
        line = finding.line or 0
        if not 1 <= line <= len(self._lines):
            return None
        end = min(max(finding.end_line or line, line), len(self._lines))
        last_hit = min(end, line + MAX_HIT_LINES - 1)
        first = max(line - LINES_BEFORE, 1)
        last = min(last_hit + LINES_AFTER, len(self._lines))
        shown = tuple(self._line(number, finding, line, end) for number in range(first, last + 1))
        is_masked = any(
            self._lines[number - 1] != self._original[number - 1] for number in range(first, last + 1)
        )
        return CodeFrame(shown, is_masked)

    def _line(self, number: int, finding: Finding, line: int, end: int) -> FrameLine:
        text = self._lines[number - 1].removesuffix("\r")
        if not line <= number <= end:
            return FrameLine(number, _cut(text, 0, 0)[0], "", "", is_hit=False)
        begin = (finding.column or 1) - 1 if number == line else 0
        stop = len(text)
        if number == end and finding.end_column:
            stop = finding.end_column - 1
        elif number == line and finding.column and not finding.end_column:
            stop = begin + 1
        begin = min(max(begin, 0), len(text))
        stop = min(max(stop, begin), len(text))
        text, begin, stop = _cut(text, begin, stop)
        return FrameLine(number, text[:begin], text[begin:stop], text[stop:], is_hit=True)

    def _span(self, finding: Finding) -> Span:
        end_line = finding.end_line or finding.line
        begin = self._offset(finding.line, finding.column)
        if finding.end_column is None:
            return Span(begin, self._offset((end_line or 0) + 1, 1) - 1)
        return Span(begin, self._offset(end_line, finding.end_column))

    def _offset(self, line: int | None, column: int | None) -> int:
        number = min(max(line or 1, 1), len(self._starts)) - 1
        return min(self._starts[number] + max((column or 1) - 1, 0), self._starts[-1] - 1)


def _cut(text: str, begin: int, stop: int) -> tuple[str, int, int]:
    """Return a line of at most `MAX_WIDTH` characters, with the range that is left of it."""
    if len(text) <= MAX_WIDTH:
        return text, begin, stop
    first = max(begin - _LEAD, 0)
    lead, rest = "…" * (first > 0), "…" * (first + MAX_WIDTH < len(text))
    shift = len(lead) - first
    kept = f"{lead}{text[first : first + MAX_WIDTH]}{rest}"
    limit = len(kept) - len(rest)
    return kept, min(begin + shift, limit), min(max(stop + shift, 0), limit)
