"""Code with a range underlined, as compilers show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from common.text.printable import printable
from console.output.styled_line import StyledLine, styled

AROUND = 1
"""Lines shown before and after a range."""

MAX_LINES = 6
"""Maximum lines shown of a range; of a longer one, only the first and last lines."""

MAX_WIDTH = 160
"""Maximum characters shown of a line; of a longer one, those around the range."""

_LEAD = 40
"""Characters shown before the range in a truncated line."""

_GUTTER = "blue"


@dataclass(frozen=True, slots=True)
class Range:
    """A range of 1-based lines and columns; `end_column` is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class CodeFrames:
    """The frames of one file.

    Args:
        code: its text.
        secrets: ranges that are replaced by asterisks.
    """

    def __init__(self, code: str, secrets: Iterable[Range] = ()) -> None:
        self._lines = [line.removesuffix("\r") for line in code.split("\n")]
        if len(self._lines) > 1 and not self._lines[-1]:
            self._lines.pop()
        for secret in secrets:
            for number in range(secret.line, min(secret.end_line, len(self._lines)) + 1):
                line = self._lines[number - 1]
                begin, end = _part(secret, number, line)
                self._lines[number - 1] = line[:begin] + "*" * (end - begin) + line[end:]

    def frame(self, at: Range, style: str) -> Iterator[StyledLine]:
        """Yield the lines of a frame around `at`, with the range underlined in `style`."""
        first, last = max(at.line - AROUND, 1), min(at.end_line + AROUND, len(self._lines))
        width = len(str(last))
        yield _row("", width)
        for number in range(first, last + 1):
            after = number - at.line
            if after >= MAX_LINES // 2 and number <= at.end_line - MAX_LINES // 2:
                if after == MAX_LINES // 2:
                    yield styled(("...", _GUTTER))
            elif at.line == at.end_line:
                yield from self._single_line(number, width, at, style)
            else:
                yield from self._multi_line(number, width, at, style)
        yield _row("", width)

    def _single_line(self, number: int, width: int, at: Range, style: str) -> Iterator[StyledLine]:
        """Yield a line, and carets under its share of the range."""
        inside = number == at.line
        line, begin, end = _cut(self._lines[number - 1], at, number)
        yield _row(number, width, _display_text(line))
        if inside:
            marks = "^" * max(_cells(line[begin:end]), 1)
            yield _row("", width, " " * _cells(line[:begin]), (marks, style))

    def _multi_line(self, number: int, width: int, at: Range, style: str) -> Iterator[StyledLine]:
        """Yield a line; a vertical bar on the left connects the range's start and end."""
        line, begin, end = _cut(self._lines[number - 1], at, number)
        flush = number == at.line and not line[:begin].strip()
        side = "/ " if flush else "| " if at.line < number <= at.end_line else "  "
        yield _row(number, width, (side, style), _display_text(line))
        if number == at.line and not flush:
            yield _row("", width, (" " + "_" * (_cells(line[:begin]) + 1) + "^", style))
        if number == at.end_line:
            yield _row("", width, ("|" + "_" * max(_cells(line[:end]), 1) + "^", style))


def _part(at: Range, number: int, line: str) -> tuple[int, int]:
    """Return the offsets at which the range starts and ends in `line`, which has `number`."""
    begin = at.column - 1 if number == at.line else 0
    end = at.end_column - 1 if number == at.end_line else len(line)
    return min(begin, len(line)), min(max(begin, end), len(line))


def _cut(line: str, at: Range, number: int) -> tuple[str, int, int]:
    begin, end = _part(at, number, line)
    if len(line) <= MAX_WIDTH:
        return line, begin, end
    first = max((end if number == at.end_line > at.line else begin) - _LEAD, 0)
    kept = line[first : first + MAX_WIDTH]
    lead, rest = "…" * (first > 0), "…" * (first + MAX_WIDTH < len(line))
    shift = len(lead) - first
    limit = len(lead) + len(kept)
    return f"{lead}{kept}{rest}", max(begin + shift, 0), min(max(end + shift, 0), limit)


def _row(number: int | str, width: int, *parts: str | tuple[str, str]) -> StyledLine:
    gutter = (f"{number:>{width}} |", _GUTTER)
    return styled(gutter, " ", *parts).without_trailing_space()


def _display_text(text: str) -> str:
    """Return `text` without unprintable characters; a tab becomes four spaces."""
    return printable(text.replace("\t", "    "))


def _cells(text: str) -> int:
    shown = _display_text(text)
    if shown.isascii():
        return len(shown)
    from rich.cells import cell_len  # noqa: PLC0415 - only needed for wide characters

    return cell_len(shown)
