"""SQL that code of another language runs."""

from dataclasses import dataclass

from review.facts.spans import Span


@dataclass(frozen=True, slots=True)
class Query:
    """SQL handed to something that runs it.

    Attributes:
        at: what runs it: the called name, or the client's command.
        call: its name: `execute_sql`, `odpscmd`.
        rows: what a loop around it goes over row by row, as written; empty when it is in no such loop.
        unread: whether its SQL is made at run time, so that it could not be reviewed.
    """

    at: Span
    call: str
    rows: str = ""
    unread: bool = False
