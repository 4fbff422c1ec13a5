"""MC-C08: parameter-undefined."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import Parameter, Script, Span
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

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
def parameter_undefined(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Parameter that the node's schedule does not define.

    ## What it does
    Reports parameters in the code that the node's scheduling configuration does not define (blocks), and
    parameters that are defined but never used (info). Requires the node's parameters.

    ## Why
    A parameter without a value remains in the code as text: `ds = '${biz_dt}'` matches no partition, and the
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
    Reports nothing if the node's parameters are unknown. Time expressions (`${yyyymmdd}`, `$[yyyymmdd-1]`)
    and `${bdp.system.…}` need no definition. Python and shell nodes are not checked: there `$name` may be a
    variable of the language.
    """
    script = subject.script
    defined = script.context.node.parameters
    if defined is None:
        return
    reported: set[str] = set()
    for parameter in _used(script):
        if parameter.name not in defined and parameter.name not in reported:
            reported.add(parameter.name)
            yield Hit(parameter.at, _undefined(parameter.name), key=parameter.name)
    used = {parameter.name for parameter in script.parameters}
    for name in sorted(defined - used):
        yield Hit(_first(script), _unused(name), _REMOVE, Severity.INFO, name)


_REMOVE = Text(
    "Remove it from the node's scheduling parameters, or use it.",
    "从节点的调度参数中删除它，或在代码中使用它。",
)


def _used(script: Script) -> Iterator[Parameter]:
    """Yield the parameters that need a definition, except those in comments."""
    for parameter in script.parameters:
        begin, end = parameter.at
        if parameter.name and not any(one.at.begin <= begin and end <= one.at.end for one in script.comments):
            yield parameter


def _first(script: Script) -> Span:
    """Return the span of the node's first keyword, for findings about the whole node."""
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
