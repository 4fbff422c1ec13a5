"""MC-M02: commented-code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.facts import Comment, Script, Span
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

_MARKS = re.compile(r"^\s*(?:--+|#+|//+|/\*+|\*+/?)?[ \t]*|\*/\s*$")
_CODE = re.compile(
    r"(?:select|insert|from|where|group\s+by|order\s+by|(?:left|right|inner|full|cross)?\s*(?:outer\s+)?join|union|create"
    r"|alter|drop|with|and|or|on|when|case|end|partition|having|limit|set)\b.*(?:[,;()=<>']|\b\w+\.\w+|\*|_)"
    r"|(?:select|from|where|group\s+by|order\s+by|union(?:\s+all)?|on|end|begin)$|\w+\.\w+(?:\s+as\s+\w+)?,?$|[\w.]+,$"
    r"|,\s*\w+(?:\.\w+)?(?:\s+as\s+\w+)?\s*,?$|[\w.]+\s*\(.*\)\s*(?:as\s+\w+)?[,;]?$|.*;$|[\w.]+\s*\+?=\s*\S.*"
    r"|(?:from|join)\s+[\w.]+(?:\s+\w+)?$|(?:import|def|for|if|elif|return|with|echo|export)\s.*[:()=$\"']",
    re.IGNORECASE,
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|待办|待完善|待优化")


class CommentedCodeOptions(Options):
    """Options of MC-M02."""

    max_lines: int = Field(5, ge=1, description="maximum number of consecutive lines of commented-out code")


@rule(
    "MC-M02",
    "commented-code",
    Severity.INFO,
    dialects=SQL,
    options=CommentedCodeOptions,
    fix=Text("Delete it: earlier versions of the node still contain it.", "直接删除：历史版本中仍可找到。"),
)
def commented_code(subject: RuleContext, options: CommentedCodeOptions) -> Iterator[Hit]:
    """Commented-out code, or unfinished work in production code.

    ## What it does
    Reports long runs of commented-out code, and TODO, FIXME and similar marks in code that goes to
    production.

    ## Why
    It is unclear whether such code still works or why it is kept, and readers have to skip it. Unfinished
    work is forgotten once the code runs.

    ## Given
    ```json
    {"node": {"production": true}}
    ```

    ## Bad
    ```sql
    SELECT shop_id FROM dim_shop WHERE ds = '${bizdate}';
    -- SELECT
    --   a.shop_id,
    --   SUM(a.amount) AS amount
    -- FROM dwd_trade_order_di a
    -- WHERE a.ds = '${bizdate}'
    -- GROUP BY a.shop_id;
    ```
    ```sql
    -- TODO: leave closed shops out
    SELECT shop_id FROM dim_shop WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    -- Shops of the day. Closed ones are in it, since their old orders are still paid.
    -- The amount comes from orders, not from payments; refunds are taken off a day later.
    -- Read by: ads_shop_rank.
    SELECT shop_id FROM dim_shop WHERE ds = '${bizdate}';
    ```

    ## Options
    `max_lines` (default 5): maximum number of consecutive lines of commented-out code.

    ## Known limits
    A comment counts as code by its form: keywords, commas, semicolons. Comments in Chinese never count.
    """
    script = subject.script
    for run in _runs(script):
        lines = sum(1 for comment in run for line in comment.text.split("\n") if _is_code(line))
        if lines > options.max_lines:
            yield Hit(
                Span(run[0].at.begin, run[-1].at.end),
                Text(f"{lines} lines of code are commented out.", f"有 {lines} 行代码被注释掉。"),
                key="code",
            )
    if script.context.node.production:
        for comment in script.comments:
            if found := _TODO.search(comment.text):
                begin = comment.at.begin + found.start()
                yield Hit(
                    Span(begin, begin + len(found.group())),
                    Text(
                        f"{found.group()} in code that goes to production.",
                        f"上线的代码中仍有 {found.group()}。",
                    ),
                    Text(
                        "Finish the work, or record it in the issue tracker.",
                        "请完成它，或记录到工作计划中。",
                    ),
                    key="todo",
                )


def _runs(script: Script) -> Iterator[list[Comment]]:
    """Yield runs of comments that only white space separates."""
    run: list[Comment] = []
    for comment in script.comments:
        if run and script.code[run[-1].at.end : comment.at.begin].strip():
            yield run
            run = []
        run.append(comment)
    if run:
        yield run


def _is_code(line: str) -> bool:
    text = _MARKS.sub("", line).strip()
    return bool(text) and not _CHINESE.search(text) and _CODE.match(text) is not None
