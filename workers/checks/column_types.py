"""Types of MaxCompute columns: whether a change of type is harmless for the readers of the column.

A change is harmless, a *widening*, when two conditions hold:

- MaxCompute converts the old type to the new one implicitly, so that comparisons, joins and expressions
  over the column still compile.
- The new type holds every value of the old type exactly, with the same equality and order.

Hence INT to DOUBLE is a widening (53 bits hold every INT); BIGINT to DOUBLE and INT to FLOAT are not (they
lose digits). DATETIME to TIMESTAMP is one (milliseconds to nanoseconds, the same years). A number to STRING
is not: it compares and sorts differently ('10' < '9'). VARCHAR to CHAR is not: CHAR is padded to its
length, so that trailing blanks no longer count. A complex type widens with its elements, and a STRUCT may
gain fields at its end.

Whether ALTER TABLE accepts a change is not checked: a table can also be rebuilt.

Sources: help pages "Data type conversions" (implicit conversions) and "MaxCompute V2.0 data type edition"
(ranges, precision, CHAR, default of DECIMAL) of MaxCompute. Not verified against a real project: the implicit
conversions of TINYINT, SMALLINT and INT to FLOAT and DOUBLE, and of DATETIME to TIMESTAMP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
"""Decimal digits that an integer of the type can have."""

_NARROWER = {
    "smallint": ("tinyint",),
    "int": ("tinyint", "smallint"),
    "bigint": ("tinyint", "smallint", "int"),
    "float": ("tinyint", "smallint"),
    "double": ("tinyint", "smallint", "int", "float"),
    "timestamp": ("datetime",),
}
"""Types without a length, each with the types whose values it can all hold."""

_TEXTS = ("char", "varchar", "string")
_DECIMAL = (38, 18)
"""Precision and scale of DECIMAL without arguments."""

_MAX_LENGTH_DIGITS = 9
"""Maximum digits of a length: more than any engine accepts, and cheap to convert."""

_ALIASES = {"integer": "int", "numeric": "decimal", "text": "string", "bool": "boolean"}

_MAX_DEPTH = 50
"""Maximum nesting of a type that is compared by element, to bound recursion; deeper types must be equal."""

_FORM = re.compile(r"(\w+)(?:\s*([(<])(.*)[)>])?", re.DOTALL)
"""A type: its name, and the text within its outermost brackets."""

_OPEN, _CLOSE = "(<", ")>"


@dataclass(frozen=True, slots=True)
class _Type:
    """A type: its name in lower case, and the arguments in its brackets, without blanks."""

    name: str
    inner: tuple[str, ...] = ()


def is_widening(before: str, after: str) -> bool:
    """Whether a change of a column's type is harmless for its readers; an unchanged type is.

    An unknown type is a widening of itself only, compared by its text.
    """
    old, new = _read(before), _read(after)
    if old == new or before.count("<") > _MAX_DEPTH:
        return old == new
    if old.name in ("array", "map", "struct"):
        return old.name == new.name and _complex(old, new)
    if old.name in _TEXTS and new.name in _TEXTS:
        return _text(old, new)
    if new.name == "decimal":
        return _decimal(old, new)
    return old.name in _NARROWER.get(new.name, ())


def is_same_type(before: str, after: str) -> bool:
    """Whether two types are equal, apart from case, blanks and aliases."""
    return _read(before) == _read(after)


def _read(text: str) -> _Type:
    plain = " ".join(text.replace("`", "").split()).lower()
    found = _FORM.fullmatch(plain)
    if found is None:
        return _Type(plain)
    return _Type(
        _ALIASES.get(found[1], found[1]), tuple(part.replace(" ", "") for part in _parts(found[3] or ""))
    )


def _parts(inner: str) -> list[str]:
    """Split at the commas of the outermost level."""
    parts, depth, start = [], 0, 0
    for offset, character in enumerate(inner):
        depth += (character in _OPEN) - (character in _CLOSE)
        if character == "," and depth == 0:
            parts.append(inner[start:offset])
            start = offset + 1
    return [*parts, inner[start:]] if inner.strip() else []


def _text(old: _Type, new: _Type) -> bool:
    if _TEXTS.index(old.name) > _TEXTS.index(new.name):
        return False
    lengths = [_number(kind) for kind in (old, new)]
    return new.name == "string" or (None not in lengths and (lengths[0] or 0) <= (lengths[1] or 0))


def _number(kind: _Type) -> int | None:
    return int(kind.inner[0]) if len(kind.inner) == 1 and _is_length(kind.inner[0]) else None


def _decimal(old: _Type, new: _Type) -> bool:
    shape = _shape(new)
    before = (_DIGITS[old.name], 0) if old.name in _DIGITS else _shape(old) if old.name == "decimal" else None
    if shape is None or before is None:
        return False
    return shape[1] >= before[1] and shape[0] - shape[1] >= before[0] - before[1]


def _shape(kind: _Type) -> tuple[int, int] | None:
    """Return precision and scale of a DECIMAL; None if they are invalid."""
    if not kind.inner:
        return _DECIMAL
    if not all(map(_is_length, kind.inner)) or len(kind.inner) > len(_DECIMAL):
        return None
    return int(kind.inner[0]), int(kind.inner[1]) if len(kind.inner) > 1 else 0


def _is_length(part: str) -> bool:
    return part.isdecimal() and len(part) <= _MAX_LENGTH_DIGITS


def _complex(old: _Type, new: _Type) -> bool:
    """Whether the elements widen: map keys must not change, struct fields keep their position and name."""
    if old.name == "map" and old.inner[:1] != new.inner[:1]:
        return False
    longer = old.name == "struct" and len(new.inner) > len(old.inner)
    if len(old.inner) != len(new.inner) and not longer:
        return False
    return all(_element(one, other) for one, other in zip(old.inner, new.inner, strict=False))


def _element(old: str, new: str) -> bool:
    one, other = (_split(text) for text in (old, new))
    return one[0] == other[0] and is_widening(one[1], other[1])


def _split(text: str) -> tuple[str, str]:
    """Return the name of a struct field (empty for other elements) and its type."""
    name, colon, kind = text.partition(":")
    return (name, kind) if colon and not set(name) & set(_OPEN) else ("", text)
