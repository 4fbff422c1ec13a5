"""MC-C19: not-reviewed."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.errors import LANGUAGE_UNKNOWN, PYTHON_2_REVIEWED
from review.facts import Span, Statement
from review.rules.api import ANY, Hit, Options, RuleContext, Text, rule

_CHINESE = {
    "its syntax is not understood": "无法识别其语法",
    "it is not a statement that can be parsed": "它不是可以解析的语句",
    "it is nested too deeply": "嵌套过深",
    "it is too long": "文本过长",
    "the review timed out": "评审超时",
    "it is Python 2, which cannot be parsed": "它是 Python 2 代码，无法解析",
    PYTHON_2_REVIEWED: "它是 Python 2 代码，仅评审了其中的 SQL 和 PyODPS 调用",
    "it is not a batch synchronization job in script mode": "它不是脚本模式的离线同步任务",
    "it contains invalid characters": "含有无效字符",
    "its SQL is built at run time": "其 SQL 在运行时拼接",
    "it runs the statements of a file": "它执行一个文件中的语句",
    "a part of it could not be parsed": "其中一部分无法解析",
    "a statement within it is not reviewed": "其中包含未被评审的语句",
    "its effects on data are not known": "它对数据的影响未知",
}

_REVIEW_BY_HAND = Text("Review it manually.", "请人工检查。")


@rule(
    "MC-C19",
    "not-reviewed",
    Severity.WARN,
    dialects=ANY,
    fix=Text(
        "Correct the syntax, or simplify or split the statement.",
        "请修正语法，或简化、拆分该语句。",
    ),
)
def not_reviewed(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Statement could not be read and was not reviewed.

    ## What it does
    Reports every statement that could not be read, with the reason: it could not be parsed (with the position
    where parsing stopped), its SQL is built at run time (`EXECUTE IMMEDIATE v`, `PREPARE s FROM @sql`), or
    what it does to data is not known. The statements of stored procedures, triggers, events, blocks and IF,
    and SQL in a string (`CALL hg_insert_overwrite('t', $$SELECT …$$)`), are read as statements of their own;
    if some of them cannot be read, the surrounding statement is reported once.

    ## Why
    A statement that cannot be read may do anything. Without a finding it would look reviewed. The author
    decides what the code is, so code that was not reviewed counts as FAIL unless the policy says otherwise
    (`on_unreviewable`), whatever the severity of this rule is and whether its finding is suppressed.

    The rule also reports code that takes longer than 10 seconds or too much memory, and rules that fail. Code
    of a node type whose language is not known is reported, but only counts by the severity of this rule: the
    type decides the language, not the author of the code.

    ## Bad
    ```sql
    SELEC id FROM dwd_order_di WHERE ds = '${bizdate}'
    ```

    ## Good
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}'
    ```

    ## Options
    None.

    ## Known limits
    The parser accepts some code that the engine rejects: a parsed statement may still fail. A call of a
    stored procedure is not reported, and what the procedure does is only known if the same script defines it.
    """
    code, line, counted = subject.script.code, 1, 0
    for statement in subject.script.statements:
        if statement.unread is not None:
            line += code.count("\n", counted, statement.at.begin)
            counted = statement.at.begin
            yield _hit(code, statement, line, statement.unread)


def _hit(code: str, statement: Statement, line: int, why: str) -> Hit:
    if why == LANGUAGE_UNKNOWN:
        message = Text(
            f"The code was not reviewed, except for secrets: {why}.",
            "代码未被评审（仅检查了密钥）：其节点类型的语言未知。",
        )
        return Hit(_head(code, statement), message, fix=_REVIEW_BY_HAND, key=why)
    return Hit(
        statement.unread_at or _head(code, statement),
        Text(
            f"The statement that begins on line {line} was not reviewed: {why}.",
            f"从第 {line} 行开始的语句未被评审：{_CHINESE.get(why, why)}。",
        ),
        key=why,
    )


def _head(code: str, statement: Statement) -> Span:
    """Return the span of the first word of a statement."""
    begin, end = statement.at
    words = code[begin:end].split(maxsplit=1)
    return Span(begin, min(end, begin + len(words[0]))) if words else statement.at
