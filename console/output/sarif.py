"""Findings as SARIF 2.1.0, which code scanning services read. Source: the OASIS standard of that name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from urllib.parse import quote

from common.json_types import Json
from common.text.i18n import Language
from common.verdicts import Finding, Result, Severity
from review.report import Report, ReviewedFile
from review.rules.registry import BY_ID

_LEVELS = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.INFO: "note"}
_NOTIFICATION_LEVELS = {Result.FAIL: "error", Result.WARN: "warning", Result.OK: "note"}
_STANDARD_INPUT = "stdin"


def build_sarif(report: Report, version: str) -> Json:
    """Return the log of one run by dwgate `version`; waived findings count as suppressed."""
    rules = sorted({item.rule for item in report.findings})
    order = {rule: index for index, rule in enumerate(rules)}
    driver = {
        "name": "dwgate",
        "version": version,
        "rules": [_rule(rule, report) for rule in rules],
    }
    results = [_result(file.path, item, order) for file in report.files for item in file.findings]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "language": "zh-CN" if report.language is Language.CHINESE else "en-US",
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(report.files)],
                "results": results,
                "properties": {"hiddenFindings": report.hidden},
            }
        ],
    }


def _invocation(reviewed: Sequence[ReviewedFile]) -> Json:
    """Return what the run could not review: notifications, so that it does not depend on any rule."""
    notifications: list[Json] = [
        {
            "level": _NOTIFICATION_LEVELS[file.on_unreviewable],
            "descriptor": {"id": "unreviewable"},
            "message": {"text": file.unreviewable},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file.path)}}}],
        }
        for file in reviewed
        if file.unreviewable is not None
    ]
    invocation: Json = {"executionSuccessful": not notifications}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation


def _rule(rule: str, report: Report) -> Json:
    description = report.describe(rule)
    known = BY_ID.get(rule)
    descriptor: Json = {
        "id": rule,
        "name": description.name,
        "shortDescription": {"text": description.title},
    }
    if description.why:
        descriptor["fullDescription"] = {"text": description.why}
    if known:
        descriptor["help"] = {"text": known.fix.zh if report.language is Language.CHINESE else known.fix.en}
        descriptor["defaultConfiguration"] = {"level": _LEVELS[known.severity]}
    if description.is_url_absolute:
        descriptor["helpUri"] = description.url
    return descriptor


def _result(path: str, item: Finding, order: dict[str, int]) -> Json:
    result: Json = {
        "ruleId": item.rule,
        "ruleIndex": order[item.rule],
        "level": _LEVELS[item.severity],
        "message": {"text": f"{item.message} {item.help}" if item.help else item.message},
        "locations": [{"physicalLocation": _location(path, item)}],
    }
    if item.fingerprint:
        result["partialFingerprints"] = {"dwgate/v2": item.fingerprint}
    if item.suppressed is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": item.suppressed}]
    elif item.waived is not None:
        result["suppressions"] = [{"kind": "external", "justification": str(item.waived)}]
    return result


def _location(path: str, item: Finding) -> Json:
    location: Json = {"artifactLocation": {"uri": _uri(path)}}
    if item.line:
        region = {
            "startLine": item.line,
            "startColumn": item.column,
            "endLine": item.end_line,
            "endColumn": item.end_column,
        }
        location["region"] = {key: value for key, value in region.items() if value is not None}
    return location


def _uri(path: str) -> str:
    if path == "-":
        return _STANDARD_INPUT
    pure = PurePath(path)
    return Path(path).as_uri() if pure.is_absolute() else quote(pure.as_posix())
