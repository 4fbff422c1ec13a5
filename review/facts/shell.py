"""Facts of a shell node besides its SQL."""

from dataclasses import dataclass

from review.facts.base import Span
from review.facts.queries import EmbeddedQuery


@dataclass(frozen=True, slots=True)
class PlaintextPassword:
    """A plaintext password or key passed to a command.

    Attributes:
        at: the password.
        command: the command's name.
        option: the option before it, as written; a variable's name if it is set for the command.
    """

    at: Span
    command: str
    option: str


@dataclass(frozen=True, slots=True)
class RecursiveDelete:
    """An `rm -r` (or `hadoop fs -rm -r`) of a path that starts with a variable or depends on one.

    Attributes:
        at: the path.
        variable: the variable that the script neither sets nor tests.
        left: the rest of the path if the variable is empty: `/`, `/tmp/`.
    """

    at: Span
    variable: str
    left: str


@dataclass(frozen=True, slots=True)
class ShellFacts:
    """The facts of a shell node.

    Attributes:
        steps: positions of the commands that do the work and whose failure would be ignored.
        passwords: plaintext secrets on a command line.
        recursive_deletes: recursive deletions that delete too much if a variable is unset.
        queries: SQL passed to a client.
    """

    steps: tuple[Span, ...] = ()
    passwords: tuple[PlaintextPassword, ...] = ()
    recursive_deletes: tuple[RecursiveDelete, ...] = ()
    queries: tuple[EmbeddedQuery, ...] = ()
