"""Comments that name a waiver: they hold if that waiver covers the finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from common.verdicts import AppliedWaiver, Finding
from review.suppressions.model import REFERENCED_WAIVER, REFUSED, REFUSED_RULE


def settle_references(
    findings: Sequence[Finding], covering: Callable[[Finding, str], AppliedWaiver | None]
) -> Iterator[Finding]:
    """Yield findings, with those about comments that name a waiver marked as waived if that waiver holds.

    The review reports every comment `dwgate:ignore RULE waiver:ID`, since it knows no waivers. Such a finding
    counts unless the waiver covers all findings of the rule for which a comment names it.

    Args:
        findings: of one outcome, with fingerprints, and marked where a waiver covers them.
        covering: returns the mark of the waiver with an id if it covers a finding, else None.
    """
    named: dict[tuple[str, str], list[AppliedWaiver | None]] = {}
    for item in findings:
        id_ = dict(item.params).get(REFERENCED_WAIVER)
        if isinstance(id_, str) and item.rule != REFUSED:
            named.setdefault((id_, item.rule), []).append(covering(item, id_))
    for item in findings:
        params = dict(item.params)
        marks = named.get((str(params.get(REFERENCED_WAIVER)), str(params.get(REFUSED_RULE))), [])
        if item.rule == REFUSED and marks and all(marks):
            yield replace(item, waived=marks[0])
        else:
            yield item
