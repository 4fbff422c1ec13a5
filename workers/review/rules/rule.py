"""What a rule is: a function from facts to findings, and a few words about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from common.verdicts import Finding, Severity
from workers.review.facts import Script
from workers.review.places import Place


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that code should not do.

    Attributes:
        id: its stable id (`MC-C03`).
        title: what it asks for, in one line.
        why: what goes wrong otherwise.
        help: how to mend it.
        judge: yields where it is broken: place, severity and one sentence.
    """

    id: str
    title: str
    why: str
    help: str
    judge: Callable[[Script], Iterable[tuple[Place, Severity, str]]]

    def findings(self, script: Script) -> Iterable[Finding]:
        """Return where `script` breaks the rule."""
        for place, severity, message in self.judge(script):
            yield Finding(self.id, severity, message, place.line, place.column, self.help)
