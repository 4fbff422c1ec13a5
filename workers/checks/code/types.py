"""Types of columns: whether a change of one keeps every value, and how readers use it."""

from __future__ import annotations

import re

_CALL = re.compile(r"(?P<name>[A-Z_0-9 ]+?)\s*(?:\((?P<size>[\d,\s]*)\))?")
_INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INT": 10, "BIGINT": 19}
_FLOATS = ("FLOAT", "DOUBLE")
_TEXTS = ("CHAR", "VARCHAR", "STRING")
_SAME = {"INTEGER": "INT", "TEXT": "STRING", "DECIMAL": "DECIMAL", "NUMERIC": "DECIMAL", "BOOL": "BOOLEAN"}
_DECIMAL = (38, 18)
"""Digits, and those behind the point, of a MaxCompute DECIMAL that says none."""


def widens(old: str, new: str) -> bool:
    """Whether a column of the type `new` holds every value of one of the type `old`, for its readers too."""
    one, other = _read(old), _read(new)
    if one is None or other is None:
        return _squeezed(old) == _squeezed(new)
    return one == other or _widens(*one, *other)


def _widens(old: str, size: tuple[int, ...], new: str, room: tuple[int, ...]) -> bool:
    for family in (_INTEGERS, _FLOATS):
        if old in family and new in family:
            return family.index(old) <= family.index(new)
    if new == "DECIMAL" and (old == "DECIMAL" or old in _DIGITS):
        return _fits(_decimal(old, size), _decimal(new, room))
    if old in _TEXTS and new in _TEXTS:
        return new == "STRING" or (old != "STRING" and (size or (0,)) <= (room or (0,)))
    return False


def _read(kind: str) -> tuple[str, tuple[int, ...]] | None:
    match = _CALL.fullmatch(kind.strip().upper())
    if match is None:
        return None
    sizes = tuple(int(part) for part in (match["size"] or "").split(",") if part.strip())
    return _SAME.get(match["name"], match["name"]), sizes


def _decimal(name: str, sizes: tuple[int, ...]) -> tuple[int, int]:
    if name in _DIGITS:
        return _DIGITS[name], 0
    return (sizes[0], sizes[1] if len(sizes) > 1 else 0) if sizes else _DECIMAL


def _fits(old: tuple[int, int], new: tuple[int, int]) -> bool:
    return new[1] >= old[1] and new[0] - new[1] >= old[0] - old[1]


def _squeezed(kind: str) -> str:
    return "".join(kind.upper().replace("`", "").split())
