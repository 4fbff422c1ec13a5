"""DI-007: di-fixed-partition."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.scheduling_dates import is_date_name, parse_calendar_date, partition_date
from review.dialects import Dialect
from review.facts.data_integration import Step
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "DI-007",
    "di-fixed-partition",
    Severity.WARN,
    dialects=frozenset({Dialect.DI}),
    fix=Text("Use a scheduling parameter: ds=${bizdate}.", "改用调度参数：ds=${bizdate}。"),
)
def di_fixed_partition(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Hard-coded date in the partition or condition of a job.

    ## What it does
    Reports a literal day or month in the partition that a scheduled job reads (warns) or writes (blocks), and
    in `where` or `querySql` compared with a date column. The counterpart of MC-C07 for data integration.

    ## Why
    Tomorrow's run reads and writes the same day again, and nothing fails.

    ## Bad
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "partition": "ds=20240501", "truncate": true}}
    ]}
    ```

    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "where": "gmt_modified >= '2024-05-01'"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "partition": "ds=${bizdate}", "truncate": true}}
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
    A fixed partition that is not a date (`region=hz`) may be intended and is allowed. Conditions are not
    parsed: a date inside a function is not found.
    """
    if not subject.script.context.node.scheduled:
        return
    for step in subject.script.job.steps:
        for path, value in _partitions(step):
            day = partition_date(value)
            if day:
                writes = step.category == "writer"
                yield Hit(
                    step.places[path],
                    Text(
                        f"Every run {'writes' if writes else 'reads'} the fixed partition {day}.",
                        f"每次运行都{'写入' if writes else '读取'}固定分区 {day}。",
                    ),
                    severity=Severity.BLOCK if writes else None,
                    key=f"{step.category}.partition",
                )
        for path, column, day in _compared(step):
            yield Hit(
                step.places[path],
                Text(
                    f"Every run compares {column} with the fixed date {day}.",
                    f"每次运行都将 {column} 与固定日期 {day} 比较。",
                ),
                Text("Use a scheduling parameter: ${yyyy-mm-dd}.", "改用调度参数：${yyyy-mm-dd}。"),
                key=f"{step.category}.{column.lower()}",
            )


_COMPARISON = re.compile(
    r"(?<!\w)(?P<column>\w++)[`\"\]]?\s*(?:[<>=!]{1,2}|\bbetween\b|\bin\s*\()\s*'(?P<value>[^']{6,30})'",
    re.IGNORECASE,
)


def _compared(step: Step) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield the comparisons of a date column with a literal day: path, column and day."""
    for name in ("where", "querySql"):
        setting = step.parameter.get(name)
        for index, text in enumerate(setting if isinstance(setting, list) else [setting]):
            for found in _COMPARISON.finditer(text) if isinstance(text, str) else ():
                if is_date_name(found["column"]) and parse_calendar_date(found["value"]):
                    yield (
                        (name, index) if isinstance(setting, list) else (name,),
                        found["column"],
                        found["value"],
                    )
                    break


def _partitions(step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
    setting = step.parameter.get("partition")
    if isinstance(setting, str):
        yield ("partition",), setting
    elif isinstance(setting, list):
        for index, value in enumerate(setting):
            if isinstance(value, str):
                yield ("partition", index), value
