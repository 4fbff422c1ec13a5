"""The documentation page of a rule, in both languages.

The English page is the docstring of the rule's function, with the examples, which tests run. The Chinese page
is `pages/zh/<RULE-ID>.md` beside this module. It has the same sections without the examples. Nothing is read
before a page is needed.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.errors import DwgateError
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.rules.api import Rule, Text


class PageInvalid(DwgateError, ValueError):
    """The English or the Chinese page of a rule is missing, incomplete or malformed."""


@dataclass(frozen=True, slots=True)
class CodeExample:
    """A script of a page. Tests run it.

    Attributes:
        language: the language that the code fence names (`sql`, `python`, …).
        dialect: the dialect that the script is reviewed as.
    """

    language: str
    dialect: Dialect
    code: str


@dataclass(frozen=True, slots=True)
class RulePage:
    """The documentation of a rule in both languages.

    Attributes:
        title: the rule in one line, without a full stop.
        what: what the rule reports.
        why: the consequences of breaking the rule.
        options: the options that a policy may set; `None.` and `无。` if there are none.
        limits: known false negatives and false positives.
        given_json: what is known besides the code of the examples.
        known: the same as JSON, as the page contains it; empty if nothing is.
        bad: scripts that break the rule.
        good: scripts that do not break it.
    """

    title: Text
    what: Text
    why: Text
    options: Text
    limits: Text
    given_json: ReviewContext = field(default_factory=ReviewContext)
    known: str = ""
    bad: tuple[CodeExample, ...] = ()
    good: tuple[CodeExample, ...] = ()


HEADINGS = {
    "what": Text("What it does", "规则说明"),
    "why": Text("Why", "为什么"),
    "given": Text("Given", "已知信息"),
    "bad": Text("Bad", "错误示例"),
    "good": Text("Good", "正确示例"),
    "options": Text("Options", "选项"),
    "limits": Text("Known limits", "已知限制"),
}
"""Headings of the sections, by name."""

_CHINESE_SECTIONS = ("what", "why", "options", "limits")
"""The sections of a Chinese page. The examples are in the English page only."""

_CHINESE_PAGES = Path(__file__).with_name("pages") / "zh"
_FENCE = re.compile(r"^```(\w+)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def load_page(rule: Rule) -> RulePage:
    """Load the page of `rule`.

    Raises:
        PageInvalid: a page or a section is missing, empty, unknown or malformed.
    """
    path = _CHINESE_PAGES / f"{rule.id}.md"
    try:
        chinese = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PageInvalid(f"{rule.id}: the Chinese page pages/zh/{path.name} is missing.") from None
    return parse(rule, inspect.cleandoc(rule.docs), chinese)


def parse(rule: Rule, english: str, chinese: str) -> RulePage:
    """Parse the English and the Chinese page of `rule`.

    Raises:
        PageInvalid: a section is missing, empty, unknown or malformed.
    """
    sections = _sections(rule, english, {heading.en for heading in HEADINGS.values()})
    chinese_sections = _sections(rule, chinese, {HEADINGS[name].zh for name in _CHINESE_SECTIONS})

    def both(name: str) -> Text:
        heading = HEADINGS[name]
        return Text(_section(rule, sections, heading.en), _section(rule, chinese_sections, heading.zh))

    known = _known_options(rule, sections.get(HEADINGS["given"].en, ""))
    return RulePage(
        title=Text(_title(rule, english).rstrip("."), _chinese_title(rule, chinese)),
        what=both("what"),
        why=both("why"),
        options=both("options"),
        limits=both("limits"),
        given_json=_given(rule, known),
        known=known,
        bad=_examples(rule, _section(rule, sections, HEADINGS["bad"].en)),
        good=_examples(rule, _section(rule, sections, HEADINGS["good"].en)),
    )


def _without_code(text: str) -> str:
    """Mask the examples, in which `##` may begin a comment."""
    return _FENCE.sub(lambda fence: re.sub(r"[^\n]", "·", fence[0]), text)


def _title(rule: Rule, text: str) -> str:
    title = text.partition("\n")[0].strip()
    if not title or title.startswith("##"):
        raise PageInvalid(f"{rule.id}: the title of its page is missing.")
    return title


def _chinese_title(rule: Rule, text: str) -> str:
    title = _title(rule, text)
    if not title.startswith("# "):
        raise PageInvalid(f"{rule.id}: the Chinese page must begin with a title ('# …').")
    return title.removeprefix("# ").rstrip("。")


def _sections(rule: Rule, text: str, headings: set[str]) -> dict[str, str]:
    sections: dict[str, str] = {}
    starts = [*re.finditer(r"^## (.+)$", _without_code(text), re.MULTILINE)]
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        name = start[1].strip()
        if name not in headings or name in sections:
            raise PageInvalid(f"{rule.id}: the section {name!r} of its page is unknown or duplicate.")
        sections[name] = text[start.end() : following.start() if following else len(text)].strip()
    return sections


def _section(rule: Rule, sections: Mapping[str, str], heading: str) -> str:
    if not sections.get(heading):
        raise PageInvalid(f"{rule.id}: the section {heading!r} of its page is missing or empty.")
    return sections[heading]


def _examples(rule: Rule, text: str) -> tuple[CodeExample, ...]:
    examples = tuple(
        CodeExample(language, _dialect(rule, language), code) for language, code in _FENCE.findall(text)
    )
    if not examples:
        raise PageInvalid(f"{rule.id}: an example of its page must be a fenced block with a language.")
    return examples


def _dialect(rule: Rule, language: str) -> Dialect:
    name = _LANGUAGES.get(language, language)
    if name not in [each.value for each in Dialect]:
        raise PageInvalid(f"{rule.id}: an example of its page has the unknown language {language!r}.")
    return Dialect(name)


_LANGUAGES = {"sql": "maxcompute", "json": "di", "bash": "shell", "sh": "shell"}


def _known_options(rule: Rule, text: str) -> str:
    fence = _FENCE.fullmatch(text)
    if text and (fence is None or fence[1] != "json"):
        raise PageInvalid(f"{rule.id}: the section 'Given' of its page must be one block of JSON.")
    return fence[2] if fence else ""


def _given(rule: Rule, known: str) -> ReviewContext:
    try:
        raw: dict[str, Any] = json.loads(known or "{}")
        return ReviewContext(
            node=_node(raw.pop("node", {})),
            project=raw.pop("project", None),
            tables={name.lower(): _table(table) for name, table in raw.pop("tables", {}).items()},
            **raw,
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise PageInvalid(f"{rule.id}: the section 'Given' of its page is invalid: {error}.") from error


def _node(raw: dict[str, Any]) -> NodeContext:
    fields: dict[str, Any] = {name: tuple(raw.pop(name)) for name in ("inputs", "outputs") if name in raw}
    if "parameters" in raw:
        fields["parameters"] = frozenset(raw.pop("parameters"))
    return NodeContext(**fields, **raw)


def _table(raw: dict[str, Any]) -> TableMetadata:
    fields: dict[str, Any] = {
        name: {key.lower(): value for key, value in raw.pop(name).items()}
        for name in ("partitions", "columns", "labels")
        if name in raw
    }
    return TableMetadata(keys=tuple(raw.pop("keys", ())), **fields, **raw)
