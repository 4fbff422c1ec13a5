"""Problems of configuration files, each with its position."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.errors import DwgateError

Keys = tuple[str | int, ...]
"""The path to a value: keys and list indexes from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a configuration file.

    Attributes:
        path: the file name for messages.
        message: what is wrong and what is expected.
        keys: the path to the value; empty for the file as a whole.
        line: from 1; None if the file could not be read.
        column: from 1; None if the file could not be read.
    """

    path: str
    message: str
    keys: Keys = ()
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        position = "" if self.line is None else f":{self.line}:{self.column}"
        return f"{self.path}{position}: {self.text}"

    @property
    def text(self) -> str:
        """The problem without the file and position."""
        location = ".".join(map(str, self.keys))
        return f"{location}: {self.message}" if location else self.message


class ConfigError(DwgateError):
    """A configuration file cannot be used; the text has one line per problem: `FILE:LINE:COLUMN: message`.

    Attributes:
        problems: all of them.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def in_file_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems of one file by position, without duplicates."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda each: (each.line or 0, each.column or 0)))


def unreadable(path: object, error: OSError, expected: str) -> ConfigError:
    """Return the error for a file that cannot be opened or read.

    Args:
        path: the file.
        error: the operating system's error.
        expected: the kind of file that is expected.
    """
    return ConfigError((Problem(str(path), f"cannot be read: {error.strerror}; expected {expected}"),))
