"""DI-005: di-credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from common.verdicts import Severity
from review.analysis.unreported_secrets import not_reported_as_secret
from review.dialects import Dialect
from review.facts import Span
from review.facts.data_integration import Step
from review.rules.api import Hit, Options, RuleContext, Text, rule

_SECRET = re.compile(
    r"(?:access|secret)key(?:id|secret)?|access(?:id|secret)|passw(?:or)?d|pwd|sk|ak|(?:security)?token|sasljaasconfig"
)
"""Names of secret parameters, in lower case without hyphens and underscores."""


@rule(
    "DI-005",
    "di-credentials",
    Severity.BLOCK,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        'Refer to a data source of the workspace ("datasource": "…") instead, and rotate the secret.',
        '改为引用工作空间的数据源（"datasource": "…"），并更换该密码或密钥。',
    ),
    secret=True,
)
def di_credentials(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Job contains a password or access key.

    ## What it does
    Reports plain-text passwords, access keys and tokens in the parameters of a step, at any depth. Secrets
    that MC-S01 finds are reported by MC-S01 only.

    ## Why
    Everyone who can read the job has the secret, and a rotation requires a change of every job.

    ## Bad
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "oss", "category": "reader",
       "parameter": {"accessId": "etl", "accessKey": "tiger", "column": ["id"]}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Good
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "oss", "category": "reader", "parameter": {"datasource": "oss_shop", "column": ["id"]}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Options
    None.

    ## Known limits
    A value with a parameter (`${…}`) is not a secret. Plug-in specific names of secrets are unknown.
    """
    found = [item for step in subject.script.job.steps for item in _given(step)]
    unreported = not_reported_as_secret(subject.script, (at for _, _, at in found))
    for name, kind, at in found:
        if at in unreported:
            yield Hit(
                at,
                Text(
                    f"The {kind} step contains {name} as plain text.", f"{kind} 步骤中的 {name} 使用了明文。"
                ),
                key=f"{kind}.{name}",
            )


def _given(step: Step) -> Iterator[tuple[str, str, Span]]:
    for path, at in step.places.items():
        name = str(path[-1]) if path else ""
        if _SECRET.fullmatch(name.lower().replace("_", "").replace("-", "")):
            value = _at(step.parameter, path)
            if isinstance(value, str) and value and not any(mark in value for mark in ("$", "{{", "***")):
                yield name, step.kind, at


def _at(value: Any, path: tuple[str | int, ...]) -> object:
    for part in path:
        value = value[part]
    return value
