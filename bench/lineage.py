"""Compares the tables read and written with those found by druid (Alibaba's own parser, in Java)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.corpora import corpus, one_line
from review import lineage
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.source.statement_splitter import StatementText

_REFERENCE = Path(__file__).parent / "baselines" / "DruidLineage.java"
_TYPES = {Dialect.MAXCOMPUTE: "odps", Dialect.HOLOGRES: "postgresql", Dialect.POSTGRES: "postgresql"}
_WRITES = ("Insert", "Update", "Delete", "Merge")

Tables = tuple[frozenset[str], frozenset[str]]
"""Names of the tables that are read, and of those that are written."""


def compared(folders: list[Path], jar: Path, *, listed: bool) -> None:
    """Print for how many statements both find the same tables."""
    print(f"{'dialect':<12}{'statements':>11}{'druid reads':>13}{'equal':>8}{'share':>9}")
    for folder in folders:
        source = corpus(folder)
        pieces = [piece for _, piece in source.statements() if _comparable(piece)]
        theirs = _druid(pieces, _TYPES.get(source.dialect, source.dialect.value), jar)
        known = [
            (piece, expected) for piece, expected in zip(pieces, theirs, strict=True) if expected is not None
        ]
        equal = 0
        for piece, expected in known:
            ours = _ours(piece, source.dialect)
            equal += ours == expected
            if listed and ours != expected:
                print(f"ours {_shown(ours)}, druid's {_shown(expected)}: {one_line(piece.text)[:300]}")
        share = 100 * equal / len(known) if known else 0.0
        print(f"{source.dialect:<12}{len(pieces):>11}{len(known):>13}{equal:>8}{share:>8.2f}%")


def _comparable(piece: StatementText) -> bool:
    """Whether results are comparable: druid counts EXPLAIN as a read, and does not support blocks."""
    return not piece.client and piece.verb != "EXPLAIN" and "BEGIN" not in piece.stripped.upper()


def _ours(piece: StatementText, dialect: Dialect) -> Tables:
    script = read_code(piece.text, dialect)
    found = lineage.table_lineage(script)
    # LIKE reads no rows; druid counts it as a read only for CLONE, which copies the rows.
    like = {created.like for item in script.statements for created in item.creations if created.like}
    passed = frozenset() if piece.verb == "CLONE" else frozenset(_plain(name) for name in like)
    reads = frozenset(_plain(name) for item in found for name in item.reads)
    return reads - passed - {"dual"}, frozenset(
        _plain(write.table) for item in found for write in item.writes
    )


def _druid(pieces: list[StatementText], kind: str, jar: Path) -> list[Tables | None]:
    run = subprocess.run(
        ["java", "-Xss64m", "-cp", str(jar), str(_REFERENCE), kind],
        input="\0".join(piece.text for piece in pieces),
        capture_output=True,
        text=True,
        check=True,
    )
    return [_said(line) for line in run.stdout.splitlines()]


def _said(line: str) -> Tables | None:
    if not line.startswith("OK"):
        return None
    items = [item.rpartition("=") for item in line.split("\t")[1:]]
    reads = {_plain(name) for name, _, does in items if "Select" in does}
    writes = {_plain(name) for name, _, does in items if any(word in does for word in _WRITES)}
    return frozenset(reads) - {"dual"}, frozenset(writes)


def _plain(name: str) -> str:
    return name.replace("`", "").replace('"', "").lower()


def _shown(tables: Tables) -> str:
    return f"reads {sorted(tables[0])} writes {sorted(tables[1])}"
