"""Tables and slices that a script has emptied before a write, so that no rows of an earlier run remain."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from review.analysis.conditions import FILTERS, comparisons_of
from review.analysis.naming import without_shard_suffix
from review.analysis.partition_slices import operand_text, written_value, written_values
from review.facts import (
    AlterKind,
    Creation,
    Operand,
    Operator,
    Removal,
    RemovedKind,
    Role,
    Script,
    Statement,
    Write,
    WriteKind,
    table_key,
)

_REPLACES = frozenset({WriteKind.OVERWRITE, WriteKind.LOAD_OVERWRITE, WriteKind.CREATE})
_EMPTIES = frozenset({RemovedKind.TABLE, RemovedKind.ROWS, RemovedKind.PARTITION, RemovedKind.DETACHED})
_WITH_IT = frozenset({Operator.EQ, Operator.LE, Operator.GE})
"""Comparisons that are true for the value itself."""

_UNNAMED = re.compile(
    r"\bPARTITION\s*+(?:\bID\b)?[\s'\"(]*+(?:p(?=[\d$]))?(?P<value>[^\s'\"(),]+)", re.IGNORECASE
)
"""The value in `PARTITION '20240501'`, `PARTITION ('20240501', 1)`, `PARTITION p20240501`."""

_MAX_REMEMBERED = 100
"""Maximum partial deletions of each form that are remembered per table, and conditions of a DELETE.

Every write is compared with each of them. Forgetting one reports a write that may append twice.
"""

_Values = tuple[frozenset[str], ...]
"""Normalised texts of the values of each partition column of a slice."""


@dataclass(slots=True)
class _TableState:
    """The emptied parts of one table.

    Attributes:
        slices: values by partition columns; no columns mean the whole table.
        unnamed: partitions as written, in dialects without column names there (DROP PARTITION '20240501').
        deletes: DELETE statements with a WHERE.
    """

    slices: dict[tuple[str, ...], set[_Values]] = field(default_factory=dict)
    unnamed: deque[str] = field(default_factory=lambda: deque(maxlen=_MAX_REMEMBERED))
    deletes: deque[Statement] = field(default_factory=lambda: deque(maxlen=_MAX_REMEMBERED))


class EmptiedTables:
    """The tables and slices that the statements recorded so far have emptied."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._tables: dict[str, dict[str, _TableState]] = {}

    def record(self, statement: Statement) -> None:
        """Record what `statement` empties."""
        for name in _replaced_tables(statement):
            self._add(name, {})
        for gone in statement.removals:
            if gone.what in _EMPTIES:
                self._remove(gone, self._whole(statement, gone.name))
        for write in statement.writes:
            table = self._whole(statement, write.table)
            if write.kind is WriteKind.DELETE and write.filtered:
                if sum(len(block.predicates) for block in statement.blocks) <= _MAX_REMEMBERED:
                    self._of(table).deletes.append(statement)
            elif write.kind is WriteKind.DELETE:
                self._add(table, {})
            elif write.kind in _REPLACES:
                self._add(table, self._texts(written_values(statement, write)))

    def covers(self, statement: Statement, write: Write) -> bool:
        """Whether everything that `write` writes was emptied before."""
        target = self._whole(statement, write.table)
        named = self._tables.get(table_key(target))
        if not named:
            return False
        mine = self._texts(written_values(statement, write))
        return any(
            self._script.same(name, target) and self._covered(table, mine, statement, write)
            for name, table in named.items()
        )

    def may_cover(self, statement: Statement, write: Write) -> bool:
        """Whether rows were deleted by a column for which `write` has values that are not constant.

        Whether it writes only the deleted slice is not known then. A dynamic partition has such values.
        """
        is_dynamic = any(item.value is None for item in write.partition)
        target = self._whole(statement, write.table)
        return any(
            self._script.same(name, target)
            and (
                (is_dynamic and bool(table.slices))
                or any(
                    self._deletes(earlier, statement, write, is_doubtful=True) for earlier in table.deletes
                )
            )
            for name, table in self._tables.get(table_key(target), {}).items()
        )

    def _covered(
        self, table: _TableState, mine: dict[str, frozenset[str]], statement: Statement, write: Write
    ) -> bool:
        for columns, slices in table.slices.items():
            if tuple(mine.get(column, frozenset()) for column in columns) in slices:
                return True
        code = self._script.code[statement.at.begin : statement.at.end]
        if any(partition in code for partition in table.unnamed):
            return True
        return any(self._deletes(earlier, statement, write) for earlier in reversed(table.deletes))

    def _whole(self, statement: Statement, table: str) -> str:
        return without_shard_suffix(table, statement.dialect or self._script.dialect)

    def _remove(self, gone: Removal, table: str) -> None:
        values: dict[str, frozenset[str]] = {}
        for item in gone.partition:
            if item.value is None or item.operator not in _WITH_IT:
                return
            values[item.column.lower()] = frozenset({operand_text(self._script, item.value)})
        if values or gone.what not in (RemovedKind.PARTITION, RemovedKind.DETACHED):
            self._add(table, values)
        elif found := _UNNAMED.search(self._script.code, gone.at.begin, gone.at.end):
            self._of(table).unnamed.append(found["value"])

    def _add(self, name: str, values: dict[str, frozenset[str]]) -> None:
        slices = self._of(name).slices
        if all(values.values()) and (tuple(values) in slices or not values or len(slices) < _MAX_REMEMBERED):
            slices.setdefault(tuple(values), set()).add(tuple(values.values()))

    def _of(self, name: str) -> _TableState:
        return self._tables.setdefault(table_key(name), {}).setdefault(name.lower(), _TableState())

    def _texts(self, values: dict[str, tuple[Operand, ...]]) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(operand_text(self._script, one) for one in ones) for name, ones in values.items()
        }

    def _deletes(
        self, earlier: Statement, statement: Statement, write: Write, *, is_doubtful: bool = False
    ) -> bool:
        """Whether a DELETE removes the rows that `write` replaces: it compares with no other values.

        With `is_doubtful`, values that are not constant may be those of the DELETE.
        """
        values = written_values(statement, write)
        for block in earlier.blocks:
            for predicate in block.predicates if block.role is Role.CHANGE else ():
                for operator, rights in comparisons_of(predicate, lambda _: True):
                    name = predicate.columns[0].key
                    mine = values.get(name) or written_value(statement, write, name, self._columns(write))
                    if is_doubtful:
                        mine = tuple(one for one in mine if one.sort in FILTERS)
                    written = {operand_text(self._script, one) for one in mine}
                    if (
                        operator is Operator.EQ
                        and mine
                        and written != {operand_text(self._script, rights[0])}
                    ):
                        return False
        return True

    def _columns(self, write: Write) -> Sequence[str]:
        known = self._script.context.table(write.table)
        return tuple(known.columns) if known is not None and not write.partition else ()


def _replaced_tables(statement: Statement) -> Iterator[str]:
    """Yield the tables that are recreated, and the new names of renamed tables."""
    for made in statement.creations:
        if _is_new(made):
            yield made.name
    for change in statement.alterations:
        if change.what is AlterKind.RENAME:
            yield from change.names


def _is_new(made: Creation) -> bool:
    return not made.exists or made.temporary
