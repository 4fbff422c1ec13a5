"""DI-005: a job names its data source, not the way in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.facts import Span
from workers.review.facts.job import Step
from workers.review.rules.rule import Hit, Options, Subject, Text, rule
from workers.review.rules.untold import untold

_SECRET = re.compile(
    r"(?:access|secret)key(?:id|secret)?|access(?:id|secret)|passw(?:or)?d|pwd|sk|ak|(?:security)?token|sasljaasconfig"
)
"""Names of parameters that hold secrets, in lower case without hyphens and underscores."""


@rule(
    "DI-005",
    "di-credentials",
    Severity.BLOCK,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        'Name a data source of the workspace ("datasource": "…") instead; then renew the secret.',
        '改为引用工作空间的数据源（"datasource": "…"），并更换该密码或密钥。',
    ),
    secret=True,
)
def di_credentials(subject: Subject, _: Options) -> Iterator[Hit]:
    """Job holds a password or access key.

    ## What it does
    Finds passwords, access keys and tokens in plain letters among the parameters of a step, at any depth.
    Those that MC-S01 sees are told by it alone.

    ## Why
    Everybody who may read the job has the secret from then on, and it has to be changed in every job when it
    is renewed.

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
    A value with a parameter (`${…}`) is none. Names that plug-ins give to secrets in their own way are not
    known.
    """
    found = [item for step in subject.script.job.steps for item in _given(step)]
    news = untold(subject.script, (at for _, _, at in found))
    for name, kind, at in found:
        if at in news:
            yield Hit(
                at,
                Text(
                    f"The {kind} step holds {name} in plain letters.", f"{kind} 步骤中的 {name} 使用了明文。"
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
