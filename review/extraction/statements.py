"""Reads one statement as facts, by the type of its tree."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from review.context import Given
from review.dialects import Dialect
from review.extraction import writes
from review.extraction.alterations import alterations, renamed
from review.extraction.clause_order import misplaced
from review.extraction.definitions import creation, drops, resource, truncates
from review.extraction.queries import Variable, Walk
from review.extraction.scopes import NOTHING, Known
from review.extraction.source_text import Written
from review.facts import (
    Alteration,
    Clause,
    Creation,
    Gone,
    Made,
    Removal,
    Role,
    Setting,
    Span,
    Statement,
    Write,
)
from review.facts import Written as How
from review.parsing.ast_nodes import AlterTable, Assignment, Condition, Routine, TableCommand
from review.source.statement_splitter import Piece


@dataclass(slots=True)
class Knowledge:
    """What earlier statements have defined, and the review's context.

    Attributes:
        until: when to stop reading, by `time.monotonic()`.
        variables: queries that script mode has named so far.
    """

    dialect: Dialect
    given: Given
    until: float = math.inf
    variables: dict[str, Variable] = field(default_factory=dict)
    _tables: dict[str, Known] = field(default_factory=dict)
    _created: dict[str, Known] = field(default_factory=dict)
    _keyed: set[str] = field(default_factory=set)

    def table(self, name: str) -> Known:
        """Return the known columns of a table."""
        key = name.lower()
        if (known := self._tables.get(key)) is None:
            known = self._tables[key] = self._known(key)
        return known

    def keyed(self, name: str) -> bool:
        """Whether a table is known to have a primary key."""
        table = self.given.table(name)
        return bool(table and table.keys) or name.lower() in self._keyed

    def learn(self, made: Statement) -> None:
        """Record what a statement creates."""
        for item in made.creations:
            if item.what is not Made.TABLE:
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
            self._created[key] = self.table(item.like) if item.like else Known(names, whole)
            if item.keys:
                self._keyed.add(key)

    def _known(self, key: str) -> Known:
        table = self.given.table(key)
        if table is not None:
            return Known(frozenset((*table.columns, *table.partitions)), bool(table.columns))
        return self._created.get(key, NOTHING)


@dataclass(slots=True)
class _Done:
    writes: list[Write] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    creations: list[Creation] = field(default_factory=list)
    alterations: list[Alteration] = field(default_factory=list)


def statement(piece: Piece, text: Written, tree: exp.Expr, knowledge: Knowledge) -> Statement:
    """Read a statement that has a tree.

    Raises:
        ReviewTimeout: `knowledge.until` has passed.
    """
    walk = Walk(text, knowledge.dialect, knowledge.table, knowledge.variables, knowledge.until)
    done = _Done()
    _read(tree, walk, knowledge, done)
    blocks, ctes, unions = walk.done()
    return Statement(
        text.at,
        piece.verb,
        piece.bare,
        blocks=blocks,
        ctes=ctes,
        unions=unions,
        writes=tuple(done.writes),
        removals=tuple(done.removals),
        creations=tuple(done.creations),
        alterations=tuple(done.alterations),
        misplaced=tuple(misplaced(tree, text, knowledge.dialect)),
    )


def _read(tree: exp.Expr, walk: Walk, knowledge: Knowledge, done: _Done) -> None:
    done.writes += _writes(tree, walk, knowledge)
    match tree:
        case exp.Query():
            walk.query(tree, Role.RESULT)
            _into(tree, walk, done)
        case exp.Create():
            _create(tree, walk, done)
        case exp.Drop():
            done.removals += drops(tree, walk)
        case exp.TruncateTable():
            done.removals += truncates(tree, walk)
        case AlterTable():
            _alter(tree, walk, done)
        case Assignment() if isinstance(rows := tree.args.get("expression"), (exp.Query, exp.Table)):
            walk.query(rows, Role.RESULT)
        case TableCommand():
            _command(tree, walk, done)
        case exp.Command() if tree.name.upper() == "RENAME":
            done.alterations += renamed(walk.text)
        case Condition():
            frame = walk.frame()
            frame.clause = Clause.WHERE
            frame.compare(tree.this, frame)
        case _:
            pass


def _writes(  # noqa: PLR0911 - one return per kind of statement
    tree: exp.Expr, walk: Walk, knowledge: Knowledge
) -> Iterable[Write]:
    match tree:
        case exp.Insert():
            return (writes.insert(tree, walk, knowledge.keyed),)
        case exp.MultitableInserts():
            return writes.inserts(tree, walk, knowledge.keyed)
        case exp.Update():
            return (writes.update(tree, walk),)
        case exp.Delete():
            return writes.delete(tree, walk)
        case exp.Merge():
            return (writes.merge(tree, walk),)
        case exp.LoadData():
            return (writes.load(tree, walk),)
    return ()


def _create(tree: exp.Expr, walk: Walk, done: _Done) -> None:
    made = creation(tree, walk)
    done.creations.append(made)
    walk.with_(tree)
    query = tree.this.args.get("body") if isinstance(tree.this, Routine) else tree.args.get("expression")
    if isinstance(query, exp.Query):
        blocks = walk.query(query, Role.RESULT)
        if made.what is Made.TABLE:
            done.writes.append(Write(made.at, How.CREATE, made.name, blocks=blocks))


def _command(tree: TableCommand, walk: Walk, done: _Done) -> None:
    """Read UNLOAD as its query, and CLONE as the creation of a table like another."""
    table, target = tree.this, tree.args.get("target")
    if isinstance(target, exp.Table):
        at, name = writes.table_at(target, walk), walk.text.name(target)
        done.creations.append(Creation(at, Made.TABLE, name, like=walk.text.name(table)))
        done.writes.append(Write(at, How.OVERWRITE if tree.args.get("overwrite") else How.CREATE, name))
    elif isinstance(table, exp.Table) and tree.args["verb"] == "UNLOAD":
        for partition in tree.args.get("partitions") or ():
            table.set("partition", partition)
        walk.query(exp.Select(from_=exp.From(this=table)), Role.RESULT)
    elif isinstance(table, exp.Query):
        walk.query(table, Role.RESULT)


def _into(tree: exp.Expr, walk: Walk, done: _Done) -> None:
    """Read `SELECT … INTO t`."""
    into = tree.args.get("into")
    if isinstance(into, exp.Expr) and isinstance(into.this, exp.Table):
        at = writes.table_at(into.this, walk)
        name = walk.text.name(into.this)
        done.creations.append(Creation(at, Made.TABLE, name, queried=True))
        done.writes.append(Write(at, How.CREATE, name, blocks=walk.query(tree, Role.RESULT)))


def _alter(tree: AlterTable, walk: Walk, done: _Done) -> None:
    for item in alterations(tree, walk):
        if isinstance(item, Removal):
            done.removals.append(item)
        else:
            done.alterations.append(item)
    for action in tree.args.get("actions") or ():
        if isinstance(query := action.args.get("value"), exp.Query):
            walk.query(query, Role.RESULT)


_SET = re.compile(r"set\s+(?P<name>[^\s=]+)\s*=\s*(?P<value>.*)", re.IGNORECASE | re.DOTALL)
_PURGE = re.compile(r"purge\s+table\s+(?P<name>[^\s;(]+)", re.IGNORECASE)


def client(code: str, piece: Piece) -> Statement:
    """Read a client command: the setting it sets, the resource it adds, or what it purges."""
    end = piece.start + len(piece.text)
    at, setting = Span(piece.start, end), None
    if match := _SET.match(piece.text):
        begin = piece.start + match.start("value")
        setting = Setting(at, match["name"].lower(), code[begin : begin + len(match["value"])].strip())
    made = resource(piece.text, piece.start)
    removals = tuple(_purged(piece))
    return Statement(
        at, piece.verb, piece.bare, setting=setting, creations=(made,) if made else (), removals=removals
    )


def _purged(piece: Piece) -> Iterator[Removal]:
    if match := _PURGE.match(piece.text):
        yield Removal(Span(piece.start, piece.start + match.end()), Gone.BACKUP, match["name"].strip("`"))
