"""MC-C03: link what is joined."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Script
from workers.review.places import Place
from workers.review.rules.rule import Rule


def _judge(script: Script) -> Iterator[tuple[Place, Severity, str]]:
    for statement in script.statements:
        for pairing in statement.pairings:
            name = pairing.source or "a subquery"
            if pairing.written_cross:
                yield pairing.at, Severity.WARN, f"CROSS JOIN pairs every row with every row of {name}."
            else:
                yield pairing.at, Severity.BLOCK, f"Nothing links {name} to what it is joined with."


RULE = Rule(
    id="MC-C03",
    title="Link both sides of a join.",
    why="Without a condition on both sides every row meets every row: the result explodes.",
    help="Add a condition on columns of both sides (ON a.id = b.id).",
    judge=_judge,
)
