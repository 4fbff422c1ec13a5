"""Reads of partitioned tables, and the effect of a statement's predicates on their partitions.

A predicate counts in the block that reads the table, and in every outer block that filters the column passed
on by the inner one: through subqueries, CTEs and the branches of a UNION.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from weakref import WeakKeyDictionary

from review.analysis.naming import PARTITION_NAMES
from review.analysis.partition_filters import (
    FilterEffect,
    PartitionFilter,
    TrackedColumns,
    by_source,
    partition_filters,
)
from review.facts import (
    Column,
    CreatedKind,
    OperandKind,
    Output,
    Predicate,
    Script,
    Source,
    Span,
    Statement,
    WriteKind,
)
from review.rules.api import RuleContext
from review.tables.catalog import TableCatalog


@dataclass(frozen=True, slots=True)
class PartitionedRead:
    """A read of a partitioned table.

    Attributes:
        partitions: its partition columns in lower case; the usual names if `known` is false.
        known: whether the catalogue or the script shows the partitions; otherwise only names suggest them.
        filters: predicates on its partition columns between the read and the result.
        pruned: whether one of them limits the partitions that are read.
    """

    statement: Statement
    source: Source
    partitions: tuple[str, ...]
    known: bool
    filters: tuple[PartitionFilter, ...]
    pruned: bool


def partitioned_reads(subject: RuleContext) -> tuple[PartitionedRead, ...]:
    """Return the reads of tables that have or may have partitions."""
    known = _CACHE.get(subject.catalog)
    if known is None or known[0] is not subject.script:
        known = _CACHE[subject.catalog] = subject.script, tuple(_find_reads(subject))
    return known[1]


_CACHE: WeakKeyDictionary[TableCatalog, tuple[Script, tuple[PartitionedRead, ...]]] = WeakKeyDictionary()
"""Cache: several rules need the reads of the same script."""


def _find_reads(subject: RuleContext) -> Iterator[PartitionedRead]:
    for statement in subject.script.statements:
        walk = _PruningTrace(subject, statement)
        changed = {write.at for write in statement.writes if write.kind in _CHANGES}
        found: dict[Span, PartitionedRead] = {}
        for index, block in enumerate(statement.blocks):
            for number, source in enumerate(block.sources):
                if not source.table or source.partitions or source.at in changed:
                    continue
                reading = walk.read_of(index, number, source)
                # The branches of a multi-insert share one read: the least pruned branch counts.
                if reading and (source.at not in found or _rank(reading) < _rank(found[source.at])):
                    found[source.at] = reading
        yield from found.values()


def _rank(reading: PartitionedRead) -> tuple[bool, bool]:
    return reading.pruned, bool(reading.filters)


_CHANGES = frozenset({WriteKind.UPDATE, WriteKind.DELETE, WriteKind.MERGE})
"""Statements whose target is among the sources although it is written."""

_MAX_STEPS = 500
"""Maximum number of steps for one table; beyond it nothing is reported."""
_MAX_SHARED = 50
"""Maximum predicates whose source is unknown that are examined for each source."""
_MAX_DEPTH = 100
"""Maximum nesting depth through which a column is followed; beyond it nothing is reported."""

_Outcome = tuple[bool, tuple[PartitionFilter, ...]]


class _PruningTrace:
    """Follows partition columns through the blocks of one statement."""

    def __init__(self, subject: RuleContext, statement: Statement) -> None:
        self._code = subject.script.code
        self._catalog = subject.catalog
        self._statement = statement
        self._known: dict[TrackedColumns, tuple[PartitionFilter, ...]] = {}
        self._predicates: dict[int, dict[int | str | None, list[Predicate]]] = {}
        self._steps = 0
        self._view = any(made.what is CreatedKind.VIEW for made in statement.creations)

    @cached_property
    def _consumers(self) -> dict[int, list[tuple[int, int]]]:
        """Sources that consume a block's rows, by its index: (index of their block, index in it)."""
        found: dict[int, list[tuple[int, int]]] = {}
        for index, block in enumerate(self._statement.blocks):
            for number, source in enumerate(block.sources):
                for inner in source.blocks:
                    found.setdefault(inner, []).append((index, number))
        return found

    def read_of(self, block: int, number: int, source: Source) -> PartitionedRead | None:
        """Return the read of a table; None if it has no partitions, or computes them."""
        partitions = self._catalog.partitions(source.table)
        # A condition on the column that a partition column is computed from prunes too.
        if partitions == () or self._catalog.generated(source.table).intersection(partitions or ()):
            return None
        columns = partitions or PARTITION_NAMES
        self._steps = 0
        pruned, found = self._outcome(TrackedColumns(block, number, frozenset(columns)), frozenset())
        return PartitionedRead(self._statement, source, columns, partitions is not None, found, pruned)

    def _outcome(self, tracked: TrackedColumns, asked: frozenset[tuple[int, int]]) -> _Outcome:
        """Return whether a predicate prunes `tracked`, and its predicates, for the least pruned consumer."""
        self._steps += 1
        if self._steps > _MAX_STEPS or len(asked) > _MAX_DEPTH:
            return True, ()
        own = self._filters(tracked)
        asked = asked | {(tracked.block, tracked.source)}
        if any(self._prunes(found, asked) for found in own):
            return True, own
        ways = [self._outside(tracked, *consumer, asked) for consumer in self._ways_out(tracked, asked)]
        if not ways:
            return self._view and bool(self._names(tracked, tracked.block)[0]), own
        pruned, found = min(ways, key=lambda way: (way[0], len(way[1])))
        return pruned, own + found

    def _ways_out(self, tracked: TrackedColumns, asked: frozenset[tuple[int, int]]) -> list[tuple[int, int]]:
        return [way for way in self._consumers.get(tracked.block, ()) if way not in asked]

    def _outside(
        self, tracked: TrackedColumns, block: int, source: int, asked: frozenset[tuple[int, int]]
    ) -> _Outcome:
        given = self._statement.blocks[block].sources[source]
        bare, wrapped = self._names(tracked, given.blocks[0], given.columns)
        if not bare and not wrapped:
            return False, ()
        return self._outcome(TrackedColumns(block, source, bare, wrapped), asked)

    def _filters(self, tracked: TrackedColumns) -> tuple[PartitionFilter, ...]:
        if tracked not in self._known:
            if tracked.block not in self._predicates:
                self._predicates[tracked.block] = by_source(self._statement, tracked.block)
            predicates = self._predicates[tracked.block]
            shared = (item for key in (None, *sorted(tracked.bare)) for item in predicates.get(key, ()))
            all_ = chain(predicates.get(tracked.source, ()), islice(shared, _MAX_SHARED))
            meant = {id(item): item for item in all_}.values()
            block = self._statement.blocks[tracked.block]
            self._known[tracked] = tuple(
                partition_filters(self._code, block, sorted(meant, key=lambda item: item.at), tracked)
            )
        return self._known[tracked]

    def _prunes(self, found: PartitionFilter, asked: frozenset[tuple[int, int]]) -> bool:
        if found.effect is FilterEffect.JOINED and found.other is not None:
            return self._is_pruned(found.other, asked)
        return found.effect is FilterEffect.PRUNES

    def _is_pruned(self, column: Column, asked: frozenset[tuple[int, int]]) -> bool:
        """Whether `column` allows pruning: not if it is a partition column of a table read in full."""
        if column.block is None or column.source is None:
            return True
        place = (column.block, column.source)
        source = self._statement.blocks[column.block].sources[column.source]
        if place in asked:
            return False
        if source.table:
            partitions = self._catalog.partitions(source.table) or ()
            if column.key not in partitions:
                return True
            return self._outcome(TrackedColumns(*place, frozenset(partitions)), asked)[0]
        if any(
            self._prunes(found, asked | {place})
            for found in self._filters(TrackedColumns(*place, frozenset({column.key})))
        ):
            return True
        return all(
            self._is_pruned(inner, asked | {place})
            for index in source.blocks
            for inner in self._passed(index, column.key)
        )

    def _passed(self, index: int, name: str) -> Iterator[Column]:
        """Yield the columns that a block passes on unchanged as `name`."""
        block = self._statement.blocks[index]
        for output in block.outputs:
            if output.star:
                for number, source in enumerate(block.sources):
                    if not output.qualifier or output.qualifier.lower() == source.alias.lower():
                        yield Column(output.at, name, "", index, number)
            elif output.name.lower() == name and output.operand.sort is OperandKind.COLUMN:
                yield from output.operand.columns

    def _names(
        self, tracked: TrackedColumns, first: int, given: tuple[str, ...] = ()
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return the names under which a block passes partition columns on: unchanged, and as expressions.

        Args:
            tracked: the columns as visible in the block.
            first: the block that names the columns: the first branch if the block is one of a UNION.
            given: names that the outer query gives to the columns instead.
        """
        block = self._statement.blocks[tracked.block]
        names = [*given, *(output.name for output in self._statement.blocks[first].outputs[len(given) :])]
        if any(output.star for output in (*block.outputs, *self._statement.blocks[first].outputs)):
            names = [output.name for output in block.outputs]
        bare: set[str] = set()
        wrapped: set[str] = set()
        for name, output in zip(names, block.outputs, strict=False):
            if output.star:
                alias = block.sources[tracked.source].alias
                if not output.qualifier or output.qualifier.lower() == alias.lower():
                    bare |= tracked.bare
                    wrapped |= tracked.wrapped
            elif _is_passed_unchanged(tracked, output):
                bare.add(name.lower())
            elif self._expression(tracked, output):
                wrapped.add(name.lower())
        return frozenset(bare), frozenset(wrapped)

    def _expression(self, tracked: TrackedColumns, output: Output) -> bool:
        columns = output.operand.columns
        if output.aggregate or not columns or not all(tracked.is_tracked(column) for column in columns):
            return False
        windows = self._statement.blocks[tracked.block].windows
        return not any(output.at.begin <= window.at.begin < output.at.end for window in windows)


def _is_passed_unchanged(tracked: TrackedColumns, output: Output) -> bool:
    if output.operand.sort is not OperandKind.COLUMN or not output.operand.columns:
        return False
    column = output.operand.columns[0]
    return column.key in tracked.bare and (tracked.is_tracked(column) or tracked.may_be(column))
