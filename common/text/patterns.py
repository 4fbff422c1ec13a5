"""Regular expressions that people write in a policy or a waivers file: RE2, linear in the length of the text.

RE2 never backtracks, so that no pattern and no text can stop the process that searches it. It has neither
look-around nor back-references. Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, WithJsonSchema

MAX_LENGTH = 500
"""Maximum length of a pattern, in characters."""

MAX_TEXT = 1000
"""A longer text, in characters, matches no pattern: the time also grows with the size of the pattern."""

_MAX_MEMORY = 1 << 18
"""Bytes that a compiled pattern may use; `(a{1000}){1000}` is rejected."""

_UNSUPPORTED = re.compile(r"\\[1-9]|\(\?P=|\(\?<?[=!]|\(\?>|\(\?\(|(?<!\\)[*+?}]\+")
"""Python's syntax that RE2 lacks: back-references, look-around, atomic groups, conditions, possessive."""

_INSTEAD = "RE2 has no look-around, back-references, conditions, atomic groups and possessive quantifiers"


def _check(value: str) -> str:
    if len(value) > MAX_LENGTH:
        raise ValueError(f"expected a regular expression of at most {MAX_LENGTH} characters")
    try:
        _compiled(value)
    except re2.error as error:
        raise ValueError(_describe(value, error)) from None
    return value


Pattern = Annotated[
    str,
    AfterValidator(_check),
    WithJsonSchema({"type": "string", "format": "regex", "maxLength": MAX_LENGTH}),
]
"""An option that is a regular expression of RE2. It cannot be set in the DataWorks console."""


def is_full_match(pattern: str, text: str) -> bool:
    """Whether a valid pattern matches the whole of `text`."""
    return len(text) <= MAX_TEXT and _compiled(pattern).fullmatch(_encodable(text)) is not None


def is_found(pattern: str, text: str) -> bool:
    """Whether a valid pattern matches a part of `text`."""
    return len(text) <= MAX_TEXT and _compiled(pattern).search(_encodable(text)) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    return re2.compile(_encodable(pattern), options)


def _encodable(text: str) -> str:
    """Return `text` without surrogates, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def _describe(pattern: str, error: Exception) -> str:
    """Return what is wrong with a pattern and where: `missing ) at character 3`."""
    if unsupported := _UNSUPPORTED.search(pattern):
        at = unsupported.start() + 1
        return f"invalid regular expression: {unsupported[0]} at character {at}; {_INSTEAD}"
    said = error.args[0].decode("utf-8", "replace") if error.args else "invalid"
    reason, _, part = said.partition(": ")
    if part in ("", pattern):
        # RE2 names no place, but Python may.
        return f"invalid regular expression: {reason} at character {_python_position(pattern) or 1}"
    place = pattern.find(part) + 1
    return f"invalid regular expression: {reason}: {part}{f' at character {place}' if place else ''}"


def _python_position(pattern: str) -> int | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return None if error.pos is None else error.pos + 1
    return None
