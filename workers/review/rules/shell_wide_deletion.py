"""SH-003: an empty variable must not widen a deletion."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.rules.rule import Hit, Options, Subject, Text, rule

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
def shell_wide_deletion(subject: Subject, _: Options) -> Iterator[Hit]:
    """Deletion takes far more when a variable is empty.

    ## What it does
    Finds `rm -r` and `hadoop fs -rm -r` of a path from which, when its variable is empty, a folder at the
    root is left (this warns), or the root itself (this blocks); and nothing in the script sets or tests the
    variable.

    ## Why
    A parameter that is misspelt or not defined is empty: `rm -rf $dir/*` is then `rm -rf /*`.

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
    A variable that the script sets may be empty all the same. Parameters that the node is known to define are
    fine.
    """
    script = subject.script
    defined = script.given.node.parameters or frozenset()
    for erasure in script.shell.erasures:
        if erasure.variable not in defined:
            yield Hit(
                erasure.at,
                Text(
                    f"When {erasure.variable} is empty, this deletes {erasure.left}.",
                    f"当 {erasure.variable} 为空时，将删除 {erasure.left}。",
                ),
                Text(
                    f"Write ${{{erasure.variable}:?}}, or begin the script with `set -u`.",
                    f"改写为 ${{{erasure.variable}:?}}，或在脚本开头加上 `set -u`。",
                ),
                Severity.BLOCK if erasure.left in _EVERYTHING else None,
                erasure.variable,
            )
