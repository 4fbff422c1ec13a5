"""Scheduling parameters made parseable: each becomes an identifier of its own length, so places stay right.

DataWorks replaces `${…}`, `$[…]`, `$name` and `$name$` before a node runs, within strings too; `{{…}}` and
`@@{…}` (SQL components) are replaced likewise.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

_BRACED = r"\$\{[^{}\n]*\}|\$\[[^\[\]\n]*\]|\{\{[^{}\n]*\}\}|@@\{[^{}\n]*\}"
_PARAMETER = re.compile(rf"{_BRACED}|\$[A-Za-z_]\w*\$?")
_BRACED_ONLY = re.compile(rf"{_BRACED}|\$[A-Za-z_]\w*(?![\w$])")

FILL = "p"


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without scheduling parameters.

    Attributes:
        text: as long as the original.
        spans: where parameters stood (begin, end), in order.
    """

    text: str
    spans: tuple[tuple[int, int], ...]

    def has_parameter(self, begin: int, end: int) -> bool:
        """Whether a parameter stands, in part or whole, between the offsets `begin` and `end`."""
        # Spans do not overlap, so the last one that begins before `end` also ends last.
        index = bisect_left(self.spans, (end, 0))
        return index > 0 and self.spans[index - 1][1] > begin


def mask(code: str, *, dollar_strings: bool = False) -> Masked:
    """Return `code` with its parameters made identifiers.

    Args:
        code: the text of a node.
        dollar_strings: whether `$tag$` begins a string, as in PostgreSQL, and so is no parameter.
    """
    pattern = _BRACED_ONLY if dollar_strings else _PARAMETER
    spans: list[tuple[int, int]] = []

    def fill(match: re.Match[str]) -> str:
        spans.append(match.span())
        return FILL * len(match.group())

    text = pattern.sub(fill, code)
    return Masked(text, tuple(spans))
