"""MC-P04: list the columns."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Script
from workers.review.places import Place
from workers.review.rules.rule import Rule


def _judge(script: Script) -> Iterator[tuple[Place, Severity, str]]:
    for statement in script.statements:
        for star in statement.stars:
            if star.reaches_result:
                yield star.at, Severity.BLOCK, "SELECT * takes every column of a table into the result."
            else:
                yield star.at, Severity.WARN, "SELECT * in a subquery reads every column of a table."


RULE = Rule(
    id="MC-P04",
    title="List the columns instead of SELECT *.",
    why="Columns that nobody needs are read and paid for; a new column upstream breaks or shifts the target.",
    help="List the columns that are needed.",
    judge=_judge,
)
