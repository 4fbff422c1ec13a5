"""Globs of policies and waivers: `*` matches any text, `?` one character; case is ignored.

Every other character is literal, also `[`, and a glob must match the whole name.

Data integration jobs name tables by regular expressions. Those that consist of names, `.`, `.*` and `.+` can
be converted to globs, so that their overlap with another glob can be decided; for others it is unknown. A
regular expression from an event is never executed, since it could backtrack without end.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_LENGTH = 256
"""Maximum length, in characters, of a glob and of a regular expression that is compared with one."""

_REGEX = re.compile(r"[\\.^$*+?{}\[\]|()]")
"""The metacharacters of regular expressions."""

_SIMPLE = re.compile(r"(?:[\w$-]|\\\.|\.[*+]?)*")
"""A regular expression that can be written as a glob: characters of names, `\\.`, `.`, `.*` and `.+`."""

_PIECE = re.compile(r"\\\.|\.[*+]?|.")
"""One element of such an expression."""

_PIECES = {r"\.": ".", ".": "?", ".*": "*", ".+": "?*"}
"""The glob for each element; other elements are literal."""


def _glob(value: str) -> str:
    if not value.strip():
        raise ValueError("expected a name, in which * matches any text and ? one character")
    return value.strip().lower()


Glob = Annotated[str, Field(max_length=MAX_LENGTH), AfterValidator(_glob)]


def first_match(globs: Iterable[str], name: str) -> str | None:
    """Return the first of `globs` that matches the whole of `name`; None if none does."""
    return next((glob for glob in globs if _compiled(glob).fullmatch(name)), None)


@lru_cache(maxsize=8192)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(glob.replace("[", "[[]")), re.IGNORECASE)


def is_regex(name: str) -> bool:
    """Whether a table name of a data integration job is a regular expression, not just a name."""
    return _REGEX.search(name) is not None


def regex_to_glob(name: str) -> str | None:
    """Return a regular expression for names as a glob; None if it cannot be written as one."""
    if len(name) > MAX_LENGTH or not _SIMPLE.fullmatch(name):
        return None
    return "".join(_PIECES.get(piece, piece) for piece in _PIECE.findall(name.lower()))


@lru_cache(maxsize=4096)
def overlap(parts: str, glob: str) -> bool:
    """Whether two globs have a name in common.

    Args:
        parts: a glob whose wildcards match within one part of a dotted name, as `regex_to_glob` returns it.
        glob: one whose wildcards match dots, too.
    """
    # Dynamic programming over both globs. reached[j]: some name matches the pieces of `parts` read so far and
    # the first j characters of `glob`.
    reached = _past_stars([True] + [False] * len(glob), glob)
    for piece in parts:
        nearer = reached[:] if piece == "*" else [False] * len(reached)
        source = nearer if piece == "*" else reached
        for place, against in enumerate(glob):
            if not source[place]:
                continue
            if against == "*":
                nearer[place] = True
                nearer[place + 1] = nearer[place + 1] or piece == "*"
            elif _fits(piece, against):
                nearer[place + 1] = True
        reached = _past_stars(nearer, glob)
    return reached[-1]


def _fits(piece: str, against: str) -> bool:
    """Whether both pieces can match the same character."""
    if piece in ("*", "?"):
        return against != "."
    return against in ("?", piece)


def _past_stars(reached: list[bool], glob: str) -> list[bool]:
    """Return `reached` with every `*` of `glob` also matching the empty text."""
    for place, piece in enumerate(glob):
        if piece == "*" and reached[place]:
            reached[place + 1] = True
    return reached
