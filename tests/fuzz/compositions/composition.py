"""Code that was composed, with the places of the effects that a review must not miss."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Effect:
    """A statement that deletes the data of a table of its own.

    Attributes:
        table: its last name, which occurs nowhere else.
        begin: offset of the code that carries the statement.
        end: offset after that code.
        carrier: that code, in the content of a file, where it is not at an offset.
    """

    table: str
    begin: int = 0
    end: int = 0
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Composition:
    """Code of one language.

    Attributes:
        code: the text of a script, or the content of a file.
        file_type: the node type of a file; None for a script or for a file without one.
        effects: what the code deletes; empty if the code was mutated.
    """

    code: str
    file_type: int | None = None
    effects: tuple[Effect, ...] = ()

    def without_places(self) -> tuple[Effect, ...]:
        """Return the effects with the code that carries them."""
        return tuple(
            Effect(effect.table, carrier=self.code[effect.begin : effect.end].strip())
            for effect in self.effects
        )

    def to_bytes(self) -> bytes:
        """Return it as an input of the fuzzer, which can be read and edited."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)

    @classmethod
    def from_bytes(cls, data: bytes) -> Composition:
        """Return the composition of an input."""
        raw = orjson.loads(data)
        effects = tuple(Effect(**effect) for effect in raw["effects"])
        return cls(raw["code"], raw["file_type"], effects)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a script: text, and the table whose data it deletes, if any."""

    text: str
    table: str | None = None


Make = Callable[[random.Random], Composition]


def join_parts(parts: Sequence[Part]) -> Composition:
    """Return the script that consists of the parts."""
    effects, offset = [], 0
    for part in parts:
        end = offset + len(part.text)
        if part.table:
            effects.append(Effect(part.table, offset, end))
        offset = end
    return Composition("".join(part.text for part in parts), effects=tuple(effects))


def new_table(rng: random.Random) -> str:
    """Return the name of a table that nothing else in a composition has."""
    return f"zap_{rng.randrange(1_000_000_000)}"
