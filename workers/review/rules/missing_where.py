"""MC-C14: say which rows."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Script, Verb
from workers.review.places import Place
from workers.review.rules.rule import Rule


def _judge(script: Script) -> Iterator[tuple[Place, Severity, str]]:
    for index, statement in enumerate(script.statements):
        for change in statement.changes:
            table = change.table or "the table"
            # Emptying a table and filling it again in the same script is how many engines overwrite.
            refilled = change.verb is Verb.DELETE and script.filled_after(index, change.table)
            if not change.filtered and not refilled:
                yield (
                    change.at,
                    Severity.BLOCK,
                    f"{change.verb} changes every row of {table}: no WHERE narrows it.",
                )


RULE = Rule(
    id="MC-C14",
    title="Give DELETE and UPDATE a WHERE.",
    why="Without one, or with one that is always true, every row is lost or changed.",
    help="Add a WHERE that names the rows that are meant.",
    judge=_judge,
)
