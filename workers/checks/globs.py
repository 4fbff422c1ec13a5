"""Names by pattern, as a policy writes them: `*` stands for any text, `?` for one character, case is ignored.

Data integration names tables by regular expressions of its own. Those that are made of names, `.`, `.*` and
`.+` are globs in another dress, so that it can be told for certain whether they and a pattern have a name in
common; of others nothing is said. No regular expression of an event is ever run.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 256
"""Characters of a pattern, and of a regular expression that is compared with one."""

_REGULAR = re.compile(r"[\\.^$*+?{}\[\]|()]")
_SIMPLE = re.compile(r"(?:[\w$-]|\\\.|\.[*+]?)*")
_PIECE = re.compile(r"\\\.|\.[*+]?|.")
_PIECES = {r"\.": ".", ".": "?", ".*": "*", ".+": "?*"}


def _glob(value: str) -> str:
    if not value.strip():
        raise ValueError("wants a name, in which * stands for any text and ? for one character")
    return value.strip().lower()


Glob = Annotated[str, Field(max_length=LONGEST), AfterValidator(_glob)]


def first(globs: Iterable[str], name: str) -> str | None:
    """Return the first pattern that stands for `name`; None when none does."""
    lower = name.lower()
    return next((glob for glob in globs if _compiled(glob).fullmatch(lower)), None)


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(glob.replace("[", "[[]")))


def regular(name: str) -> bool:
    """Whether a table's name of a data integration job is a regular expression, and not just a name."""
    return _REGULAR.search(name) is not None


def of_regular(name: str) -> str | None:
    """Return a regular expression for names as a glob; None when it is no glob."""
    if len(name) > LONGEST or not _SIMPLE.fullmatch(name):
        return None
    return "".join(_PIECES.get(piece, piece) for piece in _PIECE.findall(name.lower()))


@lru_cache(maxsize=4096)
def meet(parts: str, glob: str) -> bool:
    """Whether two patterns have a name in common.

    Args:
        parts: a pattern whose wildcards stand within one part of a dotted name, as `of_regular` gives them.
        glob: one whose wildcards stand for dots, too.
    """
    # reached[j]: a name fits what of `parts` was read so far and the first j characters of `glob`.
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
    """Whether one character may be what both stand for."""
    if piece in ("*", "?"):
        return against != "."
    return against in ("?", piece)


def _past_stars(reached: list[bool], glob: str) -> list[bool]:
    """Return `reached` with every `*` of `glob` also taken as no text."""
    for place, piece in enumerate(glob):
        if piece == "*" and reached[place]:
            reached[place + 1] = True
    return reached
