"""A regular expression as an automaton of its character positions (Glushkov), for the search of ambiguity.

It accepts at least what `re` matches: most anchors and lookbehinds are ignored, a long bounded repetition
counts as an unbounded one, and an atomic group may be left at any point. What is found in it is therefore a
suspicion.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

_parser: Any = importlib.import_module("re._parser")

START = 0
"""The state before the pattern. A search stays in it for any text that it skips."""

_CANDIDATES = (
    *"aAbBzZ_019 ('\"[{<=,;:.-/*#$@!&)]}>\\`\n\t\r",
    *(chr(code) for code in range(128)),
    *"éß中１\u2028\x85",
)
_MAX_COPIES = 64
"""Maximum required repetitions that are written out."""
_MAX_OPTIONAL = 4
"""Maximum optional repetitions that are written out; more count as unboundedly many."""
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_WORD": lambda letter: letter.isalnum() or letter == "_",
}


_ENDS_OF_TEXT = ("AT_END", "AT_END_STRING")
"""Anchors that nothing can follow, but for a newline."""


@dataclass(slots=True)
class Edge:
    """A step to a position: the letters (as bits) on which it is possible, and in how many ways."""

    letters: int
    ways: int = 1


@dataclass(slots=True)
class Automaton:
    """The positions of a pattern.

    Attributes:
        letters: one letter of each kind that the pattern distinguishes.
        steps: for each position, its successors.
    """

    letters: tuple[str, ...]
    steps: list[dict[int, Edge]] = field(default_factory=list)

    @property
    def any(self) -> int:
        """The bits of all letters."""
        return (1 << len(self.letters)) - 1

    def letter(self, bits: int) -> str:
        """Return the first letter of a set that is not empty."""
        return self.letters[(bits & -bits).bit_length() - 1]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: whether it may be empty, and its first and last positions."""

    empty: bool
    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()


def automaton(pattern: str, flags: int, *, searched: bool) -> Automaton:
    """Return the automaton of `pattern`; with `searched`, it may start anywhere in a text."""
    tree = _parser.parse(pattern, flags)
    return _Builder(tree, tree.state.flags).build(tree, searched=searched)


def _has_border(tree: Iterable[tuple[Any, Any]]) -> bool:
    return any(
        (str(op) == "AT" and str(value) == "AT_BOUNDARY") or any(map(_has_border, _inner(str(op), value)))
        for op, value in tree
    )


def _is_word(letter: str) -> bool:
    return _CATEGORIES["CATEGORY_WORD"](letter)


