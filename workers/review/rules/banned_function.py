"""MC-C09: functions that a team does not want, MAX_PT first of all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from workers.review.facts import Operand, Span, Statement
from workers.review.rules.rule import Hit, Options, Subject, Text, rule


class Banned(Options):
    """Which functions."""

    functions: tuple[str, ...] = Field(
        default=("max_pt",), description="Functions that may not be called, by name, in whatever letters."
    )


@rule(
    "MC-C09",
    "banned-function",
    Severity.WARN,
    options=Banned,
    fix=Text(
        "Name the partition by a scheduling parameter ('${bizdate}') and depend on the node that makes it.",
        "用调度参数（'${bizdate}'）指定分区，并依赖产出该分区的节点。",
    ),
)
def banned_function(subject: Subject, options: Banned) -> Iterator[Hit]:
    """Call of MAX_PT or another function that is not wanted.

    ## What it does
    Finds calls of MAX_PT, or of the functions that the policy names instead.

    ## Why
    MAX_PT reads whatever partition is the newest at the moment of the run. A rerun or a backfill of last
    week reads today's data, and a late upstream is passed over in silence.

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
    `functions` (default `["max_pt"]`): the functions that may not be called, by name. A function of another
    project is named with it (`proj:func`).

    ## Known limits
    In statements other than queries only calls in a PARTITION(…) and in the text of the statement are seen.
    """
    banned = frozenset(name.lower() for name in options.functions)
    pattern = _pattern(banned)
    told: set[int] = set()
    for statement in subject.script.statements:
        for at, name in sorted(_calls(statement, banned, pattern, subject.script.code)):
            # What a variable of script mode holds is read again where the variable is.
            if at.begin not in told:
                told.add(at.begin)
                yield Hit(at, _message(name), None if name == "max_pt" else _OTHER, key=name)


_OTHER = Text("Use another function, as the team's policy asks.", "按照团队策略的要求改用其他函数。")


def _pattern(banned: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(banned)) or r"(?!)"
    return re.compile(rf"(?<![\w.:$@`])(?:{names})(?=\s*\()", re.IGNORECASE)


def _calls(
    statement: Statement, banned: frozenset[str], pattern: re.Pattern[str], code: str
) -> set[tuple[Span, str]]:
    """Return the calls: from the facts of queries, and from the bare text of statements that are none."""
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
            "MAX_PT reads the newest partition of the moment: a rerun reads other data.",
            "MAX_PT 读取运行时刻的最新分区：重跑会读到不同的数据。",
        )
    return Text(f"The function {name.upper()} is not to be used.", f"不允许使用函数 {name.upper()}。")
