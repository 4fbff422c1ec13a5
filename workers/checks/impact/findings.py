"""How a check that looks up reports what it knows, and what it could not check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from common.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks.api import Context
from workers.checks.impact.graph_walk import StopReason, Unexplored
from workers.checks.impact.summary import unexplored_text
from workers.checks.not_checked import not_checked
from workers.dataworks.errors import DataWorksError

_REMEDY = Text(
    "Review it in the Operation Center, or raise the check's limits in the policy.",
    "请在运维中心人工确认，或在策略中放宽该检查的上限。",
)


def chain_findings(context: Context, *questions: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings of several questions, asked one after the other.

    A fault that comes after a finding is reported as one, so that what is known is not lost with it.

    Raises:
        DataWorksError: DataWorks could not be asked, and nothing was found before.
    """
    known = False
    for question in questions:
        try:
            for item in question:
                known = True
                yield item
        except DataWorksError as error:
            if not known:
                raise
            yield from unexplored(
                context, [Unexplored(StopReason.FAILED, (), f"{error.action}: {error.code}")]
            )


def unexplored(context: Context, unseen: Sequence[Unexplored]) -> Iterator[Finding]:
    """Yield a finding for what was not checked, if there is something.

    It is a warning; a remark when all that stopped was the number of hops, which the policy sets.
    """
    if unseen:
        severity = Severity.INFO if all(item.reason is StopReason.DEPTH for item in unseen) else Severity.WARN
        yield not_checked(context, unexplored_text(unseen), severity=severity, remedy=_REMEDY)
