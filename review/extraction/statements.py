"""Reads one statement as facts, by the type of its tree."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from review.context import ReviewContext
from review.dialects import Dialect
from review.extraction import writes
from review.extraction.alterations import exchanged_tables, extract_alterations, renamed_table
from review.extraction.clause_order import find_misplaced_clause
from review.extraction.definitions import extract_creation, extract_drops, extract_truncates, parse_resource
from review.extraction.queries import QueryWalker, TableVariable
from review.extraction.scopes import NOTHING, KnownColumns
from review.extraction.source_text import SourceText
from review.facts import (
    Alteration,
    Clause,
    CreatedKind,
    Creation,
    Removal,
    RemovedKind,
    Role,
    SessionSetting,
    Span,
    Statement,
    Write,
)
from review.facts import WriteKind as How
from review.parsing.ast_nodes import AlterTable, Assignment, Condition, Routine, TableCommand
from review.source.statement_splitter import StatementText


@dataclass(slots=True)
class ScriptState:
    """What earlier statements have defined, and the review's context.

    Attributes:
        deadline: when to stop reading, by `time.monotonic()`.
        variables: queries that script mode has named so far.
    """

    dialect: Dialect
    context: ReviewContext
    deadline: float = math.inf
    variables: dict[str, TableVariable] = field(default_factory=dict)
    _tables: dict[str, KnownColumns] = field(default_factory=dict)
    _created: dict[str, KnownColumns] = field(default_factory=dict)
    _keyed: set[str] = field(default_factory=set)

    def table(self, name: str) -> KnownColumns:
        """Return the known columns of a table."""
        key = name.lower()
        if (known := self._tables.get(key)) is None:
            known = self._tables[key] = self._known(key)
        return known

    def keyed(self, name: str) -> bool:
        """Whether a table is known to have a primary key."""
        table = self.context.table(name)
        return bool(table and table.keys) or name.lower() in self._keyed

    def learn(self, made: Statement) -> None:
        """Record what a statement creates."""
        for item in made.creations:
            if item.what is not CreatedKind.TABLE:
                continue
            key = item.name.lower()
            self._tables.pop(key, None)
            names = frozenset(column.name.lower() for column in (*item.columns, *item.partitions))
            whole = bool(item.columns) and not item.like
            if item.queried and not item.columns:
                outputs = next(
                    (made.blocks[write.blocks[0]].outputs for write in made.writes if write.blocks), ()
                )
                names |= frozenset(output.name.lower() for output in outputs if output.name)
                whole = bool(outputs) and all(output.name for output in outputs)
            self._created[key] = self.table(item.like) if item.like else KnownColumns(names, whole)
            if item.keys:
                self._keyed.add(key)

    def _known(self, key: str) -> KnownColumns:
        table = self.context.table(key)
        if table is not None:
            return KnownColumns(frozenset((*table.columns, *table.partitions)), bool(table.columns))
        return self._created.get(key, NOTHING)


@dataclass(slots=True)
class _Effects:
    writes: list[Write] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    creations: list[Creation] = field(default_factory=list)
    alterations: list[Alteration] = field(default_factory=list)


def extract_statement(
    piece: StatementText, text: SourceText, tree: exp.Expr, knowledge: ScriptState
) -> Statement:
    """Read a statement that has a tree.

    Raises:
        ReviewTimeout: `knowledge.until` has passed.
    """
    walk = QueryWalker(text, knowledge.dialect, knowledge.table, knowledge.variables, knowledge.deadline)
    done = _Effects()
    _read(tree, walk, knowledge, done)
    blocks, ctes, unions = walk.done()
    return Statement(
        text.at,
        piece.verb,
        piece.stripped,
        blocks=blocks,
        ctes=ctes,
        unions=unions,
        writes=tuple(done.writes),
        removals=tuple(done.removals),
        creations=tuple(done.creations),
        alterations=tuple(done.alterations),
        misplaced=tuple(find_misplaced_clause(tree, text, knowledge.dialect)),
    )


def _read(tree: exp.Expr, walk: QueryWalker, knowledge: ScriptState, done: _Effects) -> None:
    done.writes += _writes(tree, walk, knowledge)
    match tree:
        case exp.Query():
            walk.query(tree, Role.RESULT)
            _into(tree, walk, done)
        case exp.Create():
            _create(tree, walk, done)
        case exp.Drop():
            done.removals += extract_drops(tree, walk)
        case exp.TruncateTable():
            done.removals += extract_truncates(tree, walk)
        case AlterTable():
            _alter(tree, walk, done)
        case Assignment() if isinstance(rows := tree.args.get("expression"), (exp.Query, exp.Table)):
            walk.query(rows, Role.RESULT)
        case TableCommand():
            _command(tree, walk, done)
        case exp.Command() if tree.name.upper() == "RENAME":
            done.alterations += renamed_table(walk.text)
        case exp.Command() if tree.name.upper() == "EXCHANGE":
            done.alterations += exchanged_tables(walk.text)
        case Condition():
            frame = walk.frame()
            frame.clause = Clause.WHERE
            frame.compare(tree.this, frame)
        case _:
            pass


def _writes(  # noqa: PLR0911 - one return per kind of statement
    tree: exp.Expr, walk: QueryWalker, knowledge: ScriptState
) -> Iterable[Write]:
    match tree:
        case exp.Insert():
            return (writes.extract_insert(tree, walk, knowledge.keyed),)
        case exp.MultitableInserts():
            return writes.extract_multi_insert(tree, walk, knowledge.keyed)
        case exp.Update():
            return writes.extract_update(tree, walk)
        case exp.Delete():
            return writes.extract_delete(tree, walk)
        case exp.Merge():
            return (writes.extract_merge(tree, walk),)
        case exp.LoadData():
            return (writes.extract_load(tree, walk),)
    return ()


def _create(tree: exp.Expr, walk: QueryWalker, done: _Effects) -> None:
    made = extract_creation(tree, walk)
    done.creations.append(made)
    walk.with_(tree)
    query = tree.this.args.get("body") if isinstance(tree.this, Routine) else tree.args.get("expression")
    if isinstance(query, exp.Query):
        blocks = walk.query(query, Role.RESULT)
        if made.what is CreatedKind.TABLE:
            done.writes.append(Write(made.at, How.CREATE, made.name, blocks=blocks))


def _command(tree: TableCommand, walk: QueryWalker, done: _Effects) -> None:
    """Read UNLOAD as its query, and CLONE as the creation of a table like another."""
    table, target = tree.this, tree.args.get("target")
    if isinstance(target, exp.Table):
        at, name = writes.table_at(target, walk), walk.text.name(target)
        done.creations.append(Creation(at, CreatedKind.TABLE, name, like=walk.text.name(table)))
        done.writes.append(Write(at, How.OVERWRITE if tree.args.get("overwrite") else How.CREATE, name))
    elif isinstance(table, exp.Table) and tree.args["verb"] == "UNLOAD":
        for partition in tree.args.get("partitions") or ():
            table.set("partition", partition)
        walk.query(exp.Select(from_=exp.From(this=table)), Role.RESULT)
    elif isinstance(table, exp.Query):
        walk.query(table, Role.RESULT)


def _into(tree: exp.Expr, walk: QueryWalker, done: _Effects) -> None:
    """Read `SELECT … INTO t`."""
    into = tree.args.get("into")
    if isinstance(into, exp.Expr) and isinstance(into.this, exp.Table):
        at = writes.table_at(into.this, walk)
        name = walk.text.name(into.this)
        done.creations.append(Creation(at, CreatedKind.TABLE, name, queried=True))
        done.writes.append(Write(at, How.CREATE, name, blocks=walk.query(tree, Role.RESULT)))


def _alter(tree: AlterTable, walk: QueryWalker, done: _Effects) -> None:
    for item in extract_alterations(tree, walk):
        if isinstance(item, Removal):
            done.removals.append(item)
        else:
            done.alterations.append(item)
    for action in tree.args.get("actions") or ():
        if isinstance(query := action.args.get("value"), exp.Query):
            walk.query(query, Role.RESULT)


_SET = re.compile(r"set\s+(?P<name>[^\s=]+)\s*=\s*(?P<value>.*)", re.IGNORECASE | re.DOTALL)
_PURGE = re.compile(r"purge\s+table\s+(?P<name>[^\s;(]+)", re.IGNORECASE)


def client_statement(code: str, piece: StatementText) -> Statement:
    """Read a client command: the setting it sets, the resource it adds, or what it purges."""
    end = piece.start + len(piece.text)
    at, setting = Span(piece.start, end), None
    if match := _SET.match(piece.text):
        begin = piece.start + match.start("value")
        setting = SessionSetting(at, match["name"].lower(), code[begin : begin + len(match["value"])].strip())
    made = parse_resource(piece.text, piece.start)
    removals = tuple(_purge_removal(piece))
    return Statement(
        at, piece.verb, piece.stripped, setting=setting, creations=(made,) if made else (), removals=removals
    )


def _purge_removal(piece: StatementText) -> Iterator[Removal]:
    if match := _PURGE.match(piece.text):
        yield Removal(
            Span(piece.start, piece.start + match.end()), RemovedKind.BACKUP, match["name"].strip("`")
        )
