"""The effect of one predicate on the partitions of a source: it prunes them, or the reason why it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from review.facts import Block, Clause, Column, JoinKind, Operand, OperandKind, Operator, Predicate, Statement


class FilterEffect(Enum):
    """Effect of a predicate on a partition column on the partitions that are read."""

    PRUNES = auto()
    FUNCTION = auto()
    """The column is inside a function, a cast or another expression."""
    UDF = auto()
    """It is compared with an unknown function."""
    RANDOM = auto()
    """It is compared with a value that differs by row."""
    PRESERVED = auto()
    """It is in ON, for the preserved side of an outer join."""
    ALTERNATIVE = auto()
    """It is combined by OR with a condition that does not restrict partitions."""
    WILDCARD = auto()
    """LIKE starts with a wildcard."""
    SAME_SOURCE = auto()
    """It is compared with another column of the same source."""
    JOINED = auto()
    """It equals a column of another source: it prunes if that source is pruned."""


@dataclass(frozen=True, slots=True)
class PartitionFilter:
    """A predicate on a partition column.

    Attributes:
        column: the column, as written.
        detail: the name of the function, if there is one.
        other: the column that it equals, for a LINK.
    """

    predicate: Predicate
    effect: FilterEffect
    column: str
    detail: str = ""
    other: Column | None = None


@dataclass(frozen=True, slots=True)
class TrackedColumns:
    """Partition columns of a table as visible in one block.

    Attributes:
        block: index of the block.
        source: index of the source in the block that has them.
        bare: their names there, in lower case.
        wrapped: names of expressions over them only.
    """

    block: int
    source: int
    bare: frozenset[str]
    wrapped: frozenset[str] = frozenset()

    def is_tracked(self, column: Column) -> bool:
        """Whether `column` is one of them, or one of their expressions."""
        here = column.block == self.block and column.source == self.source
        return here and (column.key in self.bare or column.key in self.wrapped)

    def may_be(self, column: Column) -> bool:
        """Whether `column` may be one of them: its source is unknown."""
        return column.source is None and not column.qualifier and column.key in self.bare

    def occurs_in(self, operand: Operand) -> bool:
        """Whether `operand` contains one of them."""
        return any(self.is_tracked(column) for column in operand.columns)


def partition_filters(
    code: str, block: Block, predicates: Iterable[Predicate], tracked: TrackedColumns
) -> Iterator[PartitionFilter]:
    """Yield the effects of `predicates` of the block on the partitions of `tracked`."""
    for predicate in predicates:
        found = _effect(code, predicate, tracked)
        if found is None:
            continue
        if predicate.clause is Clause.ON and _preserved(block, tracked.source, predicate.join):
            found = replace(found, effect=FilterEffect.PRESERVED)
        yield found


def by_source(statement: Statement, index: int) -> dict[int | str | None, list[Predicate]]:
    """Return the predicates of a block by the sources of their columns.

    A predicate with a column of unknown source is under the column's name, one without columns under None.
    """
    found: dict[int | str | None, list[Predicate]] = {}
    for predicate in _predicates(statement, statement.blocks[index]):
        keys: set[int | str | None] = {
            column.key if column.source is None else column.source
            for column in predicate.columns
            if column.block in (index, None)
        }
        for key in keys if predicate.columns else (None,):
            found.setdefault(key, []).append(predicate)
    return found


def _predicates(statement: Statement, block: Block) -> Iterator[Predicate]:
    for predicate in block.predicates:
        yield predicate
        if predicate.operator is Operator.EXISTS:
            # EXISTS (… WHERE b.ds = a.ds) is a semi join: its conditions apply to the outer rows.
            for index in predicate.left.blocks:
                yield from (
                    inner for inner in statement.blocks[index].predicates if inner.clause is Clause.WHERE
                )


def _preserved(block: Block, source: int, join: int | None) -> bool:
    if join is None:
        return False
    match block.sources[join].join_kind:
        case JoinKind.LEFT | JoinKind.ANTI:
            return source != join
        case JoinKind.RIGHT:
            return source == join
        case JoinKind.FULL:
            return True
        case _:
            return False


def _effect(code: str, predicate: Predicate, tracked: TrackedColumns) -> PartitionFilter | None:
    if predicate.operator is Operator.IS_NOT_NULL:
        return None
    if _is_parameter(predicate):
        return PartitionFilter(predicate, FilterEffect.PRUNES, "")
    column = next((column for column in predicate.columns if tracked.is_tracked(column)), None)
    if column is None:
        column = next((column for column in predicate.columns if tracked.may_be(column)), None)
        return PartitionFilter(predicate, FilterEffect.PRUNES, column.name) if column else None
    if predicate.operator is Operator.ANY_OF:
        branches = [_branch(code, branch, tracked) for branch in predicate.alternatives]
        worst = next((found for found in branches if found.effect is not FilterEffect.PRUNES), branches[0])
        return PartitionFilter(predicate, worst.effect, column.name, worst.detail)
    found = _comparison(code, predicate, tracked, column)
    # HAVING max(ds) = '…' does not restrict the partitions that are read.
    aggregated = found.effect is FilterEffect.FUNCTION and predicate.clause in (Clause.HAVING, Clause.QUALIFY)
    return None if aggregated else found


def _is_parameter(predicate: Predicate) -> bool:
    """Whether a parameter replaces the condition or its column: what it filters is unknown."""
    if predicate.columns or predicate.left.sort is not OperandKind.PARAMETER or predicate.left.string:
        return False
    return predicate.operator is Operator.TRUTH or predicate.operator in _COMPARES


def _branch(code: str, branch: tuple[Predicate, ...], tracked: TrackedColumns) -> PartitionFilter:
    """Return the best effect within one alternative of an OR."""
    effects = [found for part in branch if (found := _effect(code, part, tracked))]
    if any(found.effect in (FilterEffect.PRUNES, FilterEffect.JOINED) for found in effects):
        return PartitionFilter(branch[0], FilterEffect.PRUNES, "")
    # A branch of constants only ('${all}' = '1') is evaluated before any read, unless it is always true.
    if all(_constant(operand) for part in branch for operand in part.operands) and not all(
        _is_always_true(part) for part in branch
    ):
        return PartitionFilter(branch[0], FilterEffect.PRUNES, "")
    return effects[0] if effects else PartitionFilter(branch[0], FilterEffect.ALTERNATIVE, "")


def _is_always_true(predicate: Predicate) -> bool:
    """Whether it is `1 = 1`."""
    sides = predicate.operands
    return (
        predicate.operator is Operator.EQ
        and len(sides) > 1
        and all(side.sort is OperandKind.LITERAL and side.value == sides[0].value for side in sides)
    )


def _constant(operand: Operand) -> bool:
    return operand.sort in _CONSTANT


_CONSTANT = frozenset(
    {
        OperandKind.LITERAL,
        OperandKind.PARAMETER,
        OperandKind.CONSTANT,
        OperandKind.NULL,
        OperandKind.RUN_TIME,
        OperandKind.MAX_PT,
    }
)


def _comparison(code: str, predicate: Predicate, tracked: TrackedColumns, column: Column) -> PartitionFilter:
    sides = (predicate.left, *predicate.rights)
    for side in sides:
        if tracked.occurs_in(side) and not _bare(code, side, tracked):
            return PartitionFilter(
                predicate, FilterEffect.FUNCTION, column.name, next(iter(side.functions), "")
            )
    others = [side for side in sides if not tracked.occurs_in(side)]
    if not others and predicate.rights:
        return PartitionFilter(predicate, FilterEffect.SAME_SOURCE, column.name)
    if predicate.operator is Operator.BETWEEN and predicate.left in others:
        # '…' BETWEEN a AND ds: one bound is the partition column.
        others = [predicate.left]
    for other in others:
        found = _compared_with(predicate, tracked, column, other)
        if found.effect is not FilterEffect.PRUNES:
            return found
    return PartitionFilter(predicate, FilterEffect.PRUNES, column.name)


def _bare(code: str, side: Operand, tracked: TrackedColumns) -> bool:
    if side.sort is OperandKind.COLUMN:
        return side.columns[0].key in tracked.bare
    if side.functions:
        return False
    # (ds, hh) IN (('…', '…'), …): a list of bare columns.
    text = code[side.at.begin : side.at.end]
    return text.startswith("(") and "," in text


def _compared_with(
    predicate: Predicate, tracked: TrackedColumns, column: Column, other: Operand
) -> PartitionFilter:
    def result(effect: FilterEffect, detail: str = "") -> PartitionFilter:
        return PartitionFilter(predicate, effect, column.name, detail)

    match other.sort:
        case OperandKind.UNKNOWN_CALL:
            return result(FilterEffect.UDF, next(iter(other.functions), ""))
        case OperandKind.RUN_TIME if random := next(
            (name for name in other.functions if name in _RANDOM), ""
        ):
            return result(FilterEffect.RANDOM, random)
        case OperandKind.LITERAL | OperandKind.PARAMETER if predicate.operator in _LIKE and (
            other.value or ""
        ).startswith("%"):
            return result(FilterEffect.WILDCARD)
        case OperandKind.COLUMN | OperandKind.COMPUTED if _of_same_source(other, tracked):
            return result(FilterEffect.SAME_SOURCE)
        case OperandKind.COLUMN if predicate.operator in _EQUAL and other.columns:
            return PartitionFilter(predicate, FilterEffect.JOINED, column.name, other=other.columns[0])
        case _:
            return result(FilterEffect.PRUNES)


_LIKE = frozenset({Operator.LIKE, Operator.NOT_LIKE})
_EQUAL = frozenset({Operator.EQ, Operator.NULL_SAFE_EQ})
_COMPARES = frozenset(
    {Operator.EQ, Operator.IN, Operator.BETWEEN, Operator.LE, Operator.GE, Operator.LT, Operator.GT}
)
_RANDOM = frozenset({"rand", "random", "uuid", "randn", "unique_id"})


def _of_same_source(operand: Operand, tracked: TrackedColumns) -> bool:
    here = (tracked.block, tracked.source)
    return bool(operand.columns) and all((column.block, column.source) == here for column in operand.columns)
