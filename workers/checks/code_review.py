"""The check `code-review`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from common.verdicts import Finding, Severity
from workers.checks import fields
from workers.checks.check import Context, Options, Runs, Skip
from workers.checks.registry import check
from workers.review.engine import review
from workers.review.rules.catalogue import BY_ID

MOST_LISTED = 100
"""Findings that are kept of one file; the rest are counted."""

_DELETED = ("DELETE", "2", 2)
"""DataWorks writes the kind of a change as a word in the detail and as a number in the event."""

_RANKS = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}


class Weight(StrEnum):
    """What a rule's findings are made, or that the rule is off."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"
    OFF = "off"


def _known(rule: str) -> str:
    if rule not in BY_ID:
        raise ValueError(f"no such rule; wants one of {', '.join(sorted(BY_ID))}")
    return rule


class CodeReviewOptions(Options):
    """What a workspace may set."""

    severity: dict[Annotated[str, AfterValidator(_known)], Weight] = Field(
        default_factory=dict,
        description="block, warn, info or off by rule id, instead of the rule's own severity",
    )


@check(
    "code-review",
    points=("commit-file", "deploy-file", "run-file"),
    runs=Runs.CPU,
    options=CodeReviewOptions,
    snapshot=True,
)
def code_review(context: Context) -> Iterator[Finding]:
    """Ask whether the code keeps the review rules.

    Why: a SELECT *, a cartesian join, a DELETE without WHERE or a secret costs least before it is committed.

    Options:
        severity: block, warn, info or off by rule id, instead of the rule's own severity.
    """
    file = context.snapshot.file
    if (
        _DELETED[0] == (file.change_type if file else None)
        or context.event.data.get("changeType") in _DELETED
    ):
        raise Skip("the file is deleted")
    if file is None or not file.content.strip():
        raise Skip("the file has no code")
    found = [
        weighed
        for finding in review(file.content, _file_type(context))
        for weighed in _weigh(finding, context)
    ]
    found.sort(key=lambda finding: _RANKS[finding.severity])
    yield from found[:MOST_LISTED]
    if len(found) > MOST_LISTED:
        yield Finding(
            "more-findings", Severity.INFO, f"{len(found) - MOST_LISTED} more findings are not listed."
        )


def _weigh(finding: Finding, context: Context) -> Iterator[Finding]:
    weight = context.options.severity.get(finding.rule)
    if weight is None:
        yield finding
    elif weight is not Weight.OFF:
        yield Finding(
            finding.rule, Severity(weight.value), finding.message, finding.line, finding.column, finding.help
        )


def _file_type(context: Context) -> int | None:
    file = context.snapshot.file
    if file and file.file_type is not None:
        return file.file_type
    try:
        return fields.number(context.event.data, "fileType")
    except fields.Unreadable:
        return None
