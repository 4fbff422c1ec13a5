"""Traces the columns that a statement writes to the tables they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from review.facts import (
    Block,
    Column,
    JoinKind,
    Operand,
    OperandKind,
    Output,
    Role,
    Source,
    Span,
    Statement,
    Write,
    WriteKind,
    is_same_table,
    table_key,
)
from review.lineage.model import ALL_COLUMNS, ColumnLineage
from review.tables.catalog import TableCatalog

_MAX_DEPTH = 60
"""Maximum nested queries through which a column is traced."""

_Sources = frozenset[tuple[str, str]]
"""Columns of tables: each the table as written, and the column in lower case."""


@dataclass(frozen=True, slots=True)
class _TracedColumn:
    """An output column of a block: its name in lower case, and its source columns."""

    at: Span
    name: str
    sources: _Sources


class ColumnTrace:
    """The columns of one statement, each traced once."""

    def __init__(self, statement: Statement, catalog: TableCatalog) -> None:
        self._statement, self._blocks, self._catalog = statement, statement.blocks, catalog
        self._outputs: dict[int, tuple[_TracedColumn, ...]] = {}
        self._places: dict[int, tuple[int, dict[str, int]]] = {}
        self._having: dict[int, tuple[dict[str, list[int]], list[int]]] = {}
        named = [source.table for block in self._blocks for source in block.sources]
        self._spellings = {name.lower(): name for name in reversed(named)}

    def traced_columns(self, write: Write) -> Iterator[ColumnLineage]:
        """Yield the columns of one write, each once."""
        found: dict[str, ColumnLineage] = {}
        unnamed: list[ColumnLineage] = []
        for made in (*self._inserted(write), *self._assigned(write)):
            sources = self._one_spelling(made.sources)
            item = ColumnLineage(made.at, write.table, made.name, sources)
            if not made.name:
                unnamed.append(item)
            elif (known := found.get(made.name)) is None:
                found[made.name] = item
            else:
                found[made.name] = replace(known, sources=self._one_spelling({*known.sources, *sources}))
        yield from sorted((*found.values(), *unnamed), key=lambda item: item.at)

    def _one_spelling(self, sources: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return source columns in order; a table that is spelled in several ways has the first of them."""
        return tuple(sorted({(self._spellings[table.lower()], name) for table, name in sources}))

    def _inserted(self, write: Write) -> Iterator[_TracedColumn]:
        """Yield the columns of the rows of a query; the branches of a UNION are merged by position."""
        branches = [self._of_block(index, 0) for index in write.blocks]
        if not branches:
            return
        names = self._names(write, branches[0])
        for position, first in enumerate(branches[0]):
            made = _Sources().union(
                *(branch[position].sources for branch in branches if position < len(branch))
            )
            yield _TracedColumn(first.at, names[position], made)

    def _names(self, write: Write, outputs: tuple[_TracedColumn, ...]) -> list[str]:
        """Return the names of the columns that get the outputs: those of the target if they are known."""
        own = [output.name for output in outputs]
        target = self._target(write)
        if not target:
            return own
        # A star over unknown columns moves those after it; they are counted from the end.
        star = own.index(ALL_COLUMNS) if ALL_COLUMNS in own else len(own)
        after = len(own) - star - 1
        if after >= 0 and (ALL_COLUMNS in own[star + 1 :] or star + after > len(target)):
            return own
        given = [*target[:star], *own[len(target) : star]]
        return given if after < 0 else [*given[:star], ALL_COLUMNS, *target[len(target) - after :]]

    def _target(self, write: Write) -> tuple[str, ...]:
        """Return the columns that a query must return, in order; empty if unknown."""
        dynamic = tuple(part.column.lower() for part in write.partition if part.value is None)
        if write.columns:
            return (*(name.lower() for name in write.columns), *dynamic)
        known = self._catalog.columns(write.table)
        if known is None or write.kind in _NAMED_BY_QUERY:
            return ()
        partitions = self._catalog.partitions(write.table) or ()
        return (*(name for name in known if name not in partitions), *dynamic)

    def _assigned(self, write: Write) -> Iterator[_TracedColumn]:
        """Yield the columns that an UPDATE, a MERGE or a conflict of an INSERT sets."""
        columns = tuple(self._catalog.columns(write.table) or ())
        for index, block in enumerate(self._blocks):
            if block.role is Role.CHANGE and self._is_of(write, block):
                unnamed = 0
                for made in self._assignments(index, write):
                    if made.name:
                        yield made
                    elif write.kind is WriteKind.MERGE:  # INSERT without a list of columns, once or more
                        yield replace(made, name=columns[unnamed % len(columns)] if columns else "")
                        unnamed += 1

    def _is_of(self, write: Write, block: Block) -> bool:
        """Whether a block of role CHANGE finds the rows of `write`, not those of another in the statement."""
        if write.kind is WriteKind.DELETE:
            return False
        named = (source.table for source in block.sources)
        return len(self._statement.writes) == 1 or any(is_same_table(name, write.table) for name in named)

    def _assignments(self, index: int, write: Write) -> Iterator[_TracedColumn]:
        place, before = 0, None
        for output in self._blocks[index].outputs:
            place = place + 1 if output.operand is before else 0
            before = output.operand
            if _is_target(output, self._blocks[index], write):
                yield from self._of_output(index, output, 1, place)

    def _of_block(self, index: int, depth: int) -> tuple[_TracedColumn, ...]:
        if (known := self._outputs.get(index)) is None:
            self._outputs[index] = ()  # ends the recursion of a recursive query
            known = tuple(
                made
                for output in self._blocks[index].outputs
                for made in self._of_output(index, output, depth + 1)
            )
            self._outputs[index] = known
        return known

    def _of_output(self, index: int, output: Output, depth: int, place: int = 0) -> Iterator[_TracedColumn]:
        """Yield the columns of an output.

        Args:
            index: its block.
            output: the output.
            depth: number of nested queries.
            place: which column of its subquery it is, if an assignment gets several from one.
        """
        if depth > _MAX_DEPTH:
            return
        block = self._blocks[index]
        if not output.star:
            made = self._of_operand(index, output.operand, depth, place)
            yield _TracedColumn(output.at, output.name.lower(), made)
            return
        named = table_key(output.qualifier)
        sources = [source for source in block.sources if not named or source.alias.lower() == named]
        if not sources:  # all fields of a column of type STRUCT
            column = Column(output.at, ALL_COLUMNS, output.qualifier)
            yield _TracedColumn(output.at, ALL_COLUMNS, self._of_qualified(index, column, depth))
        for source in sources:
            if source.join_kind not in (JoinKind.SEMI, JoinKind.ANTI) and not source.target:
                yield from self._changed(index, output, self._of_star(index, source, output, depth), depth)

    def _changed(
        self, index: int, output: Output, columns: Iterator[_TracedColumn], depth: int
    ) -> Iterator[_TracedColumn]:
        """Yield what a star selects of the columns of a source."""
        changes = output.changes
        replaced, renamed = dict(changes.replaced), dict(changes.renamed)
        for made in columns:
            if made.name == ALL_COLUMNS:
                yield made
                for name, operand in replaced.items():
                    yield _TracedColumn(output.at, name, self._of_operand(index, operand, depth))
                for name, given in renamed.items():
                    yield _TracedColumn(output.at, given, _selected_by_star(made, name))
            elif changes.selects(made.name):
                computed = replaced.get(made.name)
                sources = made.sources if computed is None else self._of_operand(index, computed, depth)
                yield _TracedColumn(output.at, renamed.get(made.name, made.name), sources)

    def _of_star(self, index: int, source: Source, output: Output, depth: int) -> Iterator[_TracedColumn]:
        names = self._columns(source, depth)
        if source.table and (not names or not output.changes.is_known):
            yield _TracedColumn(output.at, ALL_COLUMNS, frozenset({(source.table, ALL_COLUMNS)}))
            for pivot in source.pivots:
                for column in pivot.made:
                    yield _TracedColumn(
                        output.at, column.name, self._of_source(index, source, column.name, depth)
                    )
            return
        for name in names:
            yield _TracedColumn(output.at, name, self._of_source(index, source, name, depth))

    def _columns(self, source: Source, depth: int) -> tuple[str, ...]:
        """Return the known names of a source's columns, in order; empty if they are unknown."""
        names = self._columns_before(source, depth)
        for pivot in source.pivots:
            names = pivot.columns(names) if names else ()
        listed = tuple(name.lower() for name in source.columns)
        return (*listed, *names[len(listed) :])

    def _columns_before(self, source: Source, depth: int) -> tuple[str, ...]:
        """Return the names of the columns before pivots and the alias."""
        if source.table:
            return tuple(self._catalog.columns(source.table) or ())
        if source.blocks:
            return tuple(made.name for made in self._of_block(source.blocks[0], depth))
        return ()

    def _of_operand(self, index: int, operand: Operand, depth: int, place: int = 0) -> _Sources:
        found: set[tuple[str, str]] = set()
        for column in operand.columns:
            found |= self._of_column(index, column, depth)
        for inner in operand.blocks:
            outputs = self._of_block(inner, depth)
            several = place or (operand.sort is OperandKind.QUERY and len(outputs) > 1)
            for made in outputs[place : place + 1] if several else outputs:
                found |= made.sources
        return frozenset(found)

    def _of_column(self, index: int, column: Column, depth: int) -> _Sources:
        if depth > _MAX_DEPTH:
            return frozenset()
        if column.block is not None and column.source is not None:
            source = self._blocks[column.block].sources[column.source]
            return self._of_source(column.block, source, column.key, depth)
        return self._of_qualified(index, column, depth) if column.qualifier else frozenset()

    def _of_qualified(self, index: int, column: Column, depth: int) -> _Sources:
        """Return the sources of a column whose qualifier names no source of its block.

        In ON DUPLICATE KEY UPDATE it may name a source of the query; otherwise it begins with a column of
        type STRUCT, of the only source that has it, or whose columns are unknown.
        """
        block = self._blocks[index]
        if block.role is Role.CHANGE:
            for inner in (inner for write in self._statement.writes for inner in write.blocks):
                for source in self._blocks[inner].sources:
                    if source.alias.lower() == column.qualifier.lower():
                        return self._of_source(inner, source, column.key, depth)
        first = column.qualifier.partition(".")[0].lower()
        having, unknown = self._sources_by_column(index, depth)
        candidates = having.get(first) or unknown
        if len(candidates) != 1:
            return frozenset()
        return self._of_source(index, block.sources[candidates[0]], first, depth)

    def _sources_by_column(self, index: int, depth: int) -> tuple[dict[str, list[int]], list[int]]:
        """Return the sources of a block, by their columns, and those whose columns are unknown."""
        if (found := self._having.get(index)) is None:
            having: dict[str, list[int]] = {}
            unknown: list[int] = []
            found = self._having[index] = (having, unknown)
            for place, source in enumerate(self._blocks[index].sources):
                if source.join_kind in (JoinKind.SEMI, JoinKind.ANTI):
                    continue
                names = dict.fromkeys(self._columns(source, depth))
                for name in names:
                    having.setdefault(name, []).append(place)
                if not names or ALL_COLUMNS in names:
                    unknown.append(place)
        return found

    def _of_source(self, index: int, source: Source, name: str, depth: int) -> _Sources:
        """Return the sources of the column `name` of a row source, as the block with that source sees it."""
        listed = [given.lower() for given in source.columns]
        place = listed.index(name) if name in listed else None
        if not source.table and not source.blocks:
            # Where the alias names the column itself, the name is that of a field.
            is_unknown = listed and not {name, source.alias.lower()} & set(listed)
            return frozenset() if is_unknown else self._of_rows(index, source, depth)
        if source.table or source.pivots:
            if place is not None:
                before = self._columns_before(source, depth)
                names = (source.pivoted(before) or ()) if before else ()
                if place >= len(names):
                    return frozenset()
                name, place = names[place], None
            found = (self._before_pivots(source, origin, None, depth) for origin in source.origins(name))
            return _Sources().union(*found)
        return self._before_pivots(source, name, place, depth)

    def _before_pivots(self, source: Source, name: str, place: int | None, depth: int) -> _Sources:
        """Return the sources of the column `name`, or of that at `place`, of a table or of blocks."""
        if source.table:
            # A pivot that is not known whole may have made it.
            known = self._catalog.columns(source.table) if source.pivots else None
            return frozenset({(source.table, name)} if known is None or name in known else ())
        found: set[tuple[str, str]] = set()
        places = self._places_of(source.blocks[0], depth)
        place = places.get(name) if place is None else place
        for inner in source.blocks:
            branch = self._of_block(inner, depth)
            if place is not None and place < len(branch) and ALL_COLUMNS not in places:
                found |= branch[place].sources
            else:
                found |= _passed_column(branch, name)
        return frozenset(found)

    def _places_of(self, index: int, depth: int) -> dict[str, int]:
        """Return the position of each name among the columns of a block; the first of equal names."""
        columns = self._of_block(index, depth)
        found = self._places.get(index)
        if found is None or len(columns) != found[0]:
            names = {made.name: place for place, made in reversed(tuple(enumerate(columns)))}
            found = self._places[index] = (len(columns), names)
        return found[1]

    def _of_rows(self, index: int, source: Source, depth: int) -> _Sources:
        """Return the sources of columns that a lateral view or function produces: those of its arguments."""
        return _Sources().union(*(self._of_operand(index, item, depth + 1) for item in source.arguments))


_NAMED_BY_QUERY = frozenset({WriteKind.CREATE, WriteKind.VIEW})
"""Writes whose columns have the names of the query."""


def _is_target(output: Output, block: Block, write: Write) -> bool:
    """Whether an assignment is one to the table of `write`; its qualifier may name another table."""
    if output.star or not output.qualifier:
        return True
    named = table_key(output.qualifier)
    tables = [source.table for source in block.sources if source.alias.lower() == named and source.table]
    return not tables or is_same_table(tables[0], write.table) or write.table.lower() == named


def _passed_column(branch: tuple[_TracedColumn, ...], name: str) -> _Sources:
    """Return the sources of the branch's column `name`, or of its unexpanded stars."""
    exact = [made for made in branch if made.name == name]
    if exact:
        return exact[0].sources
    return _Sources().union(*(_selected_by_star(made, name) for made in branch if made.name == ALL_COLUMNS))


def _selected_by_star(star: _TracedColumn, name: str) -> _Sources:
    """Return the sources of the column `name` of a star: it is one of a table, or a field of a column."""
    return frozenset((table, name if column == ALL_COLUMNS else column) for table, column in star.sources)
