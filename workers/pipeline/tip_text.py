"""What the tip says in each language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from common.i18n import Language
from common.verdicts import Result


@dataclass(frozen=True, slots=True)
class TipTemplates:
    """The words of one language. Those in braces are put in."""

    passed: str
    found: Mapping[Result, str]
    unrun: Mapping[Result, str]
    unchecked: str
    no_check: str
    finding: str
    several: str
    warning: str
    line: str
    fix: str
    more: str
    waived: str
    until: str
    today: str
    tomorrow: str
    days: str
    noted: str
    not_run: str
    timed_out: str
    failed: str
    because: str
    counted: str
    and_others: str
    details: str
    event: str
    comma: str
    semicolon: str

    def findings(self, count: int) -> str:
        """Return so many findings in words."""
        return self.finding if count == 1 else self.several.format(count=count)

    def ends(self, days: int) -> str:
        """Return in how many days something ends, in words."""
        return {0: self.today, 1: self.tomorrow}.get(days, self.days.format(days=days))


_ENGLISH = TipTemplates(
    passed="OK: passed.",
    found={
        Result.FAIL: "FAIL: blocked by {found}.",
        Result.WARN: "WARN: passed, with {found} to look at.",
    },
    unrun={
        Result.FAIL: "FAIL: blocked, because not every check could be run. Try again in a while.",
        Result.WARN: "WARN: passed, but not every check could be run.",
    },
    unchecked="{result}: {why}",
    no_check="no check applies to this operation.",
    finding="1 finding",
    several="{count} findings",
    warning="(warning) ",
    line="line {line}: ",
    fix=" Fix: {help}",
    more="and {count} more",
    waived="Waived: {count} ({waivers})",
    until="{id} until {moment}",
    today="ends within a day",
    tomorrow="ends in 1 day",
    days="ends in {days} days",
    noted="Noted, not counted: {count} ({names})",
    not_run="Not run: {checks}",
    timed_out="no answer in time",
    failed="failed",
    because="{kind}: {detail}",
    counted="{name} ({why}), counted as {result}",
    and_others="{count} others, counted as {result} at most",
    details="Details: {url}",
    event="Event {id}",
    comma=", ",
    semicolon="; ",
)

_CHINESE = TipTemplates(
    passed="OK：检查通过。",
    found={
        Result.FAIL: "FAIL：已阻断，须处理 {found}。",
        Result.WARN: "WARN：通过，但有 {found}需要留意。",
    },
    unrun={
        Result.FAIL: "FAIL：已阻断，因为有检查未能执行。请稍后重试。",
        Result.WARN: "WARN：通过，但有检查未能执行。",
    },
    unchecked="{result}：{why}",
    no_check="此操作没有适用的检查。",
    finding="1 个问题",
    several="{count} 个问题",
    warning="（警告）",
    line="第 {line} 行：",
    fix=" 建议：{help}",
    more="另有 {count} 项",
    waived="已豁免：{count} 项（{waivers}）",
    until="{id} 有效至 {moment}",
    today="一天内到期",
    tomorrow="1 天后到期",
    days="{days} 天后到期",
    noted="仅记录，不计入结果：{count} 项（{names}）",
    not_run="未能执行：{checks}",
    timed_out="未及时返回",
    failed="执行失败",
    because="{kind}：{detail}",
    counted="{name}（{why}），按 {result} 计",
    and_others="另有 {count} 项，最高按 {result} 计",
    details="详情：{url}",
    event="事件 {id}",
    comma="，",
    semicolon="；",
)

TEMPLATES: Mapping[Language, TipTemplates] = {Language.ENGLISH: _ENGLISH, Language.CHINESE: _CHINESE}


def truncate(text: str, limit: int) -> str:
    """Return `text` on one line, cut to `limit` characters; a letter keeps its accents."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    end = max(limit - 1, 0)
    while end and unicodedata.combining(line[end]):
        end -= 1
    return line[:end] + "…"
