"""Statements of each engine's manual are read, or reported as not reviewed, as the documentation says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from review.dialects import Dialect
from review.extraction.reader import read_code

_FOLDER = Path("tests/data/engine_statements")
_MARK = "-- not reviewed:"


def _statements(dialect: Dialect) -> tuple[list[str], list[str]]:
    """Return the examples of a dialect that are read, and those that are not."""
    lines = (_FOLDER / f"{dialect.value}.sql").read_text().splitlines()
    at = lines.index(_MARK)
    return lines[:at], lines[at + 1 :]


_DIALECTS = sorted(Dialect(path.stem) for path in _FOLDER.iterdir())


@pytest.mark.parametrize("dialect", _DIALECTS)
def test_statements_are_read(dialect: Dialect) -> None:
    unread = [code for code in _statements(dialect)[0] if _reasons(code, dialect)]
    assert unread == []


@pytest.mark.parametrize("dialect", _DIALECTS)
def test_other_statements_are_reported_once(dialect: Dialect) -> None:
    counts = {code: len(_reasons(code, dialect)) for code in _statements(dialect)[1]}
    assert {code: count for code, count in counts.items() if count != 1} == {}


def _reasons(code: str, dialect: Dialect) -> list[str]:
    return [made.unread for made in read_code(code, dialect).statements if made.unread is not None]


def _documented() -> list[tuple[Dialect, str, bool]]:
    """Return the kinds of statements that the documentation lists, and whether it says that they are read."""
    text = Path("docs/review.md").read_text()
    table = text[text.index("## Statements by engine") : text.index("## Other languages")]
    kinds = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        engine = cells[0].partition(",")[0].strip()
        if len(cells) == 3 and engine in _DIALECTS:
            for cell, read in zip(cells[1:], (True, False), strict=True):
                kinds += [(Dialect(engine), kind, read) for kind in re.findall(r"`([^`]+)`", cell)]
    return kinds


@pytest.mark.parametrize(("dialect", "kind", "read"), _documented())
def test_documented_kinds_have_an_example(dialect: Dialect, kind: str, read: bool) -> None:
    words = r"\s+".join(map(re.escape, kind.split())).replace("…", ".*")
    pattern = re.compile(rf"{words}(?!\w)", re.IGNORECASE)
    examples = _statements(dialect)[0 if read else 1]
    assert any(pattern.search(code) for code in examples), f"no example of {kind}"


def test_every_engine_is_documented() -> None:
    assert {dialect for dialect, _, _ in _documented()} == set(_DIALECTS)
