"""DW-I03: suppression-refused."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.rules.api import ANY, Hit, Options, RuleContext, Text, rule
from review.suppressions.model import REFERENCED_WAIVER, REFUSED_RULE, RefusalCause


@rule(
    "DW-I03",
    "suppression-refused",
    Severity.WARN,
    dialects=ANY,
    fix=Text("Fix the finding, or ask for a waiver.", "请修复该问题，或申请豁免。"),
)
def suppression_refused(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Suppression is not allowed by the policy.

    ## What it does
    Reports suppressions that have no effect because the policy's section `suppressions` does not allow them:
    of a protected rule (by default every security rule), of a finding with a severity that must not be
    suppressed (by default `block`), for the whole script, with a short reason, beyond the maximum number, or
    with a waiver that does not cover the finding. The finding itself remains and counts. Directives of other
    tools (`# noqa`, `# nosec`, `# shellcheck disable=…`, `-- squawk-ignore`) are reported if they would hide
    a finding.

    ## Why
    The author of the code must not be able to switch off the checks that protect others from this code.

    ## Bad
    ```sql
    DELETE FROM dwd_order_di; -- dwgate:ignore MC-C14 cleaned up by hand
    ```
    ```sql
    -- dwgate:ignore-file MC-P06 the report is small
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id
    ```
    ```shell
    set -e
    # shellcheck disable=SC2086
    echo $1
    ```

    ## Good
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id -- dwgate:ignore MC-P06 200 rows a day
    ```
    ```shell
    set -e
    # shellcheck disable=SC2086 # the words are separate arguments
    echo $1
    ```

    ## Options
    None.

    ## Known limits
    What is allowed is set in the section `suppressions` of the policy, not by an option of this rule. A
    suppression stays refused if this rule is disabled. This rule itself cannot be suppressed.
    """
    for refusal in subject.refusals:
        comment = refusal.suppression
        reason, fix = _TEXTS[refusal.cause]
        values = {"limit": refusal.limit, "tool": comment.tool, "waiver": comment.waiver}
        reference = ((REFERENCED_WAIVER, comment.waiver),) if refusal.cause is RefusalCause.WAIVER else ()
        yield Hit(
            comment.at,
            Text(
                f"The suppression of {refusal.rule} has no effect: {reason.en.format_map(values)}.",
                f"对 {refusal.rule} 的屏蔽不生效：{reason.zh.format_map(values)}。",
            ),
            fix,
            key=f"{refusal.rule} {refusal.cause}",
            params=((REFUSED_RULE, refusal.rule), ("cause", refusal.cause.value), *reference),
        )


_REPAIR = Text("Fix the finding, or ask for a waiver.", "请修复该问题，或申请豁免。")
_EXPLAIN = Text("Say in the comment why the code is right.", "请在注释中说明为什么可以这样写。")
_AT_THE_LINE = Text(
    "Write dwgate:ignore RULE reason at each line concerned.",
    "请在相关的每一行写 dwgate:ignore 规则编号 原因。",
)
_NAME_WAIVER = Text(
    "Write dwgate:ignore RULE waiver:ID with the id of an active waiver for this finding.",
    "请写 dwgate:ignore 规则编号 waiver:豁免编号，该豁免须有效且适用于此问题。",
)
_TEXTS: dict[RefusalCause, tuple[Text, Text]] = {
    RefusalCause.ABOUT_REVIEW: (
        Text("its findings are about the review itself", "该规则的问题与检查本身有关"),
        Text("Fix the finding.", "请修复该问题。"),
    ),
    RefusalCause.UNNAMED_RULE: (
        Text("{tool} names no single rule", "{tool} 没有写明单个规则"),
        _AT_THE_LINE,
    ),
    RefusalCause.WAIVER_REQUIRED: (Text("the policy requires a waiver", "策略要求使用豁免"), _NAME_WAIVER),
    RefusalCause.PROTECTED_RULE: (Text("the policy protects this rule", "策略不允许屏蔽该规则"), _REPAIR),
    RefusalCause.SECRET: (Text("a secret must not be suppressed", "密钥类问题不能屏蔽"), _REPAIR),
    RefusalCause.NOT_ALLOWED: (Text("the policy allows no suppressions", "策略不允许任何屏蔽"), _REPAIR),
    RefusalCause.SEVERITY: (
        Text(
            "the policy does not allow it for findings of severity {limit}",
            "策略不允许屏蔽级别为 {limit} 的问题",
        ),
        _REPAIR,
    ),
    RefusalCause.FILE_WIDE: (
        Text("the policy allows none for a whole script", "策略不允许屏蔽整个脚本"),
        _AT_THE_LINE,
    ),
    RefusalCause.NO_REASON: (Text("it has no reason", "没有写原因"), _EXPLAIN),
    RefusalCause.SHORT_REASON: (
        Text(
            "its reason has fewer than {limit} letters and digits",
            "原因过短，至少需要 {limit} 个字母或数字（汉字按两个计）",
        ),
        _EXPLAIN,
    ),
    RefusalCause.TOO_MANY: (
        Text("a script may have {limit} suppressions at most", "一个脚本最多允许 {limit} 处屏蔽"),
        _REPAIR,
    ),
    RefusalCause.WAIVER: (
        Text(
            "the waiver {waiver} does not exist, has expired or does not cover the finding",
            "豁免 {waiver} 不存在、已过期或不适用于该问题",
        ),
        _NAME_WAIVER,
    ),
}
