"""Masks scheduling parameters: each becomes an identifier of the same length, so offsets stay valid.

DataWorks replaces `${…}`, `$[…]`, `$name` and `$name$` before a node runs, within strings too; `{{…}}` and
`@@{…}` (SQL components) are replaced likewise.
Source: help pages "Supported formats of scheduling parameters" and "SQL component" of DataWorks.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from review.dialects import LexicalRules

FILL = "p"

_MAX_NESTING = 3
"""Levels of `${…}` in one another: `${dag.loopDataArray[${dag.offset}]}` is a parameter of for-each nodes."""


def _nested_pattern(levels: int) -> str:
    """Return the pattern of `${…}` with up to `levels - 1` levels of others in it."""
    inner = rf"(?:{_nested_pattern(levels - 1)})|\$(?!\{{)" if levels > 1 else r"\$(?!\{)"
    return rf"\$\{{(?:[^{{}}$\n]|{inner})*+\}}"


# `$[0]` and `$['a']` are JSON paths; a scheduling time starts with a letter (`$[yyyymmdd-1]`).
_BRACED = (
    rf"{_nested_pattern(_MAX_NESTING)}|\$\[[ ]*[A-Za-z][^\[\]\n]*\]|\{{\{{[^{{}}\n]*\}}\}}|@@\{{[^{{}}\n]*\}}"
)
_NAME = re.compile(r"[^\W\d][\w.]*")
_TIME = re.compile(r"(?:yyyy|yy|mm|dd|hh24|hh12|hh|mi|ss|[_.])++", re.IGNORECASE)
"""A name that is a custom time format (`yyyymmdd`), which scheduling computes."""
_SYSTEM = ("bdp.system.", "system.")


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text with its scheduling parameters masked.

    Attributes:
        text: as long as the original.
        spans: start and end of each parameter, in order.
    """

    text: str
    spans: tuple[tuple[int, int], ...]

    def has_parameter(self, begin: int, end: int) -> bool:
        """Whether a parameter overlaps the range between the offsets `begin` and `end`."""
        # Spans do not overlap, so the last one that starts before `end` also ends last.
        index = bisect_left(self.spans, (end, 0))
        return index > 0 and self.spans[index - 1][1] > begin

    def within(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parameters that are wholly between the offsets `begin` and `end`."""
        for index in range(bisect_left(self.spans, (begin, 0)), len(self.spans)):
            if self.spans[index][1] > end:
                return
            yield self.spans[index]


def mask_parameters(code: str, words: LexicalRules) -> MaskedText:
    """Return `code` with its parameters replaced by identifiers.

    Args:
        code: the text of a node.
        words: its language's lexical rules: where `$tag$` starts a string it is not a parameter; where a name
            may contain `$`, `v$session` is not one either.
    """
    spans: list[tuple[int, int]] = []

    def fill(match: re.Match[str]) -> str:
        spans.append(match.span())
        return FILL * len(match.group())

    text = _parameter(words.dollar_string, words.dollar_name).sub(fill, code)
    return MaskedText(text, tuple(spans))


def parameter_name(text: str) -> str:
    """Return the name that scheduling must define for the parameter `text` (`${bizdate}` → `bizdate`).

    Empty if it needs no definition: scheduling times (`${yyyymmdd}`, `$[yyyymmdd-1]`), system parameters
    (`${bdp.system.bizdate}`), component parameters (`@@{…}`), and anything that is not a plain name.
    """
    if text.startswith(("$[", "@@")):
        return ""
    inside = text.strip("${} ").strip()
    if not _NAME.fullmatch(inside) or _TIME.fullmatch(inside) or inside.startswith(_SYSTEM):
        return ""
    return inside


@cache
def _parameter(dollar_string: bool, dollar_name: bool) -> re.Pattern[str]:
    bare = r"\$[A-Za-z_]\w*(?![\w$])" if dollar_string else r"\$[A-Za-z_]\w*(?:\$(?![\[{]))?"
    before = r"(?<![\w$])" if dollar_name else ""
    return re.compile(f"{_BRACED}|{before}{bare}")
