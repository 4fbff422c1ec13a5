"""SH-002: shell-errors-ignored."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "SH-002",
    "shell-errors-ignored",
    Severity.WARN,
    dialects=frozenset({Dialect.SHELL}),
    fix=Text(
        "Begin the script with `set -e`, or with `set -euo pipefail`.",
        "在脚本开头加上 `set -e` 或 `set -euo pipefail`。",
    ),
)
def shell_errors_ignored(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Script continues after a command has failed.

    ## What it does
    Reports the first command whose failure is not handled, in a script of several commands without `set -e`
    or a trap on ERR. Allowed: commands like `echo`, commands in conditions, commands followed by `||` or `&&`
    or by a test of `$?`, and the last command.

    ## Why
    The state of a DataWorks node is that of the script's last command: if an export in the first line fails,
    the node succeeds, and its readers start without data.

    ## Bad
    ```shell
    odpscmd -e "INSERT OVERWRITE TABLE tmp_shop SELECT shop_id FROM dim_shop WHERE ds = '${bizdate}'"
    ossutil cp /tmp/shop.csv oss://bucket/shop.csv
    ```

    ## Good
    ```shell
    set -e
    odpscmd -e "INSERT OVERWRITE TABLE tmp_shop SELECT shop_id FROM dim_shop WHERE ds = '${bizdate}'"
    ossutil cp /tmp/shop.csv oss://bucket/shop.csv
    ```
    ```shell
    python export.py "$1" || exit 1
    ossutil cp /tmp/shop.csv oss://bucket/shop.csv
    ```

    ## Options
    None.

    ## Known limits
    In a pipe only the last command counts, as in the shell itself. Other checks, for example for a file, are
    not recognised.
    """
    steps = subject.script.shell.steps
    if steps:
        more = len(steps) - 1
        yield Hit(
            steps[0],
            Text(
                "The script continues if this command fails" + (f", and {more} others." if more else "."),
                "该命令失败后脚本仍会继续执行" + (f"，另有 {more} 条命令也是如此。" if more else "。"),
            ),
            key="set -e",
        )
