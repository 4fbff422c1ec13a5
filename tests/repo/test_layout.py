"""No folder of the product is so full that a reader cannot find the right module."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("common", "console", "deploy", "dwgate", "emulator", "ingest", "review", "workers")
MAX_MODULES = 16
FAMILIES = ("review/rules/", "workers/checks/builtin")
"""Folders with one module per rule or check."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_folder_has_few_modules(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert folders
    too_full = {
        str(folder.relative_to(ROOT)): count
        for folder in folders
        if (count := _modules(folder)) > MAX_MODULES
        and not str(folder.relative_to(ROOT)).startswith(FAMILIES)
    }
    assert too_full == {}


def _modules(folder: Path) -> int:
    return sum(path.name != "__init__.py" for path in folder.glob("*.py"))
