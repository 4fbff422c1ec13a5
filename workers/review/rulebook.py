"""The rules' pages as Markdown, in both languages, with an index: what `docs/rules/` holds."""

from __future__ import annotations

from collections.abc import Iterator

from common.i18n import Language
from workers.review.dialects import Dialect
from workers.review.rules.catalogue import RULES
from workers.review.rules.page import HEADINGS, Example, Page, page
from workers.review.rules.rule import Rule, Text

_INDEX = "README.md"
_CHINESE_FOLDER = "zh"
_FAMILIES = (
    ("MC-C", Text("Correctness", "正确性")),
    ("MC-P", Text("Cost", "成本")),
    ("MC-S", Text("Security", "安全")),
    ("MC-N", Text("Convention", "规范")),
    ("MC-M", Text("Maintainability", "可维护性")),
    ("PY-", Text("Python", "Python")),
    ("SH-", Text("Shell", "Shell")),
    ("DI-", Text("Data integration", "数据集成")),
    ("DW-", Text("Suppressions", "屏蔽注释")),
)
_TITLE = Text("Rules of the code review", "代码复查规则")
_ABOUT = Text(
    "Made from the rules themselves by `make docs`; `dwgate rules ID` shows a page in the terminal."
    " `PY-…`, `SH-…` and `PG-…` ids that are not here are those of ruff, shellcheck and squawk.",
    "由 `make docs` 根据规则代码生成；`dwgate rules ID --language zh` 可在终端查看。"
    "此处未列出的 `PY-…`、`SH-…`、`PG-…` 编号分别来自 ruff、shellcheck 和 squawk。",
)
_SEVERITY = Text("Severity", "级别")
_LANGUAGES = Text("Languages", "适用语言")
_ALL = Text("all", "全部")


def book() -> dict[str, str]:
    """Return every file of the book: its path below the book's folder, and its text."""
    files: dict[str, str] = {}
    for language in Language:
        folder = f"{_CHINESE_FOLDER}/" if language is Language.CHINESE else ""
        files[f"{folder}{_INDEX}"] = _index(language)
        files |= {f"{folder}{rule.id}.md": text(rule, language) for rule in RULES}
    return files


def text(rule: Rule, language: Language) -> str:
    """Return the page of `rule` as Markdown."""
    told = page(rule)
    known = f"```json\n{told.known}\n```" if told.known else ""
    sections = (
        ("what", _in(told.what, language)),
        ("why", _in(told.why, language)),
        ("given", known),
        ("bad", _examples(told.bad)),
        ("good", _examples(told.good)),
        ("options", _in(told.options, language)),
        ("limits", _in(told.limits, language)),
    )
    parts = [_head(rule, told, language)]
    parts += [f"## {_in(HEADINGS[key], language)}\n\n{body}\n" for key, body in sections if body]
    return "\n".join(parts)


def _head(rule: Rule, told: Page, language: Language) -> str:
    names = sorted(dialect.value for dialect in rule.dialects if dialect is not Dialect.UNKNOWN)
    all_ = rule.dialects >= frozenset(Dialect)
    return (
        f"# {rule.id} {rule.name}\n\n"
        f"{_in(told.title, language)}{'。' if language is Language.CHINESE else '.'}\n\n"
        f"- {_in(_SEVERITY, language)}: `{rule.severity.value}`\n"
        f"- {_in(_LANGUAGES, language)}: {_in(_ALL, language) if all_ else ', '.join(names)}\n"
    )


def _examples(examples: tuple[Example, ...]) -> str:
    return "\n\n".join(f"```{example.language}\n{example.code}\n```" for example in examples)


def _index(language: Language) -> str:
    return "\n".join((f"# {_in(_TITLE, language)}\n\n{_in(_ABOUT, language)}\n", *_tables(language)))


def _tables(language: Language) -> Iterator[str]:
    for prefix, family in _FAMILIES:
        rules = [rule for rule in RULES if rule.id.startswith(prefix)]
        if rules:
            rows = "".join(
                f"| {' | '.join(_row(rule, language))} |\n"
                for rule in sorted(rules, key=lambda rule: rule.id)
            )
            yield f"## {_in(family, language)}\n\n| | | | |\n|---|---|---|---|\n{rows}"


def _row(rule: Rule, language: Language) -> tuple[str, ...]:
    title = _in(page(rule).title, language).replace("|", "\\|")
    return f"[{rule.id}]({rule.id}.md)", f"`{rule.name}`", rule.severity.value, title


def _in(told: Text, language: Language) -> str:
    return told.zh if language is Language.CHINESE else told.en
