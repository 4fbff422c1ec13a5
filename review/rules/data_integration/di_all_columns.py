"""DI-002: di-all-columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts.data_integration import Step
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "DI-002",
    "di-all-columns",
    Severity.WARN,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        "List the columns by name, in the same order on both sides.", "按名称列出字段，两端顺序保持一致。"
    ),
)
def di_all_columns(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Job copies all columns.

    ## What it does
    Reports `"column": ["*"]` in a reader or writer, and a `querySql` that begins with `SELECT * FROM` a
    table. The counterpart of MC-P04 for data integration.

    ## Why
    Columns are matched by position: a new source column shifts the others or breaks the job. Unused columns
    are copied and billed.

    ## Bad
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["*"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"connection": [{"querySql": ["SELECT * FROM shop WHERE city = 'hz'"]}]}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Good
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Options
    None.

    ## Known limits
    Only the beginning of a query in `querySql` is parsed: a later star is not found.
    """
    for step in subject.script.job.steps:
        for path in (*_listed(step), *_queried(step)):
            yield Hit(
                step.places[path],
                Text(
                    f"The {step.kind} {step.category or 'step'} copies all columns.",
                    f"{step.kind} {'写入端' if step.category == 'writer' else '读取端'}同步所有字段。",
                ),
                key=f"{step.category}.{step.kind}",
            )


_Path = tuple[str | int, ...]
_STAR = re.compile(
    r"(?:\s|--[^\n]*\n|/\*[^*]*\*/)*select\s+(?:distinct\s+)?(?:\w+\s*\.\s*)?\*\s*from\s*[^\s(]",
    re.IGNORECASE,
)


def _listed(step: Step) -> Iterator[_Path]:
    columns = step.parameter.get("column")
    if columns == "*":
        yield ("column",)
    for index, column in enumerate(columns if isinstance(columns, list) else ()):
        if column == "*":
            yield "column", index


def _queried(step: Step) -> Iterator[_Path]:
    """Yield the paths of queries that select all columns of a table."""
    connections = step.parameter.get("connection")
    candidates: list[tuple[_Path, object]] = [(("querySql",), step.parameter.get("querySql"))]
    for index, connection in enumerate(connections if isinstance(connections, list) else ()):
        if isinstance(connection, dict):
            candidates.append((("connection", index, "querySql"), connection.get("querySql")))
    for path, queries in candidates:
        if isinstance(queries, str) and _STAR.match(queries):
            yield path
        for index, query in enumerate(queries if isinstance(queries, list) else ()):
            if isinstance(query, str) and _STAR.match(query):
                yield *path, index
