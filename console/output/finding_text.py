"""Findings as terminal text: message, location, underlined code, reason and fix."""

from __future__ import annotations

from collections.abc import Iterator

from common.text.i18n import Language
from common.text.printable import printable
from common.verdicts import Finding, Severity
from console.output.code_frames import CodeFrames, Range
from console.output.styled_line import StyledLine, styled
from review.analysis.secret_mask import SecretMask
from review.report import SECRETS, Report, ReviewedFile, count_by_severity, suppression_status

_STYLES = {Severity.BLOCK: "bold red", Severity.WARN: "bold yellow", Severity.INFO: "bold cyan"}
_WHY = {Language.ENGLISH: "why: ", Language.CHINESE: "原因："}
_FIX = {Language.ENGLISH: "fix: ", Language.CHINESE: "建议："}
_SEE = {Language.ENGLISH: "see: ", Language.CHINESE: "详见："}
_UNREVIEWABLE = {Language.ENGLISH: "unreviewable: ", Language.CHINESE: "无法评审："}
_COUNTED = {"block": "阻断", "warn": "警告", "info": "提示", "suppressed": "已屏蔽", "waived": "已豁免"}


def finding_lines(report: Report) -> Iterator[StyledLine]:
    """Yield the lines of every finding with its code underlined, then a summary."""
    for file in report.files:
        frames = _frames(file)
        explained: set[str] = set()
        for item in file.findings:
            yield from _finding_lines(file.path, item, frames, report)
            yield from _advice(item, report, first=item.rule not in explained)
            yield StyledLine()
            if suppression_status(item) is None:
                explained.add(item.rule)
        if file.unreviewable is not None:
            yield styled((_UNREVIEWABLE[report.language], "bold red"), printable(file.unreviewable))
            yield _place_line(file.path)
            yield StyledLine()
    yield styled(summary(report))


def _frames(file: ReviewedFile) -> CodeFrames | None:
    """Return the frames of a file; its secrets are blank, also those that no listed finding is about."""
    if file.code is None:
        return None
    secrets = [at for item in file.findings if item.rule in SECRETS and (at := _range(item))]
    return CodeFrames(SecretMask(file.code, file.dialect).blank(file.code), secrets)


def _finding_lines(
    path: str, item: Finding, frames: CodeFrames | None, report: Report
) -> Iterator[StyledLine]:
    rule = report.describe(item.rule)
    place = _place_line(":".join(str(part) for part in (path, item.line, item.column) if part is not None))
    if (why := suppression_status(item)) is not None:
        yield styled(printable(f"{why}[{item.rule}] {rule.name}: {item.suppressed or item.waived}"))
        yield place
        return
    style = _STYLES[item.severity]
    head = printable(f" {rule.name}: {item.message}")
    yield styled((f"{item.severity.value}[{item.rule}]", style), head)
    yield place
    if frames and (at := _range(item)):
        yield from frames.frame(at, style)


def _place_line(place: str) -> StyledLine:
    return styled(("  --> ", "blue"), printable(place))


def _advice(item: Finding, report: Report, *, first: bool) -> Iterator[StyledLine]:
    if suppression_status(item) is not None:
        return
    rule, language = report.describe(item.rule), report.language
    if first and rule.why:
        yield styled((_WHY[language], "bold"), printable(rule.why))
    if item.help:
        yield styled((_FIX[language], "bold"), printable(item.help))
    if first and rule.url:
        page = rule.url if rule.is_url_absolute else f"dwgate rules {item.rule}"
        yield styled((_SEE[language], "bold"), page)


def _range(item: Finding) -> Range | None:
    if item.line is None or item.column is None:
        return None
    return Range(item.line, item.column, item.end_line or item.line, item.end_column or item.column)


def summary(report: Report) -> str:
    """Return how many files were reviewed, and how many findings there are of each severity."""
    counts = count_by_severity(report.findings)
    files, hidden = len(report.files), report.hidden
    gaps = sum(file.unreviewable is not None for file in report.files)
    if report.language is Language.CHINESE:
        found = "，".join(f"{word} {counts[key]}" for key, word in _COUNTED.items() if counts[key])
        left_out = f"另有 {hidden} 个级别较低的问题未显示（--severity info 可全部显示）。" if hidden else ""
        incomplete = f"{gaps} 个文件未能完整评审。" if gaps else ""
        return f"已检查 {files} 个文件：{found or '未发现问题'}。{incomplete}{left_out}"
    found = ", ".join(f"{counts[key]} {key}" for key in _COUNTED if counts[key])
    left_out = f" {hidden} of lower severity hidden; --severity info shows all." if hidden else ""
    incomplete = f" {gaps} of them not completely." if gaps else ""
    reviewed = f"{files} file{'' if files == 1 else 's'} reviewed"
    return f"{reviewed}: {found or 'no findings'}.{incomplete}{left_out}"
