"""Reports what a check with lookups found, and what it could not check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from common.text.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks.api import Context
from workers.checks.impact.evidence import record_unexplored
from workers.checks.impact.graph_walk import StopReason, Unexplored
from workers.checks.impact.summary import unexplored_text
from workers.checks.not_checked import not_checked
from workers.dataworks.errors import DataWorksError

_REMEDY = Text(
    "Review it in the Operation Center, or raise the check's limits in the policy.",
    "请在运维中心人工确认，或在策略中放宽该检查的上限。",
)


def chain_findings(context: Context, *sources: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings of several sources in sequence.

    An error after the first finding becomes a finding itself, so that the earlier ones are not lost.

    Raises:
        DataWorksError: a lookup failed before the first finding.
    """
    known = False
    for source in sources:
        try:
            for item in source:
                known = True
                yield item
        except DataWorksError as error:
            if not known:
                raise
            failed = [Unexplored(StopReason.FAILED, (), f"{error.action}: {error.code}")]
            record_unexplored(context.impact, failed)
            yield from unexplored(context, failed)


def unexplored(context: Context, unseen: Sequence[Unexplored]) -> Iterator[Finding]:
    """Yield a finding for the unexplored part of a search, if there is one.

    It is a warning; INFO if only the depth, which the policy sets, ended the search.
    """
    if unseen:
        severity = Severity.INFO if all(item.reason is StopReason.DEPTH for item in unseen) else Severity.WARN
        yield not_checked(context, unexplored_text(unseen), severity=severity, remedy=_REMEDY)
