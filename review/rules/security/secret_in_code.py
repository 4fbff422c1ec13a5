"""MC-S01: secret-in-code."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.secret_patterns import find_secrets
from review.rules.api import ANY, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-S01",
    "secret-in-code",
    Severity.BLOCK,
    dialects=ANY,
    secret=True,
    fix=Text(
        "Use a role, a data source or a scheduling parameter instead, and rotate the secret.",
        "请改用角色、数据源或调度参数，并更换该密钥。",
    ),
)
def secret_in_code(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Secret in the code.

    ## What it does
    Reports AccessKey ids and secrets, security tokens, private keys, passwords, tokens, and URLs with
    credentials, in every language and in comments. The message never shows the secret.

    ## Why
    Everyone who can read the node, its versions, backups or logs has the secret.

    ## Bad
    ```sql
    -- access_key = 'q1W2e3R4t5Y6u7I8o9'
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}'
    ```
    ```shell
    mysql -h db -u etl -pTr0ub4dor -e 'select 1'
    ```
    ```python
    engine = connect('postgresql://etl:Tr0ub4dor@db:5432/shop')
    ```

    ## Good
    ```sql
    SELECT id FROM ods_user_df
    WHERE ds = '${bizdate}' AND password = 'd41d8cd98f00b204e9800998ecf8427e'
    ```
    ```shell
    mysql -h db -P 3306 -u etl -p"${MYSQL_PASSWORD}" -e 'select 1'
    ```
    ```python
    password = os.environ['PASSWORD']
    ```

    ## Options
    None.

    ## Known limits
    A secret that is concatenated from pieces, encoded, or stored under an unrelated name is not found. In SQL
    a column named `password` that is compared with a text is not a secret. A name that starts with a verb and
    has words as its value (`update_password: on_create`) is taken for a setting.
    """
    for secret in find_secrets(subject.script.code, subject.script.dialect):
        yield Hit(
            secret.at,
            Text(f"{secret.en} must not be in the code.", f"代码中含有{secret.zh}。"),
            key=secret.en,
        )
