"""What a review says, as plain values: for people, programs, SARIF readers and GitHub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from common.text.i18n import Language
from common.verdicts import Finding, Result, Severity
from review.dialects import Dialect
from review.rules import external_rules
from review.rules.registry import BUILT_IN, BY_ID, RULES
from review.rules.rule_page import load_page

PAGES = "docs/rules"
"""Where the rules' pages lie."""

SECRETS = external_rules.SECRETS | {rule.id for rule in RULES if rule.secret}
"""Ids of rules whose places hold secrets: no output shows them."""


@dataclass(frozen=True, slots=True)
class ReviewedFile:
    """One file that was looked at.

    Attributes:
        path: as people name it; `-` for standard input.
        code: its text, or the script in it; None when it has none.
        unreviewable: what was not reviewed and why, in a few words; None if everything was.
        on_unreviewable: what that counts as.
    """

    path: str
    dialect: Dialect
    code: str | None
    findings: tuple[Finding, ...]
    unreviewable: str | None = None
    on_unreviewable: Result = Result.FAIL


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """A rule in a few words of one language.

    Attributes:
        name: its name in words with hyphens; an outside tool's rule is called by its id.
        title: what is wrong, in one line.
        why: what happens otherwise, in one paragraph; empty for rules of outside tools and of plug-ins.
        url: its page: below `docs/` of dwgate, or the tool's own; None when there is none.
    """

    name: str
    title: str
    why: str
    url: str | None

    @property
    def is_url_absolute(self) -> bool:
        """Whether `url` can be opened anywhere."""
        return self.url is not None and self.url.startswith(("https://", "http://"))


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of all files.

    Attributes:
        rules_url: the URL at which the pages of the rules are; None if they are not published.
        hidden: how many findings are left out because their severity is below the one requested.
    """

    files: tuple[ReviewedFile, ...]
    language: Language = Language.ENGLISH
    rules_url: str | None = None
    hidden: int = 0

    def describe(self, rule: str) -> RuleDescription:
        """Return what is said of `rule` wherever it found something."""
        return describe_rule(rule, self.language, self.rules_url)

    @property
    def findings(self) -> Iterator[Finding]:
        """The findings of all files."""
        return (item for file in self.files for item in file.findings)


def without_lower_severities(report: Report, minimum: Severity) -> Report:
    """Return `report` without the findings below `minimum`, which it counts as hidden."""
    shown = frozenset(list(Severity)[list(Severity).index(minimum) :])
    files = tuple(
        replace(file, findings=tuple(item for item in file.findings if item.severity in shown))
        for file in report.files
    )
    hidden = sum(item.severity not in shown for item in report.findings)
    return replace(report, files=files, hidden=report.hidden + hidden)


@cache
def describe_rule(rule: str, language: Language, rules_url: str | None = None) -> RuleDescription:
    """Return what is said of `rule` wherever it found something.

    Args:
        rule: its id.
        language: of the description.
        rules_url: the URL at which the pages of the rules are; without it, their path is given.
    """
    if rule not in BY_ID:
        title = external_rules.title_of(rule)
        shown = title.in_language(language) if title else rule
        return RuleDescription(rule, shown, "", external_rules.docs_url(rule))
    if BY_ID[rule] not in BUILT_IN:
        return RuleDescription(BY_ID[rule].name, BY_ID[rule].title, "", None)
    page = load_page(BY_ID[rule])
    why = page.why.in_language(language).partition("\n\n")[0]
    folder = PAGES if rules_url is None else rules_url.rstrip("/")
    if language is Language.CHINESE:
        folder += "/zh"
    return RuleDescription(
        BY_ID[rule].name, page.title.in_language(language), _joined(why, language), f"{folder}/{rule}.md"
    )


def report_json(report: Report) -> dict[str, Any]:
    """Return the files with their findings; lines and columns are 1-based, ends exclusive."""
    return {
        "files": [
            {
                "path": file.path,
                "dialect": file.dialect.value,
                "unreviewable": file.unreviewable,
                "findings": [_finding(item, report) for item in file.findings],
            }
            for file in report.files
        ],
        "hidden": report.hidden,
    }


def secrets_beside(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the secrets among the findings on what surrounds a script; they have no position in it."""
    for item in findings:
        if item.rule in SECRETS:
            yield replace(item, line=None, column=None, end_line=None, end_column=None)


def count_by_severity(findings: Iterable[Finding]) -> Counter[str]:
    """Return how many findings there are of each severity, and how many are `suppressed` or `waived`."""
    return Counter(suppression_status(item) or item.severity.value for item in findings)


def suppression_status(item: Finding) -> str | None:
    """Return `suppressed` or `waived` for a finding that does not count, and None for one that does."""
    if item.suppressed is not None:
        return "suppressed"
    return "waived" if item.waived is not None else None


def count_by_rule(findings: Iterable[Finding]) -> Counter[str]:
    """Return how many findings of each rule count: those neither suppressed nor waived."""
    return Counter(item.rule for item in findings if suppression_status(item) is None)


def has_blocking(reviewed: Sequence[ReviewedFile]) -> bool:
    """Whether a finding counts that is more than a note, or a file was not reviewed and that counts."""
    counts = count_by_severity(item for file in reviewed for item in file.findings)
    gaps = any(file.unreviewable and file.on_unreviewable is not Result.OK for file in reviewed)
    return bool(gaps or counts[Severity.BLOCK.value] or counts[Severity.WARN.value])


def _finding(item: Finding, report: Report) -> dict[str, Any]:
    description = report.describe(item.rule)
    return {
        "rule": item.rule,
        "name": description.name,
        "severity": item.severity.value,
        "line": item.line,
        "column": item.column,
        "end_line": item.end_line,
        "end_column": item.end_column,
        "message": item.message,
        "why": description.why or None,
        "help": item.help,
        "url": description.url,
        "suppressed": item.suppressed,
        "waived": None if item.waived is None else str(item.waived),
        "fingerprint": item.fingerprint,
    }


def _joined(paragraph: str, language: Language) -> str:
    lines = [line.strip() for line in paragraph.splitlines()]
    return ("" if language is Language.CHINESE else " ").join(lines)
