"""MC-S06: permission-change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import AlterKind, Span, Statement
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

_COMMANDS = re.compile(
    r"\s*(?:(?P<right>grant|revoke)\b"
    r"|(?P<label>set\s+label)\b"
    r"|(?P<member>(?:add|remove)\s+(?:user|role|accountprovider|trustedproject)\b|(?:create|drop)\s+(?:user|role)\b)"
    r"|(?P<package>(?:install|uninstall|create|delete|drop)\s+package\b|allow\s+project\b)"
    r"|set(?:project)?\s+(?P<flag>projectprotection|labelsecurity|checkpermissionusing(?:acl|policy)(?:v2)?"
    r"|objectcreatorhas(?:access|grant)permission|odps\.security\.[\w.]+)\s*="
    r"|(?P<policy>put\s+policy)\b)",
    re.IGNORECASE,
)
_CHANGES = {
    "right": Text("Permissions are granted or revoked", "授予或收回了权限"),
    "label": Text("A sensitivity label is set", "设置了敏感级别"),
    "member": Text("Users or roles are changed", "变更了用户或角色"),
    "package": Text("A package is changed", "变更了 Package"),
    "flag": Text("A security setting of the project is changed", "修改了项目的安全设置"),
    "policy": Text("A policy of the project is replaced", "替换了项目的 Policy"),
}


@rule(
    "MC-S06",
    "permission-change",
    Severity.BLOCK,
    dialects=SQL,
    fix=Text(
        "Change permissions manually or through the approval process, not in a node.",
        "请手工或通过审批流程变更权限，不要写在节点中。",
    ),
)
def permission_change(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Node changes permissions.

    ## What it does
    Reports GRANT, REVOKE, SET LABEL, changes of users, roles and packages, CHANGEOWNER, and security settings
    of the project (`SET ProjectProtection = …`).

    ## Why
    A node runs with the permissions of the production account. Everyone who can edit it could grant any
    permission to anyone without approval, and the node would repeat it after each correction.

    ## Bad
    ```sql
    GRANT SELECT ON TABLE dwd_order_di TO USER someone;
    ```
    ```sql
    ALTER TABLE dwd_order_di CHANGEOWNER TO 'ALIYUN$someone';
    ```
    ```sql
    SET ProjectProtection = false;
    ```

    ## Good
    ```sql
    SET odps.sql.type.system.odps2 = true;
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Permissions that a program changes through an SDK are not found. A table that a script recreates loses its
    grants, and whether a GRANT only restores them is not known: use default privileges instead.
    """
    for statement in subject.script.statements:
        for alteration in statement.alterations:
            if alteration.what is AlterKind.OWNER:
                yield Hit(
                    alteration.at,
                    Text(
                        f"The owner of {alteration.table} is changed.",
                        f"变更了 {alteration.table} 的负责人。",
                    ),
                    key=alteration.table.lower(),
                )
        yield from _command(statement, statement.dialect or subject.script.dialect)


def _command(statement: Statement, dialect: Dialect) -> Iterator[Hit]:
    found = _COMMANDS.match(statement.bare)
    if found is None or found.lastgroup is None:
        return
    if found.lastgroup == "package" and dialect is not Dialect.MAXCOMPUTE:
        return  # a package of Oracle has code, not permissions
    change = _CHANGES[found.lastgroup]
    begin = statement.at.begin + len(found[0]) - len(found[0].lstrip())
    yield Hit(
        Span(begin, statement.at.begin + found.end()),
        Text(f"{change.en} by this node.", f"该节点{change.zh}。"),
        key=found.lastgroup,
    )
