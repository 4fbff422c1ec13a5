"""Mutated inputs: labelled nodes and corpus files with their tokens changed, and random words of SQL."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

from tests.support.labelled_nodes import labelled_nodes

_TOKEN = re.compile(r"\w+|[ \t]+|.", re.DOTALL)
_WORDS = tuple(Path("tests/data/sql_words.txt").read_text().split("\n"))
_ODD = (
    "\x00",
    "\ud800",
    "𝒳",
    "\\",
    "\r",
    "\u2028",
    "；",
    "''",
    '""',
    "``",
    "$$",
    "--",
    "/*",
    "*/",
    "/*+",
    "${",
    "$[",
)
_MORE = (
    *(
        "UNION ALL",
        "INSERT OVERWRITE TABLE",
        "INSERT INTO",
        "PARTITION(ds='${bizdate}')",
        "LATERAL VIEW",
        "EXISTS",
    ),
    *(
        "CASE WHEN",
        "END",
        "OVER (ORDER BY",
        "NOT IN (SELECT",
        "LIMIT 1",
        "WITH x AS (",
        "@v :=",
        "MERGE INTO",
        "IS NULL",
    ),
    *(
        "LIFECYCLE 3",
        "CREATE TABLE",
        "DROP TABLE",
        "ALTER TABLE",
        "TRUNCATE",
        "DELETE FROM",
        "VALUES (1)",
        "MAX_PT('t')",
    ),
    *(
        "ds",
        "'20240501'",
        "20240501",
        "t.*",
        "count(*)",
        "LEFT JOIN",
        "FULL OUTER JOIN",
        "USING (id)",
        "GROUPING SETS",
    ),
    *(
        "DELIMITER //",
        "BEGIN",
        "GO",
        "$tag$",
        "{{ ds }}",
        "-- dwgate:ignore MC-P04 why",
        "TRANSFORM",
        "MAPJOIN(a)",
    ),
)
_PIECES = tuple(word for word in (*_WORDS, *_MORE, *_ODD) if word)
PIECES = tuple(piece.encode("utf-8", "replace") for piece in _PIECES)
"""Words of SQL, scripts and directives."""

_BYTES = (
    "\x00",
    "\xff",
    "\n",
    "\r",
    "\t",
    " ",
    ":",
    "-",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "\\",
    "&a",
    "*a",
    "9" * 30,
)
_MAX_LENGTH = 20_000
"""Maximum characters of a mutation: repetitions must not make the fuzzer slow."""


def mutated(rng: random.Random) -> str:
    """Return a labelled node's code with up to eight random changes of its tokens."""
    tokens = _TOKEN.findall(rng.choice(labelled_nodes()).code)
    for _ in range(rng.randint(1, 8)):
        _change(tokens, rng, _PIECES, rng.choice(labelled_nodes()).code)
    text = "".join(tokens)
    return text[:_MAX_LENGTH]


def truncated(rng: random.Random) -> str:
    """Return a labelled node's code cut off somewhere, or begun somewhere."""
    code = rng.choice(labelled_nodes()).code
    at = rng.randint(0, len(code))
    return code[:at] if rng.random() < 0.7 else code[at:]


def soup(rng: random.Random) -> str:
    """Return random words of SQL."""
    return rng.choice((" ", " ", "\n", "")).join(rng.choices(_PIECES, k=rng.randint(1, 60)))


def anything(rng: random.Random) -> str:
    """Return code of one of the three kinds, mostly mutations."""
    return rng.choice((mutated, mutated, mutated, truncated, soup))(rng)


def mutated_bytes(rng: random.Random, seeds: Sequence[bytes], pieces: Sequence[bytes] = ()) -> bytes:
    """Return one of `seeds` with changed tokens, changed bytes, or a part of it repeated many times.

    Args:
        rng: the source of randomness.
        seeds: inputs of the same kind.
        pieces: words that are inserted.
    """
    # One character per byte, so that any seed can be cut into tokens.
    tokens = _TOKEN.findall(rng.choice(seeds).decode("latin-1"))
    inserted = [piece.decode("latin-1") for piece in pieces] or _BYTES
    match rng.randrange(10):
        case 0:
            begin = rng.randint(0, len(tokens))
            part = tokens[begin : begin + rng.choice((1, 2, 5))]
            tokens[begin:begin] = part * rng.choice((10, 100, 1000))
        case 1 | 2:
            for _ in range(rng.randint(1, 4)):
                at = rng.randint(0, len(tokens))
                tokens[at : at + rng.randint(0, 1)] = [chr(rng.randrange(256))]
        case 3:
            del tokens[rng.randint(0, len(tokens)) :]
        case _:
            for _ in range(rng.randint(1, 8)):
                _change(tokens, rng, inserted, rng.choice(seeds).decode("latin-1"))
    return "".join(tokens)[:_MAX_LENGTH].encode("latin-1")


def _change(tokens: list[str], rng: random.Random, pieces: Sequence[str], other: str) -> None:
    begin = rng.randint(0, len(tokens))
    end = min(len(tokens), begin + rng.choice((1, 1, 2, 5, 20)))
    match rng.randrange(6):
        case 0:
            del tokens[begin:end]
        case 1:
            tokens[begin:begin] = tokens[begin:end]
        case 2:
            part = tokens[begin:end]
            del tokens[begin:end]
            place = rng.randint(0, len(tokens))
            tokens[place:place] = part
        case 3:
            tokens.insert(begin, f" {rng.choice(pieces)} ")
        case 4:
            tokens[begin:end] = [rng.choice(pieces)]
        case _:
            words = _TOKEN.findall(other)
            start = rng.randint(0, len(words))
            tokens[begin:begin] = words[start : start + rng.choice((3, 10, 40))]
