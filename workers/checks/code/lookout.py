"""Findings for what a check could not look at: they warn, so that nothing passes unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from common.i18n import Language, Text
from common.verdicts import Finding, Severity

RULE = "not-looked-at"


def not_looked_at(what: Text, language: Language, line: int | None = None) -> Finding:
    """Return the finding that `what` was not looked at."""
    said = Text(f"Not looked at: {what.en}.", f"未检查：{what.zh}。")
    help_ = Text("Have a person look at it.", "请人工检查。")
    return Finding(RULE, Severity.WARN, said.said(language), line=line, help=help_.said(language))


def unread(lines: Sequence[int], language: Language) -> Iterator[Finding]:
    """Yield one finding when code, at these lines, could not be read, or is made at run time."""
    if lines:
        places, first = len(lines), min(lines)
        at = "1 place" if places == 1 else f"{places} places"
        what = Text(
            f"code that cannot be read, or is made at run time, at {at} from line {first} on",
            f"自第 {first} 行起有 {places} 处代码无法解析或在运行时生成",
        )
        yield not_looked_at(what, language, first)
