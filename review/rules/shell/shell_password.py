"""SH-001: shell-password."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.unreported_secrets import not_reported_as_secret
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "SH-001",
    "shell-password",
    Severity.BLOCK,
    dialects=frozenset({Dialect.SHELL}),
    fix=Text(
        "Read it from a scheduling parameter, or from a file that only its user can read; rotate it.",
        "改从调度参数或仅节点用户可读的文件中读取，并更换该密码。",
    ),
    secret=True,
)
def shell_password(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Plain-text password on a command line.

    ## What it does
    Reports plain-text passwords and keys in the options of `mysql`, `odpscmd`, `beeline`, `sshpass`,
    `redis-cli`, `curl`, `ossutil` and others, and in `PGPASSWORD=…` and similar variables. Secrets that
    MC-S01 finds are reported by MC-S01 only.

    ## Why
    Everyone who can read the node has the password. While the command runs, every user of the machine can see
    it in the process list.

    ## Bad
    ```shell
    odpscmd -u etl -p tiger99 -e "SELECT 1"
    ```
    ```shell
    ossutil cp shop.csv oss://shop/shop.csv -i etl -k tiger99
    ```

    ## Good
    ```shell
    mysql -h db -u etl -p"${db_password}" -e "select 1"
    ```
    ```shell
    PGPASSWORD=$1 psql -h db -c "select 1"
    ```

    ## Options
    None.

    ## Known limits
    Options of other programs are unknown, except `--password` and `--access-key`.
    """
    passwords = subject.script.shell.passwords
    unreported = not_reported_as_secret(subject.script, (password.at for password in passwords))
    for password in passwords:
        if password.at in unreported:
            yield Hit(
                password.at,
                Text(
                    f"{password.command} has a plain-text password ({password.option}).",
                    f"{password.command} 的 {password.option} 使用了明文密码。",
                ),
                key=password.command,
            )
