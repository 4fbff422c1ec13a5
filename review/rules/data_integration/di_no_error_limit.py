"""DI-004: di-no-error-limit."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import Span
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "DI-004",
    "di-no-error-limit",
    Severity.WARN,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        'Set "setting": {"errorLimit": {"record": "0"}}, or the maximum number of dirty records.',
        '设置 "setting": {"errorLimit": {"record": "0"}}，或填写允许的脏数据条数。',
    ),
)
def di_no_error_limit(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Job has no limit for dirty records.

    ## What it does
    Reports a job whose setting has no `errorLimit` with a number of records.

    ## Why
    Rows that do not fit the target are dropped as dirty records. Without a limit any number of rows may be
    lost while the job succeeds.

    ## Bad
    ```di
    {"type": "job", "setting": {"speed": {"concurrent": 2}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Good
    ```di
    {"type": "job", "setting": {"speed": {"concurrent": 2}, "errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "mysql", "category": "reader",
       "parameter": {"table": "shop", "column": ["id"], "splitPk": "id"}},
      {"stepType": "odps", "category": "writer",
       "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
    ]}
    ```

    ## Options
    None.

    ## Known limits
    Whether the number is reasonable must be reviewed manually.
    """
    job = subject.script.job
    if not job.error_limit:
        begin = (
            job.setting.begin if job.setting else len(subject.script.code) - len(subject.script.code.lstrip())
        )
        yield Hit(
            Span(begin, begin + 1),
            Text(
                "The job has no limit for dirty records (errorLimit).",
                "作业没有设置脏数据上限（errorLimit）。",
            ),
            key="errorLimit",
        )
