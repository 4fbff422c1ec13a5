"""Findings as terminal text: message, location, underlined code, reason and fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from common.text.i18n import Language
from common.verdicts import Finding, Severity
from console.output import tables
from console.output.code_frames import CodeFrames, Range
from review.analysis.secret_mask import SecretMask
from review.report import SECRETS, ReviewedFile, count_by_severity, describe_rule, suppression_status

_STYLES = {Severity.BLOCK: "bold red", Severity.WARN: "bold yellow", Severity.INFO: "bold cyan"}
_WHY = {Language.ENGLISH: "why: ", Language.CHINESE: "原因："}
_FIX = {Language.ENGLISH: "fix: ", Language.CHINESE: "建议："}
_SEE = {Language.ENGLISH: "see: ", Language.CHINESE: "详见："}
_UNREVIEWABLE = {Language.ENGLISH: "unreviewable: ", Language.CHINESE: "无法评审："}
_COUNTED = {"block": "阻断", "warn": "警告", "info": "提示", "suppressed": "已屏蔽", "waived": "已豁免"}


def show_findings(reviewed: Sequence[ReviewedFile], language: Language) -> None:
    """Print every finding with its code underlined, then a summary."""
    out = tables.console()
    for file in reviewed:
        frames = _frames(file)
        explained: set[str] = set()
        for item in file.findings:
            for line in _render_finding(file.path, item, frames, language):
                out.print(line, soft_wrap=True)
            for line in _advice(item, language, first=item.rule not in explained):
                out.print(line, soft_wrap=True)
            out.print()
            if suppression_status(item) is None:
                explained.add(item.rule)
        if file.unreviewable is not None:
            head = Text.assemble((_UNREVIEWABLE[language], "bold red"), tables.text(file.unreviewable))
            out.print(head, soft_wrap=True)
            out.print(Text.assemble(("  --> ", "blue"), tables.text(file.path)), soft_wrap=True)
            out.print()
    out.print(_summary(reviewed, language))


def _frames(file: ReviewedFile) -> CodeFrames | None:
    """Return the frames of a file; its secrets are blank, also those that no listed finding is about."""
    if file.code is None:
        return None
    secrets = [at for item in file.findings if item.rule in SECRETS and (at := _range(item))]
    return CodeFrames(SecretMask(file.code, file.dialect).blank(file.code), secrets)


def _render_finding(
    path: str, item: Finding, frames: CodeFrames | None, language: Language
) -> Iterator[Text]:
    rule = describe_rule(item.rule, language)
    place = ":".join(str(part) for part in (path, item.line, item.column) if part is not None)
    if (why := suppression_status(item)) is not None:
        yield tables.text(f"{why}[{item.rule}] {rule.name}: {item.suppressed or item.waived}")
        yield Text.assemble(("  --> ", "blue"), tables.text(place))
        return
    style = _STYLES[item.severity]
    head = tables.text(f"{rule.name}: {item.message}")
    yield Text.assemble((f"{item.severity.value}[{item.rule}]", style), " ", head)
    yield Text.assemble(("  --> ", "blue"), tables.text(place))
    if frames and (at := _range(item)):
        yield from frames.frame(at, style)


def _advice(item: Finding, language: Language, *, first: bool) -> Iterator[Text]:
    if suppression_status(item) is not None:
        return
    rule = describe_rule(item.rule, language)
    if first and rule.why:
        yield Text.assemble((_WHY[language], "bold"), tables.text(rule.why))
    if item.help:
        yield Text.assemble((_FIX[language], "bold"), tables.text(item.help))
    if first and rule.url:
        is_external = rule.url.startswith("https://")
        yield Text.assemble(
            (_SEE[language], "bold"), rule.url if is_external else f"dwgate rules {item.rule}"
        )


def _range(item: Finding) -> Range | None:
    if item.line is None or item.column is None:
        return None
    return Range(item.line, item.column, item.end_line or item.line, item.end_column or item.column)


def _summary(reviewed: Sequence[ReviewedFile], language: Language) -> str:
    counts = count_by_severity(item for file in reviewed for item in file.findings)
    files = len(reviewed)
    gaps = sum(file.unreviewable is not None for file in reviewed)
    if language is Language.CHINESE:
        summary = "，".join(f"{word} {counts[key]}" for key, word in _COUNTED.items() if counts[key])
        incomplete = f"{gaps} 个文件未能完整评审。" if gaps else ""
        return f"已检查 {files} 个文件：{summary or '未发现问题'}。{incomplete}"
    summary = ", ".join(f"{counts[key]} {key}" for key in _COUNTED if counts[key])
    incomplete = f" {gaps} of them not completely." if gaps else ""
    return f"{files} file{'' if files == 1 else 's'} reviewed: {summary or 'no findings'}.{incomplete}"
