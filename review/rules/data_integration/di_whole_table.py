"""DI-006: di-whole-table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts.data_integration import Step
from review.rules.api import Hit, Options, RuleContext, Text, rule

_RELATIONAL = re.compile(
    r"mysql|drds|polardb(?:-?x)?|postgresql|oracle|sqlserver|(?:apsaradb_for_)?oceanbase|db2|dm|rdbms|hologres"
    r"|analyticdb_for_mysql|ads|gbase8a|mariadb|tidb|vertica|sap_?hana"
)
"""Step types whose readers accept where and splitPk."""


@rule(
    "DI-006",
    "di-whole-table",
    Severity.INFO,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        'Restrict "where" to the rows of the day, or set "splitPk" to read the table in parallel.',
        '用 "where" 限定当天的数据，或设置 "splitPk" 以并行读取。',
    ),
)
def di_whole_table(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Reader reads a whole table without a split.

    ## What it does
    Reports readers of relational databases with none of `where`, `splitPk` and `querySql`.

    ## Why
    Each run reads the whole table through one connection: it gets slower every day and puts load on the
    source.

    ## Bad
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader", "parameter": {"table": "orders", "column": ["id"]}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Good
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "orders", "column": ["id"], "where": "gmt_modified >= '${bizdate}'"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Options
    None.

    ## Known limits
    The size of the source is unknown: for a small table this is fine.
    """
    for step in subject.script.job.steps:
        if step.category != "reader":
            continue
        if _RELATIONAL.fullmatch(step.kind) and not _has_parameter(step, "where", "splitPk", "querySql"):
            yield Hit(
                step.at,
                Text(
                    f"The {step.kind} reader has neither where nor splitPk.",
                    f"{step.kind} 读取端既没有 where 也没有 splitPk。",
                ),
                key=step.kind,
            )


def _has_parameter(step: Step, *names: str) -> bool:
    nested = step.parameter.get("connection")
    inner = nested[0] if isinstance(nested, list) and nested and isinstance(nested[0], dict) else {}
    return any(step.parameter.get(name) or inner.get(name) for name in names)
