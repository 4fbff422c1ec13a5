"""SQL that is run from code in another language."""

from dataclasses import dataclass

from review.facts.base import Span


@dataclass(frozen=True, slots=True)
class EmbeddedQuery:
    """SQL passed to a function or client that runs it.

    Attributes:
        at: the function's name, or the client's command.
        call: its name: `execute_sql`, `odpscmd`; empty for SQL that no known call runs, with the place of its
            text.
        rows: the expression that an enclosing loop iterates row by row, as written; empty without a loop.
        unread: whether its SQL is built at run time and so could not be reviewed.
    """

    at: Span
    call: str
    rows: str = ""
    unread: bool = False
