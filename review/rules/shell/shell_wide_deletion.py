"""SH-003: shell-wide-deletion."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule

_EVERYTHING = frozenset({"/", "/*", "//", "//*", "/.", "/*/"})


@rule(
    "SH-003",
    "shell-wide-deletion",
    Severity.WARN,
    dialects=frozenset({Dialect.SHELL}),
    fix=Text(
        "Write ${name:?} instead of $name, or begin the script with `set -u`.",
        "将 $name 写成 ${name:?}，或在脚本开头加上 `set -u`。",
    ),
)
def shell_wide_deletion(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Deletion affects far more if a variable is empty.

    ## What it does
    Reports `rm -r` and `hadoop fs -rm -r` of a path that becomes a top-level directory (warns) or the root
    itself (blocks) if its variable is empty, unless the script sets or tests the variable.

    ## Why
    A misspelt or undefined parameter is empty: `rm -rf $dir/*` becomes `rm -rf /*`.

    ## Bad
    ```shell
    rm -rf "$export_dir"/*
    ```
    ```shell
    rm -rf /data/${bizdate}
    ```

    ## Good
    ```shell
    rm -rf "${export_dir:?}"/*
    ```
    ```shell
    export_dir=/data/export/shop
    rm -rf "$export_dir"/*
    ```

    ## Options
    None.

    ## Known limits
    A variable that the script sets may still be empty. Parameters that the node is known to define are
    allowed.
    """
    script = subject.script
    defined = script.context.node.parameters or frozenset()
    for erasure in script.shell.recursive_deletes:
        if erasure.variable not in defined:
            yield Hit(
                erasure.at,
                Text(
                    f"If {erasure.variable} is empty, this deletes {erasure.left}.",
                    f"当 {erasure.variable} 为空时，将删除 {erasure.left}。",
                ),
                Text(
                    f"Write ${{{erasure.variable}:?}}, or begin the script with `set -u`.",
                    f"改写为 ${{{erasure.variable}:?}}，或在脚本开头加上 `set -u`。",
                ),
                Severity.BLOCK if erasure.left in _EVERYTHING else None,
                erasure.variable,
            )
