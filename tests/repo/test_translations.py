"""The pages in Chinese have the structure of their English pages, so that neither is changed alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TRANSLATIONS = DOCS / "zh"
ROOT = DOCS.parent
PAGES = [ROOT / "README.zh.md", *sorted(TRANSLATIONS.rglob("*.md"))]
CODE = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)
EXPLAINED = re.compile(r"[ \t]*#.*$|(?<=── )(\w+)  .*$", re.MULTILINE)
"""A comment in a code block, or what follows a name in a tree."""

SOURCES = [path for name in ("console", "review", "workers") for path in (ROOT / name).rglob("*.py")]
TEXTS = sorted([*PAGES, DOCS / "glossary.md", *SOURCES])
OTHER_WORDS = {
    "裁决": "结论",
    "账本": "台账",
    "审计日志": "审计记录",
    "抑制": "屏蔽",
    "拦截": "阻断",
    "失败归档": "未能答复",
    "事件代码": "事件编码",
}
"""Chinese words for something that the glossary calls otherwise."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def english_of(page: Path) -> Path:
    """Return the English page of a translated one."""
    if TRANSLATIONS in page.parents:
        return DOCS / page.relative_to(TRANSLATIONS)
    return page.with_name(page.name.replace(".zh.md", ".md"))


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


def table_values(page: Path) -> list[list[list[str]]]:
    """Return what each cell of each table row of a page has as code, or the number that it is."""
    rows = [re.split(r"(?<!\\)\|", line) for line in re.findall(r"^\|.*$", prose(page), re.MULTILINE)]
    return [[sorted(set(re.findall(r"`[^`]+`|^ \d+ $", cell))) for cell in row] for row in rows]


def code_blocks(page: Path) -> list[str]:
    """Return the code blocks of a page without comments and explanations, which are translated."""
    blocks = [match[0] for match in CODE.finditer(page.read_text())]
    return [EXPLAINED.sub(r"\1", block) for block in blocks]


def pictures(page: Path) -> list[Path]:
    """Return the files of the pictures of a page."""
    return [(page.parent / link).resolve() for link in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text())]


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
    assert table_values(page) == table_values(english_of(page))


@every_page
def test_a_translation_has_the_code_of_its_page(page: Path) -> None:
    assert code_blocks(page) == code_blocks(english_of(page))


@every_page
def test_a_translation_shows_the_pictures_of_its_page_in_chinese(page: Path) -> None:
    of_english, of_chinese = pictures(english_of(page)), pictures(page)
    assert [file.name for file in of_chinese] == [file.name for file in of_english]
    assert all(file.parent.name == "zh" for file in of_chinese)


def test_every_picture_is_shown() -> None:
    shown = {file for page in PAGES for file in (*pictures(page), *pictures(english_of(page)))}
    assert shown == {*(DOCS / "images").rglob("*.png")}


@every_page
def test_a_translation_names_the_same_settings_and_commands(page: Path) -> None:
    assert code_words(page) == code_words(english_of(page))


def links(page: Path) -> list[str]:
    """Return the files that a page links to, without that of a line `英文版：`."""
    text = re.sub(r"^英文版：.*$", "", page.read_text(), flags=re.MULTILINE)
    return re.findall(r"\]\(([^)#]+)", text)


def translation_of(page: Path) -> Path:
    """Return where the Chinese page of an English page would be."""
    if DOCS not in page.parents:
        return page.with_name(page.name.replace(".md", ".zh.md"))
    if page.parent == DOCS / "rules":
        return page.parent / "zh" / page.name
    return TRANSLATIONS / page.relative_to(DOCS)


@every_page
def test_a_translation_leads_to_translations(page: Path) -> None:
    targets = [(page.parent / link).resolve() for link in links(page) if link.endswith(".md")]
    english = [target for target in targets if "zh" not in target.parts and target not in PAGES]
    assert not [target for target in english if translation_of(target).is_file()]


def test_chinese_texts_use_the_words_of_the_glossary() -> None:
    used = {path: [word for word in OTHER_WORDS if word in path.read_text()] for path in TEXTS}
    assert not {str(path.relative_to(ROOT)): words for path, words in used.items() if words}


def test_the_glossary_has_the_words() -> None:
    glossary = (DOCS / "glossary.md").read_text()
    assert not [word for word in OTHER_WORDS.values() if word not in glossary]