def _leaves(tree: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield the nodes of a syntax tree that match one character."""
    for op, value in tree:
        name = str(op)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            yield op, value
        for inner in _inner(name, value):
            yield from _leaves(inner)


def _inner(name: str, value: Any) -> tuple[Any, ...]:
    match name:
        case "BRANCH":
            return tuple(value[1])
        case "SUBPATTERN" | "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" | "ASSERT" | "ASSERT_NOT":
            return (value[-1],)
        case "ATOMIC_GROUP":
            return (value,)
        case "GROUPREF_EXISTS":
            return tuple(item for item in value[1:] if item is not None)
        case _:
            return ()


def _matches(op: Any, value: Any, letter: str, flags: int) -> bool:
    name = str(op)
    if name == "ANY":
        return letter != "\n" or bool(flags & re.DOTALL)
    forms = {letter, letter.lower(), letter.upper()} if flags & re.IGNORECASE else {letter}
    if name == "LITERAL":
        return any(len(form) == 1 and ord(form) == value for form in forms)
    if name == "NOT_LITERAL":
        return not any(len(form) == 1 and ord(form) == value for form in forms)
    wanted = any(_in(item, form) for item in value for form in forms if len(form) == 1)
    return wanted is not any(str(item[0]) == "NEGATE" for item in value)


def _in(item: tuple[Any, Any], letter: str) -> bool:
    name, value = str(item[0]), item[1]
    if name == "LITERAL":
        return bool(ord(letter) == value)
    if name == "RANGE":
        return bool(value[0] <= ord(letter) <= value[1])
    if name == "CATEGORY":
        category = str(value)
        positive = category.replace("_NOT", "")
        return _CATEGORIES[positive](letter) is (positive == category)
    return False


class _Builder:
    def __init__(self, tree: Any, flags: int) -> None:
        self._flags = flags
        leaves = tuple(_leaves(tree))
        self._split = _has_border(tree)
        by_kind: dict[tuple[bool, ...], str] = {}
        for letter in _CANDIDATES:
            kind = tuple(_matches(*leaf, letter, flags) for leaf in leaves)
            by_kind.setdefault((*kind, self._split and _is_word(letter)), letter)
        self._made = Automaton(tuple(by_kind.values()))
        self._words = sum(1 << index for index, letter in enumerate(self._made.letters) if _is_word(letter))
        self._sets: list[int] = [self._made.any]
        self._leaves_only_past: dict[int, int] = {}
        """Letters on which a possessive repetition is not left, by its position."""

    def build(self, tree: Any, *, searched: bool) -> Automaton:
        self._made.steps.append({})
        if searched:
            self._made.steps[START][START] = Edge(self._made.any)
        part = self._sequence(tree)
        self._link((START,), part.first)
        return self._made

    def _positions(self, op: Any, value: Any) -> _Part:
        """Add the positions of a node that matches one character: two if the pattern has a word border."""
        bits = 0
        for index, letter in enumerate(self._made.letters):
            if _matches(op, value, letter, self._flags):
                bits |= 1 << index
        first = len(self._sets)
        self._sets += (
            [part for part in (bits & self._words, bits & ~self._words) if part] if self._split else [bits]
        )
        added = tuple(range(first, len(self._sets)))
        self._made.steps += [{} for _ in added]
        return _Part(empty=False, first=added, last=added)

    def _link(self, before: tuple[int, ...], after: tuple[int, ...], *, border: bool = False) -> None:
        for one in before:
            kept = self._leaves_only_past.get(one, 0)
            for other in after:
                letters = self._sets[other] & ~(kept if one not in after else 0)
                if not letters or (border and one != START and self._is_word(one) is self._is_word(other)):
                    continue
                edge = self._made.steps[one].get(other)
                if edge is None:
                    self._made.steps[one][other] = Edge(letters)
                else:
                    edge.ways += 1

    def _is_word(self, position: int) -> bool:
        return bool(self._sets[position] & self._words)

    def _sequence(self, tree: Iterable[tuple[Any, Any]]) -> _Part:
        made = _Part(empty=True)
        border = False
        for op, value in tree:
            if str(op) == "AT" and str(value) == "AT_BOUNDARY":
                border = True
                continue
            made = self._joined(made, self._node(op, value), border=border)
            border = False
        return made

    def _joined(self, one: _Part, other: _Part, *, border: bool = False) -> _Part:
        self._link(one.last, other.first, border=border)
        return _Part(
            one.empty and other.empty,
            one.first + (other.first if one.empty else ()),
            other.last + (one.last if other.empty else ()),
        )

    def _node(self, op: Any, value: Any) -> _Part:  # noqa: PLR0911 - one return per kind of node
        match str(op):
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                return self._positions(op, value)
            case "BRANCH":
                return _alternatives([self._sequence(item) for item in value[1]])
            case "SUBPATTERN" | "ATOMIC_GROUP" as name:
                return self._sequence(value if name == "ATOMIC_GROUP" else value[-1])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" as name:
                return self._repeated(*value, possessive=name == "POSSESSIVE_REPEAT")
            case "ASSERT" | "ASSERT_NOT" if value[0] > 0:
                # A lookahead reads ahead of the pattern, and then ends: a branch that nothing follows.
                return _Part(empty=True, first=self._sequence(value[1]).first)
            case "GROUPREF_EXISTS":
                parts = [self._sequence(item) if item else _Part(empty=True) for item in value[1:]]
                return _alternatives(parts)
            case "AT" if str(value) in _ENDS_OF_TEXT and not self._flags & re.MULTILINE:
                return _Part(empty=False)
            case _:
                return _Part(empty=True)

    def _repeated(self, least: int, most: Any, tree: Any, *, possessive: bool) -> _Part:
        most = int(most)
        made = _Part(empty=True)
        for _ in range(min(least, _MAX_COPIES)):
            made = self._joined(made, self._sequence(tree))
        if most - least <= _MAX_OPTIONAL:
            for _ in range(most - least):
                made = self._joined(made, self._optional(self._sequence(tree)))
            return made
        part = self._sequence(tree)
        self._link(part.last, part.first)
        if possessive and part.first == part.last:
            kept = 0
            for at in part.first:
                kept |= self._sets[at]
            self._leaves_only_past.update(dict.fromkeys(part.first, kept))
        return self._joined(made, self._optional(part))

    def _optional(self, part: _Part) -> _Part:
        return _Part(True, part.first, part.last)


def _alternatives(parts: list[_Part]) -> _Part:
    return _Part(
        any(part.empty for part in parts),
        tuple(at for part in parts for at in part.first),
        tuple(at for part in parts for at in part.last),
    )
