"""Waivers: time-limited exceptions for findings, with a reason and an owner.

`apply_waivers` is the only function that decides what a waiver covers. Workers, commands and replay call it,
so that their results agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from common.subjects.event_subject import EventSubject
from common.subjects.fingerprints import add_fingerprints
from common.text.globs import first_match
from common.text.patterns import is_found
from common.verdicts import AppliedWaiver, Finding, Outcome, SubjectKind
from workers.waivers.model import Waiver, WaiverRules, WaiverScope
from workers.waivers.references import settle_references

DAY = 86400

_MAX_SEARCHED_LENGTH = 500
"""Characters of a message that are searched for a pattern."""


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of a file, and the policy's rules for them.

    Attributes:
        items: the waivers in the order of the file, expired ones included.
        rules: the policy's rules.
    """

    items: tuple[Waiver, ...] = ()
    rules: WaiverRules = field(default_factory=WaiverRules)

    def get(self, id_: str) -> Waiver | None:
        """Return the waiver with this id, or None."""
        return next((item for item in self.items if item.id == id_), None)

    def under(self, rules: WaiverRules) -> Waivers:
        """Return the waivers that `rules` allow: the policy may have changed since the file was loaded."""
        if rules == self.rules:
            return self
        return Waivers(tuple(item for item in self.items if not any(item.violations(rules))), rules)

    def expires_soon(self, waiver: Waiver, now: float) -> bool:
        """Whether a waiver is active and expires within `announce_days`."""
        return waiver.is_active(now) and waiver.expires_ts - now <= self.rules.announce_days * DAY

    def expiring(self, now: float) -> tuple[Waiver, ...]:
        """Return the waivers that expire soon, in order of expiry."""
        soon = (item for item in self.items if self.expires_soon(item, now))
        return tuple(sorted(soon, key=lambda item: item.expires_ts))


def apply_waivers(outcome: Outcome, subject: EventSubject, waivers: Waivers, now: float) -> Outcome:
    """Return `outcome` with every finding fingerprinted, and marked where an active waiver covers it.

    Earlier marks are removed, so that it can be applied again with other waivers. A waiver covers a finding
    only if it covers all of its subjects of each kind that the waiver names. Of several matching waivers, the
    finding names the one that expires last. A suppressed finding is not marked.

    Args:
        outcome: the outcome of a check.
        subject: the check and the event.
        waivers: the waivers.
        now: seconds since the epoch.
    """
    if not outcome.findings:
        return outcome
    known = add_fingerprints(outcome.findings, subject)
    marked = [_mark_waived(item, subject, waivers, now) for item in known]

    def covering(finding: Finding, id_: str) -> AppliedWaiver | None:
        named = waivers.get(id_)
        if named is None or not named.is_active(now) or not covers(named, finding, subject):
            return None
        return AppliedWaiver(named.id, named.reason, named.expires_ts)

    return replace(outcome, findings=tuple(settle_references(marked, covering)))


def waiver_of(finding: Finding) -> str | None:
    """Return the id of the waiver that covers `finding`; None when none does."""
    return finding.waived.id if finding.waived is not None else None


def _mark_waived(finding: Finding, subject: EventSubject, waivers: Waivers, now: float) -> Finding:
    matching = [item for item in waivers.items if item.is_active(now) and covers(item, finding, subject)]
    if not matching or finding.suppressed is not None:
        return replace(finding, waived=None)
    longest = max(matching, key=lambda item: item.expires_ts)
    return replace(finding, waived=AppliedWaiver(longest.id, longest.reason, longest.expires_ts))


def covers(waiver: Waiver, finding: Finding, subject: EventSubject) -> bool:
    """Whether all conditions of a waiver hold for a finding, whether or not the waiver has expired.

    Args:
        waiver: the waiver.
        finding: the finding with its subjects and fingerprint, see `add_fingerprints`.
        subject: the check and the event.
    """
    return (
        (waiver.rule is None or first_match((waiver.rule,), finding.rule) is not None)
        and (waiver.check is None or first_match((waiver.check,), subject.check) is not None)
        and waiver.fingerprint in (None, finding.fingerprint)
        and _is_in_scope(waiver.scope, finding, subject)
        and (waiver.pattern is None or is_found(waiver.pattern, _english(finding)[:_MAX_SEARCHED_LENGTH]))
    )


def _english(finding: Finding) -> str:
    return finding.message if finding.english is None else finding.english


def _is_in_scope(scope: WaiverScope, finding: Finding, subject: EventSubject) -> bool:
    return (
        (not scope.projects or subject.project in scope.projects)
        and (not scope.points or subject.point in scope.points)
        and all(_covers_all(*condition, finding) for condition in _conditions(scope))
    )


def _conditions(scope: WaiverScope) -> tuple[tuple[SubjectKind, tuple[str, ...], tuple[str, ...]], ...]:
    """Return the kinds of subjects, each with the ids and the globs of names that `scope` sets."""
    return (
        (SubjectKind.FILE, scope.file_ids, scope.files),
        (SubjectKind.NODE, scope.node_ids, scope.nodes),
        (SubjectKind.TABLE, scope.table_ids, scope.tables),
    )


def _covers_all(kind: SubjectKind, ids: tuple[str, ...], globs: tuple[str, ...], finding: Finding) -> bool:
    """Whether ids and globs match every subject of a kind: a waiver for one node must not cover another.

    An id matches the id of a subject only, which its author cannot choose, and a glob its names only.
    """
    if not ids and not globs:
        return True
    subjects = [each for each in finding.subjects if each.kind is kind]
    return bool(subjects) and all(
        (not ids or (item.id is not None and item.id.lower() in ids))
        and (not globs or any(first_match(globs, name) is not None for name in item.names))
        for item in subjects
    )
