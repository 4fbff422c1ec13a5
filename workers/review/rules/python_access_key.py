"""PY-001: a node does not log in with keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.rules.rule import Hit, Options, Subject, Text, rule
from workers.review.rules.untold import untold


@rule(
    "PY-001",
    "python-access-key",
    Severity.BLOCK,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Use the entry object o that DataWorks puts into the node, or read the keys from args.",
        "直接使用 DataWorks 注入的入口对象 o，或从 args 读取密钥。",
    ),
    secret=True,
)
def python_access_key(subject: Subject, _: Options) -> Iterator[Hit]:
    """Access key is written into a call of ODPS.

    ## What it does
    Finds plain strings given to `ODPS(…)` as AccessKey id, AccessKey secret or token. Those that look like a
    key wherever they stand are told by MC-S01 alone.

    ## Why
    Everybody who may read the node has the key from then on, and the node acts as its owner, whoever changes
    it.

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
    A key that comes from a variable is not followed; what looks like a key is seen there by MC-S01.
    """
    keys = [key for login in subject.script.python.logins for key in login.keys]
    news = untold(subject.script, (key.at for key in keys))
    for key in keys:
        if key.at in news and "$" not in key.value:
            yield Hit(
                key.at,
                Text("ODPS is given an access key in plain letters.", "调用 ODPS 时传入了明文的 AccessKey。"),
                key="ODPS",
            )
