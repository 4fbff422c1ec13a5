"""Waivers: findings that are let pass for a while, with a reason and somebody who answers for it.

`apply` is the one function that says what a waiver lets pass. Workers, command line, replay and pages
call it, so that none of them can disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from common.event_subject import EventSubject
from common.fingerprints import add_fingerprints
from common.globs import first_match
from common.verdicts import AppliedWaiver, Finding, Outcome, SubjectKind
from workers.waivers.model import Waiver, WaiverRules, WaiverScope

DAY = 86400

_MAX_SEARCHED_LENGTH = 500
"""Characters of a message in which a pattern is looked for."""


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of a file, and what the policy says of waivers.

    Attributes:
        items: in the order of the file; those that have ended too.
    """

    items: tuple[Waiver, ...] = ()
    rules: WaiverRules = field(default_factory=WaiverRules)

    def get(self, id_: str) -> Waiver | None:
        """Return the waiver with this id, or None."""
        return next((item for item in self.items if item.id == id_), None)

    def expires_soon(self, waiver: Waiver, now: float) -> bool:
        """Whether a waiver is in force and ends within the days in which that is announced."""
        return waiver.is_active(now) and waiver.expires_ts - now <= self.rules.announce_days * DAY

    def expiring(self, now: float) -> tuple[Waiver, ...]:
        """Return the waivers that end soon, the next to end first."""
        soon = (item for item in self.items if self.expires_soon(item, now))
        return tuple(sorted(soon, key=lambda item: item.expires_ts))


def apply_waivers(outcome: Outcome, about: EventSubject, waivers: Waivers, now: float) -> Outcome:
    """Return `outcome` with every finding fingerprinted, and marked where an active waiver covers it.

    Earlier marks are removed, so that it can be applied again with other waivers. A waiver covers a finding
    only if it covers all of its subjects of each kind that the waiver names. Of several waivers that match,
    the one that expires last is named. A suppressed finding needs none.

    Args:
        outcome: a check's end.
        about: the check and the event.
        waivers: the waivers.
        now: seconds since the epoch.
    """
    if not outcome.findings:
        return outcome
    known = add_fingerprints(outcome.findings, about)
    return replace(outcome, findings=tuple(_mark_waived(item, about, waivers, now) for item in known))


def waiver_of(finding: Finding) -> str | None:
    """Return the id of the waiver that covers `finding`; None when none does."""
    return finding.waived.id if finding.waived is not None else None


def _mark_waived(finding: Finding, about: EventSubject, waivers: Waivers, now: float) -> Finding:
    matching = [item for item in waivers.items if item.is_active(now) and _matches(item, finding, about)]
    if not matching or finding.suppressed is not None:
        return replace(finding, waived=None) if finding.waived is not None else finding
    longest = max(matching, key=lambda item: item.expires_ts)
    return replace(finding, waived=AppliedWaiver(longest.id, longest.reason))


def _matches(waiver: Waiver, finding: Finding, about: EventSubject) -> bool:
    return (
        (waiver.rule is None or first_match((waiver.rule,), finding.rule) is not None)
        and (waiver.check is None or first_match((waiver.check,), about.check) is not None)
        and waiver.fingerprint in (None, finding.fingerprint)
        and _is_in_scope(waiver.scope, finding, about)
        and (waiver.pattern is None or bool(waiver.pattern.search(_english(finding)[:_MAX_SEARCHED_LENGTH])))
    )


def _english(finding: Finding) -> str:
    return finding.message if finding.english is None else finding.english


def _is_in_scope(scope: WaiverScope, finding: Finding, about: EventSubject) -> bool:
    return (
        (not scope.projects or about.project in scope.projects)
        and (not scope.points or about.point in scope.points)
        and _covers_all(scope.files, SubjectKind.FILE, finding)
        and _covers_all(scope.nodes, SubjectKind.NODE, finding)
        and _covers_all(scope.tables, SubjectKind.TABLE, finding)
    )


def _covers_all(globs: tuple[str, ...], kind: SubjectKind, finding: Finding) -> bool:
    """Whether the globs match every subject of a kind, so that one node's waiver covers no other node."""
    if not globs:
        return True
    subjects = [subject for subject in finding.subjects if subject.kind is kind]
    return bool(subjects) and all(
        any(first_match(globs, name) is not None for name in item.names) for item in subjects
    )
