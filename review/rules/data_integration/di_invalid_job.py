"""DI-001: di-invalid-job."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "DI-001",
    "di-invalid-job",
    Severity.WARN,
    dialects=frozenset({Dialect.DI}),
    fix=Text(
        "Correct the field; convert a job from the wizard to a script to compare.",
        "请修正该字段；可将向导模式转换为脚本模式进行对照。",
    ),
)
def di_invalid_job(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Job does not have the structure of a synchronization job.

    ## What it does
    Compares a data integration job with the structure of script mode: steps with type, category and
    parameters, numbers in numeric fields, and hops from one step to another.

    ## Why
    Such a job fails at run time, or runs with an unintended default.

    ## Bad
    ```di
    {
      "type": "job",
      "steps": [
        {"stepType": "mysql", "category": "reader", "parameter": {"column": ["id"], "splitPk": "id"}},
        {"stepType": "odps", "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
      ],
      "setting": {"errorLimit": {"record": "none"}}
    }
    ```

    ## Good
    ```di
    {
      "type": "job",
      "steps": [
        {"stepType": "mysql", "category": "reader", "parameter": {"column": ["id"], "splitPk": "id"}},
        {"stepType": "odps", "category": "writer",
         "parameter": {"table": "ods_shop", "column": ["id"], "truncate": true}}
      ],
      "setting": {"errorLimit": {"record": "0"}}
    }
    ```

    ## Options
    None.

    ## Known limits
    The parameters of each plug-in are not checked. At most twenty faults are reported.
    """
    for mistake in subject.script.job.problems:
        yield Hit(
            mistake.at,
            Text(
                f"{mistake.path or 'the job'}: {mistake.problem}.",
                f"{mistake.path or '作业'}：{mistake.problem_zh}。",
            ),
            key=mistake.path or "job",
        )
