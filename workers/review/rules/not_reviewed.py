"""MC-C19: what could not be read is said, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Script
from workers.review.places import Place
from workers.review.rules.rule import Rule


def _judge(script: Script) -> Iterator[tuple[Place, Severity, str]]:
    for statement in script.statements:
        if statement.unread is None:
            continue
        message = f"The statement at line {statement.at.line} was not reviewed: {statement.unread}"
        if statement.unread_at:
            message += f" (line {statement.unread_at.line}, column {statement.unread_at.column})"
        yield statement.at, Severity.WARN, f"{message}."


RULE = Rule(
    id="MC-C19",
    title="Write statements that can be reviewed.",
    why="A statement that cannot be read may do anything; nobody has looked at it.",
    help="Correct the syntax, or have a person look at the statement.",
    judge=_judge,
)
