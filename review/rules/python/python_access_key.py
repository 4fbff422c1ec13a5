"""PY-001: python-access-key."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.unreported_secrets import not_reported_as_secret
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "PY-001",
    "python-access-key",
    Severity.BLOCK,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Use the entry object o that DataWorks provides, or read the keys from args.",
        "直接使用 DataWorks 注入的入口对象 o，或从 args 读取密钥。",
    ),
    secret=True,
)
def python_access_key(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Hard-coded access key in a call of ODPS.

    ## What it does
    Reports string literals passed to `ODPS(…)` as AccessKey id, AccessKey secret or token. Strings
    recognisable as keys by their form are reported by MC-S01 only.

    ## Why
    Everyone who can read the node has the key, and everyone who can edit it has the permissions of the key's
    owner.

    ## Bad
    ```python
    from odps import ODPS

    o = ODPS("etl-user", "etl-pass-word", project="shop")
    ```

    ## Good
    ```python
    import os
    from odps import ODPS

    other = ODPS(os.environ["KEY_ID"], os.environ["KEY_SECRET"], project="shop")
    t = o.get_table("dim_shop")
    ```

    ## Options
    None.

    ## Known limits
    A key in a variable is not followed; MC-S01 finds it there if it has the form of a key.
    """
    keys = [key for login in subject.script.python.logins for key in login.keys]
    unreported = not_reported_as_secret(subject.script, (key.at for key in keys))
    for key in keys:
        if key.at in unreported and "$" not in key.value:
            yield Hit(
                key.at,
                Text(
                    "An access key is passed to ODPS as plain text.", "调用 ODPS 时传入了明文的 AccessKey。"
                ),
                key="ODPS",
            )
