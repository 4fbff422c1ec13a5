"""MC-C09: banned-function."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.facts import Operand, Span, Statement
from review.rules.api import Hit, Options, RuleContext, Text, rule


class BannedFunctionOptions(Options):
    """Options of MC-C09."""

    functions: tuple[str, ...] = Field(
        default=("max_pt",), description="Names of banned functions, case-insensitive."
    )


@rule(
    "MC-C09",
    "banned-function",
    Severity.WARN,
    options=BannedFunctionOptions,
    fix=Text(
        "Select the partition with a scheduling parameter ('${bizdate}'); depend on the node that writes it.",
        "用调度参数（'${bizdate}'）指定分区，并依赖产出该分区的节点。",
    ),
)
def banned_function(subject: RuleContext, options: BannedFunctionOptions) -> Iterator[Hit]:
    """Call of MAX_PT or another banned function.

    ## What it does
    Reports calls of MAX_PT, or of the functions that the policy lists instead.

    ## Why
    MAX_PT reads the newest partition at the time of the run. A rerun or a backfill of last week reads today's
    data, and a late upstream goes unnoticed.

    ## Bad
    ```sql
    SELECT shop_id, shop_name FROM dim_shop_df WHERE ds = MAX_PT('dim_shop_df');
    ```

    ## Good
    ```sql
    -- once: ds = MAX_PT('dim_shop_df')
    SELECT shop_id, shop_name FROM dim_shop_df WHERE ds = '${bizdate}';
    ```

    ## Options
    `functions` (default `["max_pt"]`): names of the banned functions. Write a function of another project as
    `proj:func`.

    ## Known limits
    In statements other than queries, only calls in PARTITION(…) and in the text of the statement are found.
    """
    banned = frozenset(name.lower() for name in options.functions)
    pattern = _pattern(banned)
    reported: set[int] = set()
    for statement in subject.script.statements:
        for at, name in sorted(_calls(statement, banned, pattern, subject.script.code)):
            # The value of a script-mode variable is part of each statement that uses the variable.
            if at.begin not in reported:
                reported.add(at.begin)
                yield Hit(at, _message(name), None if name == "max_pt" else _OTHER, key=name)


_OTHER = Text("Use a function that the policy allows.", "按照团队策略的要求改用其他函数。")


def _pattern(banned: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(banned)) or r"(?!)"
    return re.compile(rf"(?<![\w.:$@`])(?:{names})(?=\s*\()", re.IGNORECASE)


def _calls(
    statement: Statement, banned: frozenset[str], pattern: re.Pattern[str], code: str
) -> set[tuple[Span, str]]:
    """Return the calls, from the facts of a query or from the text of any other statement."""
    if statement.blocks:
        found = {
            (call.at, call.name) for block in statement.blocks for call in block.calls if call.name in banned
        }
        for write in statement.writes:
            for item in write.partition:
                if item.value is not None and banned.intersection(item.value.functions):
                    found |= _within(item.value, pattern, code)
        return found
    begin = statement.at.begin
    return {
        (Span(begin + match.start(), begin + match.end()), match[0].lower())
        for match in pattern.finditer(statement.bare)
    }


def _within(operand: Operand, pattern: re.Pattern[str], code: str) -> set[tuple[Span, str]]:
    return {
        (Span(match.start(), match.end()), match[0].lower())
        for match in pattern.finditer(code, operand.at.begin, operand.at.end)
    }


def _message(name: str) -> Text:
    if name == "max_pt":
        return Text(
            "MAX_PT reads the newest partition at run time: a rerun reads different data.",
            "MAX_PT 读取运行时刻的最新分区：重跑会读到不同的数据。",
        )
    return Text(f"The function {name.upper()} is banned.", f"不允许使用函数 {name.upper()}。")
