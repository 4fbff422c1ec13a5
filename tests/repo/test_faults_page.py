"""The page of faults names tests that exist, for every fault."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
REFERENCE = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_named_test_exists() -> None:
    references = REFERENCE.findall(PAGE.read_text())
    assert len(references) > 60
    missing = [
        f"{path}::{name}"
        for path, name in references
        if not re.search(rf"^(async )?def {name}\(", _source(path), re.MULTILINE)
    ]
    assert missing == []


def test_each_of_the_forty_kinds_has_a_test_or_a_command() -> None:
    kinds = [row for row in rows() if re.match(r"\d+\. ", row[0])]
    assert [int(row[0].partition(".")[0]) for row in kinds] == list(range(1, 41))
    assert [row[0] for row in kinds if "`" not in row[1]] == []


def _source(path: str) -> str:
    file = ROOT / "tests" / path
    return file.read_text() if file.is_file() else ""
