"""docs/zh: each translated page has the structure of its English page, so that neither is changed alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TRANSLATIONS = DOCS / "zh"
PAGES = sorted(TRANSLATIONS.rglob("*.md"))
CODE = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TRANSLATIONS)))


def english_of(page: Path) -> Path:
    """Return the English page of a translated one."""
    return DOCS / page.relative_to(TRANSLATIONS)


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return CODE.sub("", page.read_text())


def heading_levels(page: Path) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", prose(page), re.MULTILINE)]


def table_sizes(page: Path) -> list[tuple[int, int]]:
    """Return the numbers of rows and columns of each table of a page."""
    tables = re.findall(r"(?:^\|.*\n?)+", prose(page), re.MULTILINE)
    return [
        (len(table.splitlines()), len(re.findall(r"(?<!\\)\|", table.splitlines()[0])) - 1)
        for table in tables
    ]


def code_blocks(page: Path) -> list[str]:
    """Return the code blocks of a page without comments, which are translated."""
    blocks = [match[0] for match in CODE.finditer(page.read_text())]
    return [re.sub(r"[ \t]*#.*$", "", block, flags=re.MULTILINE) for block in blocks]


def code_words(page: Path) -> list[str]:
    """Return the distinct words that are set as code in a page, such as settings and commands."""
    return sorted(set(re.findall(r"`([^`\n]+)`", prose(page))))


@every_page
def test_a_translation_has_an_english_page(page: Path) -> None:
    assert english_of(page).is_file()


@every_page
def test_a_translation_has_the_headings_of_its_page(page: Path) -> None:
    assert heading_levels(page) == heading_levels(english_of(page))


@every_page
def test_a_translation_has_the_tables_of_its_page(page: Path) -> None:
    assert table_sizes(page) == table_sizes(english_of(page))


@every_page
def test_a_translation_has_the_code_of_its_page(page: Path) -> None:
    assert code_blocks(page) == code_blocks(english_of(page))


@every_page
def test_a_translation_names_the_same_settings_and_commands(page: Path) -> None:
    assert code_words(page) == code_words(english_of(page))
