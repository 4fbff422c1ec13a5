"""The options of `dwgate review` in a file: `dwgate.toml`, or `[tool.dwgate.review]` in pyproject.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.exit_codes import UsageError
from console.reviews.inputs import STANDARD_INPUT

FILE_NAME = "dwgate.toml"
_PROJECT_FILE = "pyproject.toml"
_SECTION = ("tool", "dwgate", "review")

_TEXTS = ("dialect", "format", "language", "project", "rules-url", "severity")
_PATHS = ("metadata", "policy", "waivers")
_LISTS = ("ignore", "select")
KEYS = tuple(sorted((*_TEXTS, *_PATHS, *_LISTS)))
"""The keys of the file, named as the options of the command line."""

_HEADER = re.compile(r"[ \t]*\[(?P<name>[^\[\]\n]+)\]")


@dataclass(frozen=True, slots=True)
class ReviewConfig:
    """The options that a file sets.

    Attributes:
        file: the file; None without one.
        values: by key; paths are relative to the current folder.
        lines: the line of each key.
    """

    file: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """Return where an option was set, for messages: `dwgate.toml:3: select`."""
        return f"{self.file}:{self.lines.get(key, 1)}: {key}"


def load_config(first: str) -> ReviewConfig:
    """Return the options of the nearest file at or above the first path, as Ruff finds its own.

    In one folder `dwgate.toml` comes before pyproject.toml, which counts only if it has the section.

    Args:
        first: the first path of the command line; `-` for standard input: the current folder.

    Raises:
        UsageError: the file is not TOML, or has an unknown key or an invalid value.
    """
    start = Path.cwd() if first == STANDARD_INPUT else Path(first)
    folder = (start if start.is_dir() else start.parent).resolve()
    for each in (folder, *folder.parents):
        for name, section in ((FILE_NAME, ()), (_PROJECT_FILE, _SECTION)):
            if (each / name).is_file() and (found := _load(_displayed(each / name), section)):
                return found
    return ReviewConfig()


def _displayed(file: Path) -> Path:
    """Return a path as people name it: relative to the current folder if it is in it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _load(file: Path, section: tuple[str, ...]) -> ReviewConfig | None:
    """Return the options of a file; None if it has no such section."""
    import tomllib  # noqa: PLC0415 - most reviews have no such file

    try:
        text = file.read_text(encoding="utf-8")
        content: Any = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: not TOML: {str(error).partition(chr(10))[0]}") from None
    for name in section:
        content = content.get(name) if isinstance(content, dict) else None
    if content is None:
        return None
    if not isinstance(content, dict):
        raise UsageError(f"{file}: {'.'.join(section)}: expected a table")
    lines = dict(reversed([*_lines(text, section)]))
    for key, value in content.items():
        if problem := _problem(key, value):
            raise UsageError(f"{file}:{lines.get(key, 1)}: {problem}")
    values = {key: file.parent / value if key in _PATHS else value for key, value in content.items()}
    return ReviewConfig(file, values, lines)


def _problem(key: str, value: object) -> str | None:
    """Return what is wrong with a key or the type of its value; None if nothing is."""
    if key not in KEYS:
        return f"unknown key {key}; expected one of {', '.join(KEYS)}"
    if key in _LISTS:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            return f"{key}: expected a list of strings"
    elif not isinstance(value, str):
        return f"{key}: expected a string"
    elif key == "rules-url" and not value.startswith(("https://", "http://")):
        return f"{key}: expected a URL that begins with https:// or http://"
    return None


def _lines(text: str, section: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Yield the keys of a section of TOML text with their lines; `[a]` is a key of what contains it."""
    current: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            current = tuple(part.strip(" \t\"'") for part in header["name"].split("."))
            name = current
        else:
            name = (*current, line.partition("=")[0].partition(".")[0].strip(" \t\"'"))
        if len(name) > len(section) and name[: len(section)] == section:
            yield name[len(section)], number
