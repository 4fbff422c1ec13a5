"""The effect of one predicate on the partitions of a source: it prunes them, or the reason why it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from review.facts import Block, Clause, Column, Joined, Operand, Operator, Predicate, Sort, Statement


class Effect(Enum):
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
    OWN = auto()
    """It is compared with another column of the same source."""
    LINK = auto()
    """It equals a column of another source: it prunes if that source is pruned."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A predicate on a partition column.

    Attributes:
        column: the column, as written.
        detail: the name of the function, if there is one.
        other: the column that it equals, for a LINK.
    """

    predicate: Predicate
    effect: Effect
    column: str
    detail: str = ""
    other: Column | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
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

    def at(self, column: Column) -> bool:
        """Whether `column` is one of them, or one of their expressions."""
        here = column.block == self.block and column.source == self.source
        return here and (column.key in self.bare or column.key in self.wrapped)

    def perhaps(self, column: Column) -> bool:
        """Whether `column` may be one of them: its source is unknown."""
        return column.source is None and not column.qualifier and column.key in self.bare

    def within(self, operand: Operand) -> bool:
        """Whether `operand` contains one of them."""
        return any(self.at(column) for column in operand.columns)


def filters(code: str, block: Block, predicates: Iterable[Predicate], tracked: Tracked) -> Iterator[Filter]:
    """Yield the effects of `predicates` of the block on the partitions of `tracked`."""
    for predicate in predicates:
        found = _effect(code, predicate, tracked)
        if found is None:
            continue
        if predicate.clause is Clause.ON and _preserved(block, tracked.source, predicate.join):
            found = replace(found, effect=Effect.PRESERVED)
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
    match block.sources[join].joined:
        case Joined.LEFT | Joined.ANTI:
            return source != join
        case Joined.RIGHT:
            return source == join
        case Joined.FULL:
            return True
        case _:
            return False


def _effect(code: str, predicate: Predicate, tracked: Tracked) -> Filter | None:
    if predicate.operator is Operator.IS_NOT_NULL:
        return None
    if _is_parameter(predicate):
        return Filter(predicate, Effect.PRUNES, "")
    column = next((column for column in predicate.columns if tracked.at(column)), None)
    if column is None:
        column = next((column for column in predicate.columns if tracked.perhaps(column)), None)
        return Filter(predicate, Effect.PRUNES, column.name) if column else None
    if predicate.operator is Operator.ANY_OF:
        branches = [_branch(code, branch, tracked) for branch in predicate.alternatives]
        worst = next((found for found in branches if found.effect is not Effect.PRUNES), branches[0])
        return Filter(predicate, worst.effect, column.name, worst.detail)
    found = _comparison(code, predicate, tracked, column)
    # HAVING max(ds) = '…' does not restrict the partitions that are read.
    aggregated = found.effect is Effect.FUNCTION and predicate.clause in (Clause.HAVING, Clause.QUALIFY)
    return None if aggregated else found


def _is_parameter(predicate: Predicate) -> bool:
    """Whether a parameter replaces the condition or its column: what it filters is unknown."""
    if predicate.columns or predicate.left.sort is not Sort.PARAMETER or predicate.left.string:
        return False
    return predicate.operator is Operator.TRUTH or predicate.operator in _COMPARES


def _branch(code: str, branch: tuple[Predicate, ...], tracked: Tracked) -> Filter:
    """Return the best effect within one alternative of an OR."""
    effects = [found for part in branch if (found := _effect(code, part, tracked))]
    if any(found.effect in (Effect.PRUNES, Effect.LINK) for found in effects):
        return Filter(branch[0], Effect.PRUNES, "")
    # A branch of constants only ('${all}' = '1') is evaluated before any read, unless it is always true.
    if all(_constant(operand) for part in branch for operand in part.operands) and not all(
        _always(part) for part in branch
    ):
        return Filter(branch[0], Effect.PRUNES, "")
    return effects[0] if effects else Filter(branch[0], Effect.ALTERNATIVE, "")


def _always(predicate: Predicate) -> bool:
    """Whether it is `1 = 1`."""
    sides = predicate.operands
    return (
        predicate.operator is Operator.EQ
        and len(sides) > 1
        and all(side.sort is Sort.LITERAL and side.value == sides[0].value for side in sides)
    )


def _constant(operand: Operand) -> bool:
    return operand.sort in _CONSTANT


_CONSTANT = frozenset({Sort.LITERAL, Sort.PARAMETER, Sort.CONSTANT, Sort.NULL, Sort.RUN_TIME, Sort.MAX_PT})


def _comparison(code: str, predicate: Predicate, tracked: Tracked, column: Column) -> Filter:
    sides = (predicate.left, *predicate.rights)
    for side in sides:
        if tracked.within(side) and not _bare(code, side, tracked):
            return Filter(predicate, Effect.FUNCTION, column.name, next(iter(side.functions), ""))
    others = [side for side in sides if not tracked.within(side)]
    if not others and predicate.rights:
        return Filter(predicate, Effect.OWN, column.name)
    if predicate.operator is Operator.BETWEEN and predicate.left in others:
        # '…' BETWEEN a AND ds: one bound is the partition column.
        others = [predicate.left]
    for other in others:
        found = _against(predicate, tracked, column, other)
        if found.effect is not Effect.PRUNES:
            return found
    return Filter(predicate, Effect.PRUNES, column.name)


def _bare(code: str, side: Operand, tracked: Tracked) -> bool:
    if side.sort is Sort.COLUMN:
        return side.columns[0].key in tracked.bare
    if side.functions:
        return False
    # (ds, hh) IN (('…', '…'), …): a list of bare columns.
    text = code[side.at.begin : side.at.end]
    return text.startswith("(") and "," in text


def _against(predicate: Predicate, tracked: Tracked, column: Column, other: Operand) -> Filter:
    def result(effect: Effect, detail: str = "") -> Filter:
        return Filter(predicate, effect, column.name, detail)

    match other.sort:
        case Sort.UNKNOWN_CALL:
            return result(Effect.UDF, next(iter(other.functions), ""))
        case Sort.RUN_TIME if random := next((name for name in other.functions if name in _RANDOM), ""):
            return result(Effect.RANDOM, random)
        case Sort.LITERAL | Sort.PARAMETER if predicate.operator in _LIKE and (other.value or "").startswith(
            "%"
        ):
            return result(Effect.WILDCARD)
        case Sort.COLUMN | Sort.COMPUTED if _of_same_source(other, tracked):
            return result(Effect.OWN)
        case Sort.COLUMN if predicate.operator in _EQUAL and other.columns:
            return Filter(predicate, Effect.LINK, column.name, other=other.columns[0])
        case _:
            return result(Effect.PRUNES)


_LIKE = frozenset({Operator.LIKE, Operator.NOT_LIKE})
_EQUAL = frozenset({Operator.EQ, Operator.NULL_SAFE_EQ})
_COMPARES = frozenset(
    {Operator.EQ, Operator.IN, Operator.BETWEEN, Operator.LE, Operator.GE, Operator.LT, Operator.GT}
)
_RANDOM = frozenset({"rand", "random", "uuid", "randn", "unique_id"})


def _of_same_source(operand: Operand, tracked: Tracked) -> bool:
    here = (tracked.block, tracked.source)
    return bool(operand.columns) and all((column.block, column.source) == here for column in operand.columns)
