"""What a shell node does besides SQL."""

from dataclasses import dataclass

from review.facts.queries import Query
from review.facts.spans import Span


@dataclass(frozen=True, slots=True)
class Given:
    """A password or key that a command is given in plain letters.

    Attributes:
        at: the password.
        command: the command's name.
        option: the option before it, as written; a variable's name when it is set for the command.
    """

    at: Span
    command: str
    option: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """An `rm -r` (or `hadoop fs -rm -r`) of a path that begins with, or rests on, a variable.

    Attributes:
        at: the path.
        variable: the variable that nothing in the script sets or tests.
        left: what remains of the path when the variable is empty: `/`, `/tmp/`.
    """

    at: Span
    variable: str
    left: str


@dataclass(frozen=True, slots=True)
class ShellFacts:
    """What a shell node does.

    Attributes:
        steps: places of the commands that do work and whose failure would be passed over.
        passwords: secrets in plain letters on a command's line.
        erasures: deletions that an unset variable makes too large.
        queries: SQL handed to a client.
    """

    steps: tuple[Span, ...] = ()
    passwords: tuple[Given, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    queries: tuple[Query, ...] = ()
