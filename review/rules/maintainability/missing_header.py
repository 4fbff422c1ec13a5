"""MC-M01: missing-header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import Script, Span
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


class Entry(StrEnum):
    """An entry of a header."""

    AUTHOR = "author"
    PURPOSE = "purpose"
    CHANGES = "changes"


_WORDS = {
    Entry.AUTHOR: re.compile(
        r"author|owner|created?[ _]?by|developer|作者|负责人|创建人|开发人?|编写", re.IGNORECASE
    ),
    Entry.PURPOSE: re.compile(
        r"purpose|desc|function|summary|title|usage|about|功能|描述|说明|用途|需求|目的|主题|内容|简介",
        re.IGNORECASE,
    ),
    Entry.CHANGES: re.compile(
        r"change|modif|history|version|update|revision|修改|变更|更新|版本|修订|日志|\d{4}-?\d{2}-?\d{2}",
        re.IGNORECASE,
    ),
}
_CHINESE = {Entry.AUTHOR: "作者", Entry.PURPOSE: "用途", Entry.CHANGES: "变更记录"}
_SHORT = 10
"""Minimum number of lines of a node that needs a header."""


class MissingHeaderOptions(Options):
    """Options of MC-M01."""

    entries: tuple[Entry, ...] = Field(
        (Entry.AUTHOR, Entry.PURPOSE),
        description="what the comment at the top must contain: author, purpose, changes",
    )


@rule(
    "MC-M01",
    "missing-header",
    Severity.INFO,
    dialects=SQL | {Dialect.PYTHON, Dialect.SHELL},
    options=MissingHeaderOptions,
    fix=Text(
        "Begin the node with a comment that states its author and purpose.",
        "在节点开头用注释写明作者和用途。",
    ),
)
def missing_header(subject: RuleContext, options: MissingHeaderOptions) -> Iterator[Hit]:
    """Node has no header with its author and purpose.

    ## What it does
    Checks the comments before the first statement of a scheduled node of ten lines or more for words such as
    author, purpose and change log, in English or Chinese.

    ## Why
    The person who handles a failure at night reads the first lines of the node.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dws_trade_shop_1d PARTITION (ds = '${bizdate}')
    SELECT
      shop_id,
      COUNT(*) AS orders,
      SUM(amount) AS amount
    FROM
      dwd_trade_order_di
    WHERE
      ds = '${bizdate}'
    GROUP BY
      shop_id;
    ```

    ## Good
    ```sql
    -- author: li.lei
    -- purpose: orders and amount by shop and day
    INSERT OVERWRITE TABLE dws_trade_shop_1d PARTITION (ds = '${bizdate}')
    SELECT
      shop_id,
      COUNT(*) AS orders,
      SUM(amount) AS amount
    FROM
      dwd_trade_order_di
    WHERE
      ds = '${bizdate}'
    GROUP BY
      shop_id;
    ```

    ## Options
    `entries` (default author and purpose): what the header must contain; any of author, purpose, changes.

    ## Known limits
    The word is enough: whether its content is true must be reviewed manually.
    """
    script = subject.script
    if not script.context.node.scheduled or script.code.count("\n") + 1 < _SHORT:
        return
    header = _header(script)
    missing = [entry for entry in options.entries if not _WORDS[entry].search(header)]
    if missing:
        first = len(script.code) - len(script.code.lstrip())
        yield Hit(
            Span(first, max(first + 1, _end_of_line(script.code, first))),
            Text(
                f"No comment at the top of the node states its {' and '.join(missing)}.",
                f"节点开头的注释没有写明{'和'.join(_CHINESE[entry] for entry in missing)}。",
            ),
            key="header",
        )


def _header(script: Script) -> str:
    """Return the comments before the first statement, including the docstring of a Python module."""
    code = script.code
    docstring = re.match(r"(?:\s|#[^\n]*\n)*[rRuU]?(?P<q>'''|\"\"\")(?P<text>.*?)(?P=q)", code, re.DOTALL)
    found = [docstring["text"]] if docstring and script.dialect is Dialect.PYTHON else []
    begin = 0
    for comment in script.comments:
        between = code[begin : comment.at.begin]
        if between.strip(" \t\r\n;"):
            break
        found.append(comment.text)
        begin = comment.at.end
    return "\n".join(found)


def _end_of_line(code: str, begin: int) -> int:
    end = code.find("\n", begin)
    return len(code) if end < 0 else end
