"""The slices of a table that statements write and read, compared by normalised values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from review.analysis.conditions import FILTERS, comparisons_of, leaf_predicates
from review.analysis.scheduling_dates import resolve_day
from review.facts import Block, Column, Operand, OperandKind, Operator, Role, Script, Statement, Write

Constraint = tuple[Operator, tuple[Operand, ...]]
"""An operator and the operands that a column is compared with."""

_BLANKS = re.compile(r"\s+")


def operand_text(script: Script, operand: Operand) -> str:
    """Return an operand normalised for comparison: its day or value, or its code without blanks."""
    if operand.value is not None:
        return normalize(operand.value)
    return _BLANKS.sub("", script.code[operand.at.begin : operand.at.end]).lower()


_BARE = re.compile(r"\$([A-Za-z_]\w*)\$?")


def normalize(value: str) -> str:
    """Normalise a value, so that `${bizdate}` equals `$[yyyymmdd-1]`, and `$pt` equals `${pt}`."""
    day = resolve_day(value)
    if day is None:
        return _BARE.sub(r"${\1}", value)
    months = f"{day.months:+d} months " if day.months else ""
    return f"{months}{day.days:+d}{day.separator}"


def written_values(
    statement: Statement, write: Write, *, follow: bool = True
) -> dict[str, tuple[Operand, ...]]:
    """Return what each column of a write's PARTITION(…) is set to, by its name in lower case.

    A dynamic partition has the values of all branches of the query; none if a star hides them.

    Args:
        statement: the statement that writes.
        write: the write.
        follow: whether to replace a bare column by the constant that a condition binds it to.
    """
    dynamic = [item.column.lower() for item in write.partition if item.value is None]
    values: dict[str, tuple[Operand, ...]] = {
        item.column.lower(): (item.value,) for item in write.partition if item.value is not None
    }
    for place, name in enumerate(dynamic):
        outputs = _outputs(statement, write, name, len(dynamic) - place)
        values[name] = tuple(resolve_constant(statement, one) if follow else one for one in outputs)
    return values


def _outputs(statement: Statement, write: Write, name: str, from_end: int) -> Iterator[Operand]:
    listed = [column.lower() for column in write.columns]
    for index in write.blocks:
        outputs = statement.blocks[index].outputs
        if any(output.star for output in outputs[-from_end:]) or len(outputs) < from_end:
            continue
        if name in listed and len(listed) == len(outputs):
            yield outputs[listed.index(name)].operand
        else:
            yield outputs[-from_end].operand


def written_value(
    statement: Statement, write: Write, name: str, columns: Sequence[str] = ()
) -> tuple[Operand, ...]:
    """Return the values of a column that is not in the PARTITION(…) of a write.

    Args:
        statement: the statement that writes.
        write: the write.
        name: the column, in lower case.
        columns: columns of the target if known; used by position if the write lists none.
    """
    listed = [column.lower() for column in write.columns or columns]
    found = []
    for index in write.blocks:
        for place, output in enumerate(statement.blocks[index].outputs):
            called = listed[place] if place < len(listed) else output.name.lower()
            if called == name and not output.star:
                found.append(resolve_constant(statement, output.operand))
    return tuple(found)


def resolve_constant(statement: Statement, operand: Operand) -> Operand:
    """Return the constant that an equality of its block binds a bare column to, or the operand itself."""
    if operand.sort is not OperandKind.COLUMN or not operand.columns:
        return operand
    column = operand.columns[0]
    if column.block is None or column.source is None:
        return operand
    for operator, rights in constraints(statement, column.block, column.source, column.key):
        if operator is Operator.EQ and rights[0].sort in FILTERS:
            return rights[0]
    return operand


def constraints(statement: Statement, index: int, source: int, name: str) -> Iterator[Constraint]:
    """Yield what a column of a block's source is compared with, there and where it is passed on to."""
    for place in visible_as(statement, index, source, name):
        for predicate in statement.blocks[place[0]].predicates:
            yield from comparisons_of(predicate, partial(_is_column, place))


def is_filtered(statement: Statement, index: int, source: int, name: str) -> bool:
    """Whether any condition, there or in outer blocks, contains the column or one that may be it."""
    for block, place, called in visible_as(statement, index, source, name):
        for predicate in leaf_predicates(statement.blocks[block].predicates):
            for column in predicate.columns:
                if column.key == called and column.source in (place, None) and column.block in (block, None):
                    return True
    return False


_LAST = frozenset({Role.RESULT, Role.CHANGE, Role.EXISTS, Role.IN, Role.SCALAR})
"""Blocks whose outputs are not visible as columns in other blocks of the statement."""

ColumnPosition = tuple[int, int, str]
"""A visible column: index of the block, index of the source in it, and its name there."""


def visible_as(statement: Statement, index: int, source: int, name: str) -> tuple[ColumnPosition, ...]:
    """Return where a column of a block's source is visible: there, and in blocks that it is passed on to."""
    found: dict[ColumnPosition, None] = {}
    waiting = [(index, source, name)]
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        found[place] = None
        if statement.blocks[place[0]].role in _LAST:
            continue
        called = _passed_on(statement.blocks[place[0]], *place)
        for outer, block in enumerate(statement.blocks if called else ()):
            for at, consumer in enumerate(block.sources):
                if place[0] in consumer.blocks:
                    waiting += [(outer, at, passed) for passed in called]
    return tuple(found)


def _passed_on(block: Block, index: int, source: int, name: str) -> set[str]:
    names = set()
    for output in block.outputs:
        if output.star:
            if output.qualifier.lower() in ("", block.sources[source].alias.lower()):
                names.add(name)
        elif output.operand.sort is OperandKind.COLUMN:
            seen = any(_is_column((index, source, name), column) for column in output.operand.columns)
            names |= {output.name.lower()} if seen else set()
    return names


def _is_column(place: ColumnPosition, column: Column) -> bool:
    return (column.block, column.source, column.key) == place


def is_same_table(script: Script, one: str, other: str) -> bool:
    """Whether two names certainly mean the same table: the project of both is known, or of neither."""
    known = script.context.project is not None or one.count(".") == other.count(".")
    return known and script.same(one, other)


class BlockTree:
    """The blocks of a statement with those that they contain."""

    def __init__(self, statement: Statement) -> None:
        self._blocks = statement.blocks
        self._inner: dict[int | None, list[int]] = {}
        for index, block in enumerate(statement.blocks):
            if block.role in _SUBQUERIES:
                self._inner.setdefault(block.parent, []).append(index)

    def contributing(self, roots: Iterable[int]) -> set[int]:
        """Return every block that contributes rows or subqueries to the rows of `roots`."""
        found: set[int] = set()
        waiting = list(roots)
        while waiting:
            index = waiting.pop()
            if index in found:
                continue
            found.add(index)
            waiting += [block for source in self._blocks[index].sources for block in source.blocks]
            waiting += self._inner.get(index, ())
        return found


_SUBQUERIES = frozenset({Role.EXISTS, Role.IN, Role.SCALAR})
"""Roles of blocks in a condition or an output; sources refer to the others."""
