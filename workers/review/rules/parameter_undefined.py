"""MC-C08: parameters of the code and of the schedule must be the same."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.facts import Parameter, Script, Span
from workers.review.rules.rule import SQL, Hit, Options, Subject, Text, rule

_DIALECTS = (SQL - {Dialect.PYTHON, Dialect.SHELL}) | {Dialect.DI}


@rule(
    "MC-C08",
    "parameter-undefined",
    Severity.BLOCK,
    dialects=_DIALECTS,
    fix=Text(
        "Define it in the node's scheduling parameters, or correct its name.",
        "在节点的调度参数中定义它，或改正参数名。",
    ),
)
def parameter_undefined(subject: Subject, _: Options) -> Iterator[Hit]:
    """Parameter that the node's schedule does not define.

    ## What it does
    Finds parameters in the code that the scheduling of the node does not define (this blocks), and
    parameters that are defined but never used (for information). It needs to know the node's parameters.

    ## Why
    A parameter without a value stays in the code as it is: `ds = '${biz_dt}'` selects no partition, and the
    node succeeds with an empty result.

    ## Given
    ```json
    {"node": {"name": "dwd_order_di", "parameters": ["bizdate"]}}
    ```

    ## Bad
    ```sql
    SELECT order_id FROM ods_order_di WHERE ds = '${bizdate}' AND hh = '${biz_hour}';
    ```
    ```sql
    SELECT order_id FROM ods_order_di WHERE ds = MAX_PT('ods_order_di');
    ```

    ## Good
    ```sql
    SELECT order_id FROM ods_order_di WHERE ds = '${bizdate}' AND hh = '$[hh24-1/24]';
    ```
    ```sql
    -- ${biz_hour} is no longer used
    SELECT order_id FROM ods_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    It is silent when the node's parameters are not known. Expressions of time (`${yyyymmdd}`,
    `$[yyyymmdd-1]`) and `${bdp.system.…}` need no definition. In Python and shell nodes `$name` may be a
    variable of the language, so they are not judged.
    """
    script = subject.script
    defined = script.given.node.parameters
    if defined is None:
        return
    told: set[str] = set()
    for parameter in _used(script):
        if parameter.name not in defined and parameter.name not in told:
            told.add(parameter.name)
            yield Hit(parameter.at, _undefined(parameter.name), key=parameter.name)
    used = {parameter.name for parameter in script.parameters}
    for name in sorted(defined - used):
        yield Hit(_first(script), _unused(name), _REMOVE, Severity.INFO, name)


_REMOVE = Text(
    "Remove it from the node's scheduling parameters, or use it.",
    "从节点的调度参数中删除它，或在代码中使用它。",
)


def _used(script: Script) -> Iterator[Parameter]:
    """Yield the parameters that need a definition, those in comments left out."""
    for parameter in script.parameters:
        begin, end = parameter.at
        if parameter.name and not any(one.at.begin <= begin and end <= one.at.end for one in script.comments):
            yield parameter


def _first(script: Script) -> Span:
    """Return the place of the node's first statement: what speaks of the whole node stands there."""
    if script.statements:
        begin = script.statements[0].at.begin
        return Span(begin, begin + len(script.statements[0].verb))
    return Span(0, min(1, len(script.code)))


def _undefined(name: str) -> Text:
    return Text(
        f"The parameter {name} is not defined in the node's scheduling parameters.",
        f"节点的调度参数中没有定义参数 {name}。",
    )


def _unused(name: str) -> Text:
    return Text(
        f"The node defines the parameter {name}, but its code never uses it.",
        f"节点定义了参数 {name}，但代码从未使用。",
    )
