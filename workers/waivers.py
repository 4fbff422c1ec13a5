"""Waivers: findings that are let pass for a while, with a reason and somebody who answers for it.

`apply` is the one function that says what a waiver lets pass. Workers, command line, replay and pages
call it, so that none of them can disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from common.globs import first_match
from common.verdicts import Finding, Outcome
from workers.about import About, Thing, named
from workers.fingerprints import fingerprinted
from workers.waivers_model import Scope, Waiver, WaiverRules

DAY = 86400

_LONGEST_SEARCHED = 500
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

    def ends_soon(self, waiver: Waiver, now: float) -> bool:
        """Whether a waiver is in force and ends within the days in which that is announced."""
        return waiver.in_force(now) and waiver.ends - now <= self.rules.announce_days * DAY

    def ending(self, now: float) -> tuple[Waiver, ...]:
        """Return the waivers that end soon, the next to end first."""
        soon = (item for item in self.items if self.ends_soon(item, now))
        return tuple(sorted(soon, key=lambda item: item.ends))


def apply(outcome: Outcome, about: About, waivers: Waivers, now: float) -> Outcome:
    """Return `outcome` with every finding fingerprinted, and marked where a waiver in force lets it pass.

    Marks of an earlier time are taken away, so that it can be applied again with other waivers. Of several
    waivers that match, the one that ends last is named. A suppressed finding needs none.

    Args:
        outcome: a check's end.
        about: what it is about.
        waivers: the waivers.
        now: seconds since the epoch.
    """
    if not outcome.findings:
        return outcome
    known = fingerprinted(outcome.findings, about)
    return replace(outcome, findings=tuple(_marked(item, about, waivers, now) for item in known))


def waived_by(finding: Finding) -> str | None:
    """Return the id of the waiver that let `finding` pass; None when none did."""
    return finding.waived.partition(":")[0] if finding.waived is not None else None


def _marked(finding: Finding, about: About, waivers: Waivers, now: float) -> Finding:
    matching = [item for item in waivers.items if item.in_force(now) and _matches(item, finding, about)]
    if not matching or finding.suppressed is not None:
        return replace(finding, waived=None) if finding.waived is not None else finding
    longest = max(matching, key=lambda item: item.ends)
    return replace(finding, waived=f"{longest.id}: {longest.reason}")


def _matches(waiver: Waiver, finding: Finding, about: About) -> bool:
    return (
        (waiver.rule is None or first_match((waiver.rule,), finding.rule) is not None)
        and (waiver.check is None or first_match((waiver.check,), about.check) is not None)
        and waiver.fingerprint in (None, finding.fingerprint)
        and _within(waiver.scope, finding, about)
        and (waiver.pattern is None or bool(waiver.pattern.search(finding.message[:_LONGEST_SEARCHED])))
    )


def _within(scope: Scope, finding: Finding, about: About) -> bool:
    return (
        (not scope.projects or about.project in scope.projects)
        and (not scope.points or about.point in scope.points)
        and _all_fit(scope.files, about.files, finding)
        and _all_fit(scope.nodes, about.nodes, finding)
        and _all_fit(scope.tables, about.tables, finding)
    )


def _all_fit(globs: tuple[str, ...], things: tuple[Thing, ...], finding: Finding) -> bool:
    """Whether all that the finding may be about fits, so that one node's waiver lets no other pass."""
    if not globs:
        return True
    meant = named(things, finding.message)
    return bool(meant) and all(any(first_match(globs, name) for name in thing.names) for thing in meant)
