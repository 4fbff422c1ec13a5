"""DW-I01: suppression-incomplete."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.rules.api import ANY, Hit, Options, RuleContext, Text, rule
from review.suppressions.comments import find_suppressions
from review.suppressions.model import Suppression


@rule(
    "DW-I01",
    "suppression-incomplete",
    Severity.WARN,
    dialects=ANY,
    fix=Text(
        "Write -- dwgate:ignore RULE reason, with the id of the rule and the reason to keep the code.",
        "请写成 -- dwgate:ignore 规则编号 原因，写明规则编号和保留该写法的原因。",
    ),
)
def suppression_incomplete(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Suppression lacks a rule, a reason or code to cover.

    ## What it does
    Reports comments `dwgate:ignore` and `dwgate:ignore-file` that name no rule, name an unknown rule, give no
    reason, or cover no code: at the end of the script or, for `dwgate:ignore-file`, after code. Such a
    suppression is ignored: the findings remain.

    ## Why
    A suppression is a decision that others must be able to follow. Without a reason it cannot be verified
    later. With a misspelt rule it has no effect, although its author believes it does.

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
    Whether a reason is good must be reviewed manually. Data integration jobs are JSON, which has no comments:
    set the rule's severity in the policy, or use a waiver. This rule itself cannot be suppressed. Whether the
    policy allows a complete suppression is checked by DW-I03.
    """
    for suppression in find_suppressions(subject.script):
        if suppression.tool:
            continue  # DW-I03 reports directives of linters, if they would hide a finding.
        for message in _mistakes(suppression):
            yield Hit(suppression.at, message)


_NO_RULE = Text("The suppression names no rule.", "屏蔽注释没有写规则编号。")


def _mistakes(suppression: Suppression) -> Iterator[Text]:
    if not suppression.rules:
        # The name of a rule does not look like an id, so it is read as the first word of the reason.
        name, _, _ = suppression.reason.partition(" ")
        yield _by_name(name.rstrip(":,")) or _NO_RULE
        return
    names = ", ".join(suppression.rules)
    for name in suppression.rules:
        if not _is_known(name):
            yield _by_name(name) or Text(
                f"The suppression names the unknown rule {name}.",
                f"屏蔽注释中的 {name} 不是有效的规则编号。",
            )
    if not suppression.reason and not suppression.waiver:
        yield Text(
            f"The suppression of {names} has no reason and is ignored.",
            f"对 {names} 的屏蔽没有写原因，不生效。",
        )
    if suppression.span is None:
        yield Text(
            f"The suppression of {names} covers no code.",
            f"对 {names} 的屏蔽没有覆盖任何代码。",
        )


def _by_name(name: str) -> Text | None:
    """Return the message for a suppression with a rule's name, current or former, instead of its id."""
    from review.rules.registry import rule_named  # noqa: PLC0415 - the registry holds this rule too

    rule = rule_named(name.lower())
    if rule is None:
        return None
    return Text(
        f"The suppression names a rule by name ({name.lower()}): write the id of {rule.name}, {rule.id}.",
        f"屏蔽注释中写的是规则名称（{name.lower()}），请改为 {rule.name} 的规则编号 {rule.id}。",
    )


def _is_known(name: str) -> bool:
    from review.rules.registry import is_known_rule  # noqa: PLC0415 - the registry holds this rule too

    return is_known_rule(name)
