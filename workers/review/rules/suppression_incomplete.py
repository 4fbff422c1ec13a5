"""DW-I01: a suppression says which rule, why, and of what."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.rules.outside import is_outside
from workers.review.rules.rule import ANY, Hit, Options, Subject, Text, rule
from workers.review.suppression import Suppression, suppressions


@rule(
    "DW-I01",
    "suppression-incomplete",
    Severity.WARN,
    dialects=ANY,
    fix=Text(
        "Write -- dwgate:ignore RULE reason, with the id of the rule and why the code stays as it is.",
        "请写成 -- dwgate:ignore 规则编号 原因，写明规则编号和保留该写法的原因。",
    ),
)
def suppression_incomplete(subject: Subject, _: Options) -> Iterator[Hit]:
    """Suppression does not say which rule, why, or of what.

    ## What it does
    Looks at every comment `dwgate:ignore` and `dwgate:ignore-file`, and reports those that name no rule, name
    a rule that does not exist, give no reason, or stand where there is nothing to suppress: at the end of the
    script, or, for `dwgate:ignore-file`, after code. Such a suppression does not count: the findings stay.

    ## Why
    A suppression is a decision that other people must be able to follow. Without a reason nobody can tell
    later whether it still holds; with a misspelt rule it does nothing, and its author believes it does.

    ## Bad
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id -- dwgate:ignore MC-P06
    ```
    ```sql
    -- dwgate:ignore MC-P99 the report is small
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id LIMIT 100
    ```

    ## Good
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id -- dwgate:ignore MC-P06 200 rows a day
    ```

    ## Options
    None.

    ## Known limits
    Whether a reason is a good one is for people to judge. Data integration jobs are JSON, which has no
    comments: set the rule's severity in the policy instead. This rule itself cannot be suppressed.
    """
    for told in suppressions(subject.script):
        for message in _wrong(told):
            yield Hit(told.at, message)


def _wrong(told: Suppression) -> Iterator[Text]:
    if not told.rules:
        yield Text("The suppression names no rule.", "屏蔽注释没有写规则编号。")
        return
    names = ", ".join(told.rules)
    for name in told.rules:
        if not _known(name):
            yield Text(
                f"The suppression names {name}, which is no rule.",
                f"屏蔽注释中的 {name} 不是有效的规则编号。",
            )
    if not told.reason:
        yield Text(
            f"The suppression of {names} gives no reason, so it does not count.",
            f"对 {names} 的屏蔽没有写原因，不生效。",
        )
    if told.covers is None:
        yield Text(
            f"The suppression of {names} stands where there is nothing for it to suppress.",
            f"对 {names} 的屏蔽所在位置没有可屏蔽的内容。",
        )


def _known(name: str) -> bool:
    from workers.review.rules.catalogue import BY_ID  # noqa: PLC0415 - the catalogue holds this rule too

    return name in BY_ID or is_outside(name) or is_outside(f"{name[:3]}{name[3:].lower()}")
