"""Analysis of conditions: single predicates, the columns that they compare, and how they treat NULL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from review.facts import Block, Column, Operand, OperandKind, Operator, Predicate, Statement

FILTERS = frozenset({OperandKind.LITERAL, OperandKind.PARAMETER, OperandKind.CONSTANT})
"""Operands whose value the code and its schedule determine."""

FLIPPED = {
    Operator.EQ: Operator.EQ,
    Operator.NULL_SAFE_EQ: Operator.NULL_SAFE_EQ,
    Operator.NE: Operator.NE,
    Operator.LT: Operator.GT,
    Operator.LE: Operator.GE,
    Operator.GT: Operator.LT,
    Operator.GE: Operator.LE,
}
"""Each comparison with its sides swapped."""

_COMPARES = frozenset(FLIPPED) - {Operator.NULL_SAFE_EQ}
_TESTS_LEFT = frozenset(
    {
        Operator.BETWEEN,
        Operator.IN,
        Operator.NOT_IN,
        Operator.LIKE,
        Operator.NOT_LIKE,
        Operator.IS_NOT_NULL,
    }
)
_MAY_ACCEPT_NULL = re.compile(r"\b(?:case|null|not|and|or|is)\b", re.IGNORECASE)
_PASS_NULL_ON = frozenset(
    {
        "abs",
        "add_months",
        "cast",
        "ceil",
        "ceiling",
        "char_length",
        "concat",
        "date_add",
        "date_format",
        "date_sub",
        "date_trunc",
        "dateadd",
        "datediff",
        "datepart",
        "datetrunc",
        "day",
        "dayofmonth",
        "dayofweek",
        "exp",
        "extract",
        "floor",
        "from_unixtime",
        "get_json_object",
        "hour",
        "instr",
        "int",
        "json_extract",
        "last_day",
        "left",
        "length",
        "log",
        "lower",
        "lpad",
        "ltrim",
        "max",
        "md5",
        "min",
        "minute",
        "mod",
        "month",
        "months_between",
        "pow",
        "power",
        "regexp_count",
        "regexp_extract",
        "regexp_instr",
        "regexp_replace",
        "regexp_substr",
        "repeat",
        "replace",
        "reverse",
        "right",
        "round",
        "rpad",
        "rtrim",
        "second",
        "sign",
        "split",
        "split_part",
        "sqrt",
        "strpos",
        "substr",
        "substring",
        "substring_index",
        "sum",
        "to_char",
        "to_date",
        "to_timestamp",
        "translate",
        "trim",
        "trunc",
        "try_cast",
        "unix_timestamp",
        "upper",
        "weekday",
        "year",
    }
)
"""Functions that return NULL for NULL in every dialect that has them."""


def leaf_predicates(predicates: Iterable[Predicate]) -> Iterator[Predicate]:
    """Yield the single predicates, also those within alternatives."""
    for predicate in predicates:
        if predicate.operator is Operator.ANY_OF:
            for branch in predicate.alternatives:
                yield from leaf_predicates(branch)
        else:
            yield predicate


def conditions(statement: Statement) -> Iterator[tuple[Block, Predicate]]:
    """Yield the single comparisons of a statement, also those in outputs, each with its block."""
    for block in statement.blocks:
        for predicate in leaf_predicates((*block.predicates, *block.comparisons)):
            yield block, predicate


def rejects_null(predicate: Predicate, code: str, matches: Callable[[Column], bool]) -> bool:
    """Whether `predicate` cannot be true in a row in which the columns selected by `matches` are NULL."""
    operator = predicate.operator
    if operator is Operator.ANY_OF:
        return bool(predicate.alternatives) and all(
            any(rejects_null(part, code, matches) for part in branch) for branch in predicate.alternatives
        )
    if _rejects_default(predicate, code, matches):
        return True
    if operator in _COMPARES:
        return any(_passes_null_on(operand, code, matches) for operand in predicate.operands)
    if operator is Operator.TRUTH:
        return predicate.left.sort is OperandKind.COLUMN and _passes_null_on(predicate.left, code, matches)
    return operator in _TESTS_LEFT and _passes_null_on(predicate.left, code, matches)


def _values(branch: Iterable[Predicate], matches: Callable[[Column], bool]) -> list[Operand]:
    return [
        right
        for part in branch
        for operator, rights in comparisons_of(part, matches)
        if operator in (Operator.EQ, Operator.IN)
        for right in rights
    ]


def _rejects_default(predicate: Predicate, code: str, matches: Callable[[Column], bool]) -> bool:
    """Whether it is like `NVL(x, 0) > 0`: false for the default that replaces NULL."""
    left, rights = predicate.left, predicate.rights
    test = _TESTS.get(predicate.operator)
    if (
        test is None
        or not rights
        or _PLACEHOLDERS.isdisjoint(left.functions)
        or not any(map(matches, left.columns))
    ):
        return False
    found = _PLACEHOLDER.fullmatch(code, left.at.begin, left.at.end)
    if found is None or any(right.sort is not OperandKind.LITERAL for right in rights):
        return False
    values = [_comparable(right.value or "", string=right.string) for right in rights]
    default = _comparable(found["number"] or found["text"] or "", string=found["number"] is None)
    if any(type(value) is not type(default) for value in values):
        return False
    return not test(default, values)


def _comparable(value: str, *, string: bool) -> str | float:
    try:
        return value if string else float(value)
    except ValueError:
        return value


_PLACEHOLDERS = frozenset({"nvl", "coalesce", "ifnull"})
_PLACEHOLDER = re.compile(
    r"\w+\s*\(\s*[\w.`]+\s*,\s*(?:(?P<number>-?\d+(?:\.\d+)?)|'(?P<text>[^'\\]*)')\s*\)", re.IGNORECASE
)
_TESTS: dict[Operator, Callable[[Any, list[Any]], bool]] = {
    Operator.EQ: lambda default, values: default == values[0],
    Operator.NE: lambda default, values: default != values[0],
    Operator.LT: lambda default, values: default < values[0],
    Operator.LE: lambda default, values: default <= values[0],
    Operator.GT: lambda default, values: default > values[0],
    Operator.GE: lambda default, values: default >= values[0],
    Operator.IN: lambda default, values: default in values,
    Operator.NOT_IN: lambda default, values: default not in values,
}


def _passes_null_on(operand: Operand, code: str, matches: Callable[[Column], bool]) -> bool:
    if not any(matches(column) for column in operand.columns):
        return False
    if operand.sort is OperandKind.COLUMN:
        return True
    return (
        operand.sort is OperandKind.COMPUTED
        and _PASS_NULL_ON.issuperset(operand.functions)
        and not _MAY_ACCEPT_NULL.search(code[operand.at.begin : operand.at.end])
    )


def comparisons_of(
    predicate: Predicate, matches: Callable[[Column], bool]
) -> Iterator[tuple[Operator, tuple[Operand, ...]]]:
    """Yield what a condition compares a bare column with, for columns selected by `matches`.

    Alternatives that all compare it with values (`ds = 'a' OR ds = 'b'`) count as one IN.
    """
    left, rights = predicate.left, predicate.rights
    if predicate.operator is Operator.ANY_OF:
        values = [_values(branch, matches) for branch in predicate.alternatives]
        if values and all(values):
            yield Operator.IN, tuple(value for branch in values for value in branch)
        return
    if left.sort is OperandKind.COLUMN and any(map(matches, left.columns)):
        yield predicate.operator, rights
    flipped = FLIPPED.get(predicate.operator)
    if flipped and rights and rights[0].sort is OperandKind.COLUMN and any(map(matches, rights[0].columns)):
        yield flipped, (left,)
