"""DI-003: di-append."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts.data_integration import Step
from review.rules.api import Hit, Options, RuleContext, Text, rule

_KEYS = frozenset({"primarykey", "primarykeys", "primaryinfo", "keys", "uniquekey", "upsertkeys"})
_MODES = frozenset({"upsert", "overwrite", "update", "replace", "merge"})


@rule(
    "DI-003",
    "di-append",
    Severity.WARN,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        'Set "truncate": true, so that a rerun replaces the partition.',
        '将 "truncate" 设为 true，重跑时覆盖该分区。',
    ),
)
def di_append(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Job appends to a MaxCompute table.

    ## What it does
    Reports a MaxCompute writer with `"truncate": false` and without a primary key, in a scheduled job. Blocks
    in production and warns elsewhere. The counterpart of MC-C01 for data integration.

    ## Why
    Jobs run more than once: after a failure, or for a backfill. Each run adds the same rows again.

    ## Bad
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "partition": "ds=${bizdate}", "truncate": false}}
    ]}
    ```

    ## Good
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "partition": "ds=${bizdate}", "truncate": true}}
    ]}
    ```

    ## Options
    None.

    ## Known limits
    Writers of other databases are not checked, including those of MySQL and its family with `"writeMode":
    "insert"`: if the table has a primary or unique key, an existing row is rejected and counted as a dirty
    record, not duplicated, and the job does not show the keys of its target.
    """
    node = subject.script.context.node
    if not node.scheduled:
        return
    for step in subject.script.job.steps:
        if step.kind == "odps" and step.category == "writer" and _appends(step):
            table = str(step.parameter.get("table") or "the table")
            yield Hit(
                step.places["truncate",],
                Text(
                    f"The job appends to {table}: every rerun adds the same rows again.",
                    f"作业以追加方式写入 {table}：每次重跑都会重复写入相同的数据。",
                ),
                severity=Severity.BLOCK if node.production else None,
                key=table.lower(),
            )


def _appends(step: Step) -> bool:
    mode = str(step.parameter.get("writeMode", "")).lower()
    keyed = any(name.lower() in _KEYS for name in step.parameter)
    return str(step.parameter.get("truncate")).lower() == "false" and not keyed and mode not in _MODES
