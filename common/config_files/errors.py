"""Problems of configuration files, each with its position."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from common.errors import DwgateError

_KEY = re.compile(r"[\w.*?/-]+")
"""Keys of configuration files: names, numbers, and globs of names."""

Keys = tuple[str | int, ...]
"""The path to a value: keys and list indexes from the top."""

MAX_REPORTED = 50
"""Problems of one file that an error lists; the rest are counted."""

MAX_NAMES = 50
"""Names of sets, keys or people that a message lists; the rest are counted."""

_MAX_KEY = 60
"""Characters of a key that a message shows."""

_MAX_MESSAGE = 3000
"""Characters of a message."""


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
        location = ".".join(_shown(key) for key in self.keys)
        message = _clip(self.message, _MAX_MESSAGE)
        return f"{location}: {message}" if location else message


def _shown(key: str | int) -> str:
    """Return a key for a message; one that no configuration file has may be the content of another file."""
    text = str(key)
    return _clip(text, _MAX_KEY) if _KEY.fullmatch(text) else f"(a key of {len(text)} characters)"


class ConfigError(DwgateError):
    """A configuration file cannot be used; the text has one line per problem: `FILE:LINE:COLUMN: message`.

    Attributes:
        problems: those with a message; the text lists the first `MAX_REPORTED` of each file.
        unreported: the number of problems without one.
    """

    def __init__(self, problems: tuple[Problem, ...], unreported: int = 0) -> None:
        super().__init__(problems, unreported)
        self.problems = problems
        self.unreported = unreported

    def __str__(self) -> str:
        shown = self.problems if len(self.problems) <= MAX_REPORTED else _first_of_each_file(self.problems)
        lines = [*map(str, shown)]
        if rest := len(self.problems) - len(shown) + self.unreported:
            lines.append(f"{shown[-1].path}: {rest} more problems")
        return "\n".join(lines)


def summarize(names: Iterable[object]) -> str:
    """Return names for a message, separated by commas; of a long list, the first ones and their number."""
    listed = [_clip(str(name), _MAX_KEY) for name in names]
    rest = len(listed) - MAX_NAMES
    return ", ".join(listed) if rest <= 0 else f"{', '.join(listed[:MAX_NAMES])} and {rest} more"


def _first_of_each_file(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    count: Counter[str] = Counter()
    shown = []
    for problem in problems:
        count[problem.path] += 1
        if count[problem.path] <= MAX_REPORTED:
            shown.append(problem)
    return tuple(shown)


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


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
