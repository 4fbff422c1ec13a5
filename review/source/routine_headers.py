"""The start of a definition whose body contains statements: a procedure, function, trigger and the like."""

from __future__ import annotations

import re

_PREFIX = (
    r"(?:create|alter)\s+(?:or\s+(?:replace|alter)\s+)?(?:definer\s*=\s*\S+\s+|(?:non)?editionable\s+|sql\s+"
    r"|temp(?:orary)?\s+|aggregate\s+|constraint\s+)*"
)
_KINDS = r"procedure|proc|function|package|trigger|type\s+body|event"
_ROUTINE = re.compile(rf"{_PREFIX}(?:{_KINDS})\b", re.IGNORECASE)
_HEADER = re.compile(rf"{_PREFIX}(?P<kind>{_KINDS}|job|rule|model)\b|function\b", re.IGNORECASE)


def match_header(text: str) -> re.Match[str] | None:
    """Match the start of a definition, also of one that has a single statement or is one of script mode.

    Its group `kind` is what it defines, except for a function of script mode.
    """
    return _HEADER.match(text)


def defines_routine(text: str, begin: int = 0) -> bool:
    """Whether a statement at an offset defines a routine: its statements run when something else calls it."""
    return _ROUTINE.match(text, begin) is not None
