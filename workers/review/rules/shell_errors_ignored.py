"""SH-002: a script stops where it fails."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.rules.rule import Hit, Options, Subject, Text, rule


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
def shell_errors_ignored(subject: Subject, _: Options) -> Iterator[Hit]:
    """Script goes on after a command has failed.

    ## What it does
    Finds the first command whose failure nobody looks at, in a script of several commands without `set -e` or
    a trap on ERR. Commands like `echo`, those in conditions, with `||` or `&&` behind them, or followed by a
    test of `$?`, are fine; so is the last one.

    ## Why
    DataWorks takes the state of a node from the script's last command: an export that fails in the first line
    leaves a node that succeeded, and its readers start on nothing.

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
    Within a pipe only the last command counts, as for the shell itself. A check of another kind, such as one
    for a file, is not seen.
    """
    steps = subject.script.shell.steps
    if steps:
        more = len(steps) - 1
        yield Hit(
            steps[0],
            Text(
                "The script goes on when this command fails" + (f", and {more} others." if more else "."),
                "该命令失败后脚本仍会继续执行" + (f"，另有 {more} 条命令也是如此。" if more else "。"),
            ),
            key="set -e",
        )
