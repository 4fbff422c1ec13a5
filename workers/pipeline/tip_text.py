"""The texts of the tip in each language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.text.i18n import Language
from common.text.printable import printable
from common.verdicts import Result


@dataclass(frozen=True, slots=True)
class TipTemplates:
    """The texts of one language; names in braces are replaced by values."""

    passed: str
    found: Mapping[Result, str]
    unrun: Mapping[Result, str]
    unreviewed: Mapping[Result, str]
    unchecked: str
    no_check: str
    finding: str
    several: str
    warning: str
    line: str
    fix: str
    more: str
    suppressed: str
    at_lines: str
    waived: str
    until: str
    today: str
    tomorrow: str
    days: str
    noted: str
    not_reviewed: str
    not_run: str
    timed_out: str
    failed: str
    because: str
    counted: str
    and_others: str
    contact: str
    details: str
    event: str
    comma: str
    semicolon: str

    def findings(self, count: int) -> str:
        """Return `count` findings in words."""
        return self.finding if count == 1 else self.several.format(count=count)

    def rule_at(self, rule: str, lines: Sequence[int]) -> str:
        """Return a rule with the lines of its findings."""
        return self.at_lines.format(rule=rule, lines=self.comma.join(map(str, lines))) if lines else rule

    def expires(self, days: int) -> str:
        """Return in words that something expires in `days` days."""
        return {0: self.today, 1: self.tomorrow}.get(days, self.days.format(days=days))


_ENGLISH = TipTemplates(
    passed="OK: passed.",
    found={
        Result.FAIL: "FAIL: blocked by {found}.",
        Result.WARN: "WARN: passed with {found} to review.",
    },
    unrun={
        Result.FAIL: "FAIL: blocked because some checks could not run. Try again later.",
        Result.WARN: "WARN: passed, but some checks could not run.",
    },
    unreviewed={
        Result.FAIL: "FAIL: blocked because not everything could be reviewed. Correct, simplify or split it.",
        Result.WARN: "WARN: passed, but not everything could be reviewed. Correct, simplify or split it.",
    },
    unchecked="{result}: {reason}",
    no_check="no check applies to this operation.",
    finding="1 finding",
    several="{count} findings",
    warning="(warning) ",
    line="line {line}: ",
    fix=" Fix: {help}",
    more="and {count} more",
    suppressed="Suppressed in the code although blocking: {count} ({findings})",
    at_lines="{rule} line {lines}",
    waived="Waived: {count} ({waivers})",
    until="{id} until {moment}",
    today="expires within a day",
    tomorrow="expires in 1 day",
    days="expires in {days} days",
    noted="Recorded, not counted: {count} ({names})",
    not_reviewed="Not reviewed: {checks}",
    not_run="Not run: {checks}",
    timed_out="timed out",
    failed="failed",
    because="{kind}: {detail}",
    counted="{name} ({reason}), counted as {result}",
    and_others="{count} more, counted as {result} at most",
    contact="Questions: {contact}",
    details="Details: {url}",
    event="Event {id}",
    comma=", ",
    semicolon="; ",
)

_CHINESE = TipTemplates(
    passed="OK：检查通过。",
    found={
        Result.FAIL: "FAIL：已阻断，需处理 {found}。",
        Result.WARN: "WARN：已通过，但有 {found}需要关注。",
    },
    unrun={
        Result.FAIL: "FAIL：已阻断，因为部分检查未能执行。请稍后重试。",
        Result.WARN: "WARN：已通过，但部分检查未能执行。",
    },
    unreviewed={
        Result.FAIL: "FAIL：已阻断，因为部分内容无法评审。请修正、简化或拆分后重试。",
        Result.WARN: "WARN：已通过，但部分内容无法评审。请修正、简化或拆分。",
    },
    unchecked="{result}：{reason}",
    no_check="此操作没有适用的检查。",
    finding="1 个问题",
    several="{count} 个问题",
    warning="（警告）",
    line="第 {line} 行：",
    fix=" 建议：{help}",
    more="另有 {count} 项",
    suppressed="代码中屏蔽的阻断级问题：{count} 项（{findings}）",
    at_lines="{rule} 第 {lines} 行",
    waived="已豁免：{count} 项（{waivers}）",
    until="{id} 有效至 {moment}",
    today="一天内到期",
    tomorrow="1 天后到期",
    days="{days} 天后到期",
    noted="仅记录，不计入结果：{count} 项（{names}）",
    not_reviewed="未能评审：{checks}",
    not_run="未能执行：{checks}",
    timed_out="超时",
    failed="执行失败",
    because="{kind}：{detail}",
    counted="{name}（{reason}），按 {result} 计",
    and_others="另有 {count} 项，最高按 {result} 计",
    contact="联系方式：{contact}",
    details="详情：{url}",
    event="事件 {id}",
    comma="，",
    semicolon="；",
)

TEMPLATES: Mapping[Language, TipTemplates] = {Language.ENGLISH: _ENGLISH, Language.CHINESE: _CHINESE}


def truncate(text: str, limit: int) -> str:
    """Return `text` on one line, truncated to `limit` characters; a letter keeps its combining accents."""
    line = printable(" ".join(text.split()))
    if len(line) <= limit:
        return line
    end = max(limit - 1, 0)
    while end and unicodedata.combining(line[end]):
        end -= 1
    return line[:end] + "…"
