"""A rule's page: its docstring, read into parts.

A page is English first, then Chinese (its `# ` line begins it). The examples stand once, in the English part:
they are the same for both. `docs` and `dwgate rules` show pages; tests run their examples.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.errors import DwgateError
from workers.review.dialects import Dialect
from workers.review.given import Given, Node, Table
from workers.review.rules.rule import Rule, Text


class PageInvalid(DwgateError, ValueError):
    """A rule's docstring is no page: write the part that the message names."""


@dataclass(frozen=True, slots=True)
class Example:
    """A script of a page: run by the tests.

    Attributes:
        language: as the fence says it (`sql`, `python`, …).
        dialect: what it is reviewed as.
    """

    language: str
    dialect: Dialect
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say of a rule, in both languages.

    Attributes:
        title: the rule in one line, without a full stop.
        what: what it asks.
        why: what happens otherwise.
        options: what a policy may set; `None.` and `无。` when there is nothing.
        limits: where it does not see, or sees too much.
        given: what is known besides the code of the examples.
        known: the same as the page writes it, in JSON; empty when nothing is.
        bad: scripts that break the rule.
        good: scripts that do not.
    """

    title: Text
    what: Text
    why: Text
    options: Text
    limits: Text
    given: Given = field(default_factory=Given)
    known: str = ""
    bad: tuple[Example, ...] = ()
    good: tuple[Example, ...] = ()


HEADINGS = {
    "what": Text("What it does", "规则说明"),
    "why": Text("Why", "为什么"),
    "given": Text("Given", "已知信息"),
    "bad": Text("Bad", "错误示例"),
    "good": Text("Good", "正确示例"),
    "options": Text("Options", "选项"),
    "limits": Text("Known limits", "已知限制"),
}
"""What each part is headed by; a docstring has the examples and what is given in its English part only."""

_FENCE = re.compile(r"^```(\w+)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_CHINESE = re.compile(r"^# ", re.MULTILINE)
_WRAPPED = re.compile(r"(?<=[^\x00-\x7f])\n(?=[^\x00-\x7f])|(?<=[，。、；：）])\n(?=[^-\n])")
"""A line break between Chinese characters: a reader would see it as a blank."""


def page(rule: Rule) -> Page:
    """Read the page of `rule`.

    Raises:
        PageInvalid: a part is missing, empty, unknown, or not what it should be.
    """
    english, chinese = _halves(rule)
    parts = _sections(rule, english, {text.en for text in HEADINGS.values()})
    chinese_parts = _sections(rule, chinese, {text.zh for text in HEADINGS.values()})

    def both(key: str) -> Text:
        heading = HEADINGS[key]
        return Text(_part(rule, parts, heading.en), _WRAPPED.sub("", _part(rule, chinese_parts, heading.zh)))

    known = _known(rule, parts.get(HEADINGS["given"].en, ""))
    return Page(
        title=Text(_title(english).rstrip("."), _title(chinese).rstrip("。")),
        what=both("what"),
        why=both("why"),
        options=both("options"),
        limits=both("limits"),
        given=_given(rule, known),
        known=known,
        bad=_examples(rule, _part(rule, parts, HEADINGS["bad"].en)),
        good=_examples(rule, _part(rule, parts, HEADINGS["good"].en)),
    )


def _halves(rule: Rule) -> tuple[str, str]:
    text = inspect.cleandoc(rule.page)
    begin = _CHINESE.search(_without_code(text))
    if not text or begin is None:
        raise PageInvalid(f"{rule.id}: its docstring has no Chinese part (a line that begins with '# ').")
    return text[: begin.start()].strip(), text[begin.end() :].strip()


def _without_code(text: str) -> str:
    """Blank the examples, in which `# ` is a comment."""
    return _FENCE.sub(lambda fence: re.sub(r"[^\n]", "·", fence[0]), text)


def _title(half: str) -> str:
    return half.partition("\n")[0].strip()


def _sections(rule: Rule, half: str, headings: set[str]) -> dict[str, str]:
    sections: dict[str, str] = {}
    starts = [*re.finditer(r"^## (.+)$", _without_code(half), re.MULTILINE)]
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        name = start[1].strip()
        if name not in headings or name in sections:
            raise PageInvalid(f"{rule.id}: the section {name!r} of its page is unknown, or stands twice.")
        sections[name] = half[start.end() : following.start() if following else len(half)].strip()
    return sections


def _part(rule: Rule, sections: Mapping[str, str], heading: str) -> str:
    if not sections.get(heading):
        raise PageInvalid(f"{rule.id}: the section {heading!r} of its page is missing or empty.")
    return sections[heading]


def _examples(rule: Rule, text: str) -> tuple[Example, ...]:
    examples = tuple(
        Example(language, _dialect(rule, language), code) for language, code in _FENCE.findall(text)
    )
    if not examples:
        raise PageInvalid(f"{rule.id}: an example of its page is no fenced block with a language.")
    return examples


def _dialect(rule: Rule, language: str) -> Dialect:
    name = _LANGUAGES.get(language, language)
    if name not in [each.value for each in Dialect]:
        raise PageInvalid(f"{rule.id}: no dialect is called {language!r}, as an example of its page says.")
    return Dialect(name)


_LANGUAGES = {"sql": "maxcompute", "json": "di", "bash": "shell", "sh": "shell"}


def _known(rule: Rule, text: str) -> str:
    fence = _FENCE.fullmatch(text)
    if text and (fence is None or fence[1] != "json"):
        raise PageInvalid(f"{rule.id}: the section 'Given' of its page is not one block of JSON.")
    return fence[2] if fence else ""


def _given(rule: Rule, known: str) -> Given:
    try:
        raw: dict[str, Any] = json.loads(known or "{}")
        return Given(
            node=_node(raw.pop("node", {})),
            project=raw.pop("project", None),
            tables={name.lower(): _table(table) for name, table in raw.pop("tables", {}).items()},
            **raw,
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise PageInvalid(f"{rule.id}: the section 'Given' of its page is wrong: {error}.") from error


def _node(raw: dict[str, Any]) -> Node:
    made: dict[str, Any] = {name: tuple(raw.pop(name)) for name in ("inputs", "outputs") if name in raw}
    if "parameters" in raw:
        made["parameters"] = frozenset(raw.pop("parameters"))
    return Node(**made, **raw)


def _table(raw: dict[str, Any]) -> Table:
    made: dict[str, Any] = {
        name: {key.lower(): value for key, value in raw.pop(name).items()}
        for name in ("partitions", "columns", "labels")
        if name in raw
    }
    return Table(keys=tuple(raw.pop("keys", ())), **made, **raw)
