"""Every rule's page: complete in both languages, and true: its examples are run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from common.config_files import former_names
from common.text.i18n import Language
from common.verdicts import Finding, Severity
from review import rules
from review.context import ReviewContext
from review.dialects import Dialect
from review.engine import NOT_REVIEWED, review
from review.rules.api import Hit, Rule, Text, rule
from review.rules.registry import BY_ID, BY_NAME, RULES, rule_named
from review.rules.rule_page import CodeExample, PageInvalid, load_page, parse

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def examples(kind: str) -> list[ParameterSet]:
    return [
        pytest.param(one, example, id=f"{one.id}-{kind}-{number}")
        for one in RULES
        for number, example in enumerate(getattr(load_page(one), kind), 1)
    ]


def found(one: Rule, example: CodeExample, language: Language = Language.ENGLISH) -> list[Finding]:
    findings = review(example.code, example.dialect, load_page(one).given_json, language=language)
    assert one.id == NOT_REVIEWED or not [item for item in findings if item.rule == NOT_REVIEWED]
    return [item for item in findings if item.rule == one.id]


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.id)
def test_a_page_is_complete_in_both_languages(one: Rule) -> None:
    read = load_page(one)
    for text in (read.title, read.what, read.why, read.options, read.limits, one.fix):
        assert CHINESE.search(text.zh)
        assert not CHINESE.search(text.en)
    for option in one.options.model_fields:
        assert f"`{option}`" in read.options.en
        assert f"`{option}`" in read.options.zh
    if not one.options.model_fields:
        assert read.options == Text("None.", "无。")


@pytest.mark.parametrize(("one", "example"), examples("bad"))
def test_a_bad_example_breaks_its_rule(one: Rule, example: CodeExample) -> None:
    findings = found(one, example)
    assert findings
    for item in findings:
        assert (item.line, item.column) < (item.end_line, item.end_column)
        assert item.message.endswith(".")
        assert not CHINESE.search(item.message)
    for item in found(one, example, Language.CHINESE):
        assert item.message.endswith("。")
        assert item.help
        assert CHINESE.search(item.help)


@pytest.mark.parametrize(("one", "example"), examples("good"))
def test_a_good_example_does_not(one: Rule, example: CodeExample) -> None:
    assert not found(one, example)


def test_the_registry_has_each_id_and_name_once() -> None:
    assert len(BY_ID) == len(RULES) == len(BY_NAME)


def test_a_former_name_leads_to_the_rule() -> None:
    assert rule_named("cross-project-write") == BY_NAME["cross-project-write"]
    assert rule_named("no-such-rule") is None
    assert not former_names.RULES.keys() & BY_NAME.keys()
    assert all(rule_named(old) for old in former_names.RULES)


COMPLETE = """Title.

## What it does
A
## Why
B
## Bad
```hive
SELECT 1;
-- # no heading
```
## Good
```sql
SELECT 2;
```
## Options
None.
## Known limits
C
"""
CHINESE_PAGE = """# 标题
## 规则说明
甲，乙
## 为什么
丙
## 选项
无。
## 已知限制
丁
"""


@rule("MC-X01", "example", Severity.INFO, fix=Text("Correct it.", "改正。"))
def without_chinese_page(*_: object) -> Iterator[Hit]:
    """A rule whose Chinese page does not exist."""
    yield from ()


def test_a_page_is_parsed() -> None:
    read = parse(without_chinese_page, COMPLETE, CHINESE_PAGE)
    assert read.title == Text("Title", "标题")
    assert read.what == Text("A", "甲，乙")
    assert read.bad == (CodeExample("hive", Dialect.HIVE, "SELECT 1;\n-- # no heading"),)
    assert read.good == (CodeExample("sql", Dialect.MAXCOMPUTE, "SELECT 2;"),)
    assert read.given_json == ReviewContext()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Title.\n", "", "title"),
        ("## Why\nB\n", "", "'Why'"),
        ("## Why\n", "## Wherefore\n", "'Wherefore'"),
        ("```hive", "```klingon", "'klingon'"),
        ("```sql\nSELECT 2;\n```", "SELECT 2;", "fenced"),
        ("## Bad\n", '## Given\n```json\n{"tables": []}\n```\n## Bad\n', "'Given'"),
        ("## Bad\n", '## Given\n```json\n{"tablets": {}}\n```\n## Bad\n', "'Given'"),
        ("## Bad\n", "## Given\nnothing\n## Bad\n", "'Given'"),
    ],
)
def test_an_invalid_english_page_is_an_error(old: str, new: str, message: str) -> None:
    assert old in COMPLETE
    with pytest.raises(PageInvalid, match=message) as error:
        parse(without_chinese_page, COMPLETE.replace(old, new, 1), CHINESE_PAGE)
    assert "MC-X01" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# 标题\n", "", "title"),
        ("# 标题\n", "标题\n", "title"),
        ("## 选项\n无。\n", "", "'选项'"),
        ("## 为什么\n丙\n", "## 为什么\n", "'为什么'"),
        ("## 已知限制\n", "## 限制\n", "'限制'"),
        ("## 已知限制\n", "## 正确示例\n丁\n## 已知限制\n", "'正确示例'"),
    ],
)
def test_an_invalid_chinese_page_is_an_error(old: str, new: str, message: str) -> None:
    assert old in CHINESE_PAGE
    with pytest.raises(PageInvalid, match=message) as error:
        parse(without_chinese_page, COMPLETE, CHINESE_PAGE.replace(old, new, 1))
    assert "MC-X01" in str(error.value)


def test_a_missing_chinese_page_is_an_error() -> None:
    with pytest.raises(PageInvalid, match=r"MC-X01.*pages/zh/MC-X01\.md"):
        load_page(without_chinese_page)


def test_every_chinese_page_belongs_to_a_rule() -> None:
    folder = Path(rules.__file__).parent / "pages" / "zh"
    assert {path.stem for path in folder.iterdir()} == set(BY_ID)
