"""Renders the pages of the rules as Markdown in both languages, with an index, for `docs/rules/`."""

from __future__ import annotations

from collections.abc import Iterator

from common.text.i18n import Language
from review.dialects import Dialect
from review.rules.api import Rule, Text
from review.rules.registry import BUILT_IN
from review.rules.rule_page import HEADINGS, CodeExample, load_page

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
    "Generated from the rules by `make docs`. `dwgate rules ID` shows a page in the terminal."
    " Ids `PY-…`, `SH-…` and `PG-…` that are not listed belong to ruff, shellcheck and squawk.",
    "由 `make docs` 根据规则代码生成；`dwgate rules ID --language zh` 可在终端查看。"
    "此处未列出的 `PY-…`、`SH-…`、`PG-…` 编号分别来自 ruff、shellcheck 和 squawk。",
)
_SEVERITY = Text("Severity", "级别")
_LANGUAGES = Text("Languages", "适用语言")
_ALL = Text("all", "全部")


def build_pages() -> dict[str, str]:
    """Return the text of every file, by its path below `docs/rules/`."""
    files: dict[str, str] = {}
    for language in Language:
        folder = f"{_CHINESE_FOLDER}/" if language is Language.CHINESE else ""
        files[f"{folder}{_INDEX}"] = _index(language)
        files |= {f"{folder}{rule.id}.md": render_page(rule, language) for rule in BUILT_IN}
    return files


def render_page(rule: Rule, language: Language) -> str:
    """Return the page of `rule` as Markdown."""
    loaded = load_page(rule)
    known = f"```json\n{loaded.known}\n```" if loaded.known else ""
    sections = (
        ("what", loaded.what.in_language(language)),
        ("why", loaded.why.in_language(language)),
        ("given", known),
        ("bad", _examples(loaded.bad)),
        ("good", _examples(loaded.good)),
        ("options", loaded.options.in_language(language)),
        ("limits", loaded.limits.in_language(language)),
    )
    parts = [_render_head(rule, loaded.title, language)]
    parts += [f"## {HEADINGS[key].in_language(language)}\n\n{body}\n" for key, body in sections if body]
    return "\n".join(parts)


def _render_head(rule: Rule, title: Text, language: Language) -> str:
    names = sorted(dialect.value for dialect in rule.dialects if dialect is not Dialect.UNKNOWN)
    all_ = rule.dialects >= frozenset(Dialect)
    full_stop, colon = ("。", "：") if language is Language.CHINESE else (".", ": ")
    every = _ALL.in_language(language)
    return (
        f"# {rule.id} {rule.name}\n\n"
        f"{title.in_language(language)}{full_stop}\n\n"
        f"- {_SEVERITY.in_language(language)}{colon}`{rule.severity.value}`\n"
        f"- {_LANGUAGES.in_language(language)}{colon}{every if all_ else ', '.join(names)}\n"
    )


def _examples(examples: tuple[CodeExample, ...]) -> str:
    return "\n\n".join(f"```{example.language}\n{example.code}\n```" for example in examples)


def _index(language: Language) -> str:
    return "\n".join(
        (f"# {_TITLE.in_language(language)}\n\n{_ABOUT.in_language(language)}\n", *_tables(language))
    )


def _tables(language: Language) -> Iterator[str]:
    for prefix, family in _FAMILIES:
        rules = [rule for rule in BUILT_IN if rule.id.startswith(prefix)]
        if rules:
            rows = "".join(
                f"| {' | '.join(_row(rule, language))} |\n"
                for rule in sorted(rules, key=lambda rule: rule.id)
            )
            yield f"## {family.in_language(language)}\n\n| | | | |\n|---|---|---|---|\n{rows}"


def _row(rule: Rule, language: Language) -> tuple[str, ...]:
    title = load_page(rule).title.in_language(language).replace("|", "\\|")
    return f"[{rule.id}]({rule.id}.md)", f"`{rule.name}`", rule.severity.value, title
