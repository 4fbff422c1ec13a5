"""DI-006: a reader says what it reads, and how it may be split."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.facts.job import Step
from workers.review.rules.rule import Hit, Options, Subject, Text, rule

_RELATIONAL = re.compile(
    r"mysql|drds|polardb(?:-?x)?|postgresql|oracle|sqlserver|(?:apsaradb_for_)?oceanbase|db2|dm|rdbms|hologres"
    r"|analyticdb_for_mysql|ads|gbase8a|mariadb|tidb|vertica|sap_?hana"
)
"""Step types whose readers take where and splitPk."""


@rule(
    "DI-006",
    "di-whole-table",
    Severity.INFO,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        'Set "where" to the rows of the day, or "splitPk" so that the table is read in parallel.',
        '用 "where" 限定当天的数据，或设置 "splitPk" 以并行读取。',
    ),
)
def di_whole_table(subject: Subject, _: Options) -> Iterator[Hit]:
    """Reader takes a whole table in one piece.

    ## What it does
    Finds readers of relational databases with neither `where`, `splitPk` nor `querySql`.

    ## Why
    Each run reads the whole table through one connection: it grows slower by the day and burdens the source.

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
    The size of the source is not known: for a small table this is right as it is.
    """
    for step in subject.script.job.steps:
        if step.category != "reader":
            continue
        if _RELATIONAL.fullmatch(step.kind) and not _says(step, "where", "splitPk", "querySql"):
            yield Hit(
                step.at,
                Text(
                    f"The {step.kind} reader has neither where nor splitPk.",
                    f"{step.kind} 读取端既没有 where 也没有 splitPk。",
                ),
                key=step.kind,
            )


def _says(step: Step, *names: str) -> bool:
    nested = step.parameter.get("connection")
    inner = nested[0] if isinstance(nested, list) and nested and isinstance(nested[0], dict) else {}
    return any(step.parameter.get(name) or inner.get(name) for name in names)
