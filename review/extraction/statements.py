"""Reads one statement as facts, by the type of its tree."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from common.errors import DwgateError
from review.context import ReviewContext
from review.dialects import Dialect
from review.extraction import writes
from review.extraction.alterations import (
    exchanged_tables,
    extract_alterations,
    renamed_by_call,
    renamed_table,
)
from review.extraction.clause_order import find_misplaced_clause
from review.extraction.definitions import (
    extract_creation,
    extract_drops,
    extract_truncates,
    materialized_into,
    parse_resource,
)
from review.extraction.queries import QueryWalker, TableVariable
from review.extraction.scopes import NOTHING, KnownColumns
from review.extraction.source_text import SourceText
from review.facts import (
    Alteration,
    Clause,
    CreatedKind,
    Creation,
    ReadAs,
    Removal,
    RemovedKind,
    Role,
    SessionSetting,
    Span,
    Statement,
    Write,
)
from review.facts import WriteKind as How
from review.parsing.ast_nodes import (
    AlterTable,
    Assignment,
    Compound,
    Condition,
    Definition,
    Explain,
    HarmlessStatement,
    Routine,
    TableCommand,
)
from review.source.statement_splitter import StatementText


@dataclass(slots=True)
class ScriptState:
    """What earlier statements have defined, and the review's context.

    Attributes:
        deadline: when to stop reading, by `time.monotonic()`.
        variables: queries that script mode has named so far.
        unused: names of those that no statement has read since they were named.
    """

    dialect: Dialect
    context: ReviewContext
    deadline: float = math.inf
    variables: dict[str, TableVariable] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
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
    read: set[int] = field(default_factory=set)
    """Identities of the nodes that were read as statements."""


EFFECTS_UNKNOWN = "its effects on data are not known"


class UnreadError(DwgateError):
    """A statement was parsed, but what it does to data is not known."""


def extract_statement(
    piece: StatementText, text: SourceText, tree: exp.Expr, knowledge: ScriptState
) -> Statement:
    """Read a statement that has a tree.

    Raises:
        ReviewTimeout: `knowledge.until` has passed.
        UnreadError: the effects of the statement, or of one within it, are not known.
    """
    walk = QueryWalker(text, knowledge.dialect, knowledge.table, knowledge.variables, knowledge.deadline)
    done = _Effects()
    read_as = _read(tree, walk, knowledge, done)
    for change, visible in walk.changes:
        walk.ctes = visible
        _read(change, walk, knowledge, done)
    _require_all_read(piece, tree, done)
    if read_as is ReadAs.FACTS:
        _read_other_queries(piece, tree, walk)
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
        read_as=read_as,
    )


_CHANGES = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.MultitableInserts,
    exp.LoadData,
    exp.Copy,
    exp.Create,
    exp.Drop,
    exp.TruncateTable,
    exp.Command,
    AlterTable,
    TableCommand,
)
"""Nodes of statements with effects, wherever they occur in a tree."""
_CHANGE_WORD = re.compile(
    r"\b(?:insert|update|delete|merge|replace|truncate|create|alter|drop|load|copy|unload|clone|purge)\b",
    re.IGNORECASE,
)


def _require_all_read(piece: StatementText, tree: exp.Expr, done: _Effects) -> None:
    """Require that every statement within the tree was read.

    Raises:
        UnreadError: one was not.
    """
    words = _CHANGE_WORD.finditer(piece.stripped)
    if next(words, None) is None or next(words, None) is None:
        return  # at most the statement itself
    for node in tree.find_all(*_CHANGES):
        if id(node) not in done.read and not isinstance(node.parent, exp.When):
            raise UnreadError("a statement within it is not reviewed")


def _read_other_queries(piece: StatementText, tree: exp.Expr, walk: QueryWalker) -> None:
    """Read the queries in parts of a statement that nothing else reads, such as VALUES and ON CONFLICT."""
    if sum(1 for _ in _SELECT_WORD.finditer(piece.stripped)) <= len(walk.selects):
        return
    for query in tree.find_all(exp.Select):
        if id(query) not in walk.selects:
            walk.query(query, Role.SCALAR)


_SELECT_WORD = re.compile(r"\bselect\b", re.IGNORECASE)


def _read(tree: exp.Expr, walk: QueryWalker, knowledge: ScriptState, done: _Effects) -> ReadAs:
    """Read a statement into `done`, and return what is known of it.

    Raises:
        UnreadError: its kind is not known.
    """
    done.read.add(id(tree))
    if (written := _writes(tree, walk, knowledge, done)) is not None:
        done.writes += written
        return ReadAs.FACTS
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
        case _:
            return _read_other(tree, walk, knowledge, done)
    return ReadAs.FACTS


def _read_other(tree: exp.Expr, walk: QueryWalker, knowledge: ScriptState, done: _Effects) -> ReadAs:
    """Read a statement that changes no rows itself; its queries are read.

    Raises:
        UnreadError: its kind is not known.
    """
    read_as = _OTHER.get(type(tree))
    if type(tree) is exp.Command:
        read_as = _command_kind(tree, walk, done)
    elif isinstance(tree, exp.Execute):
        done.alterations += renamed_by_call(walk.text)
    elif isinstance(tree, Explain) and isinstance(tree.this, exp.Expr):
        if _EXECUTES.match(walk.text.author(*walk.text.at)):
            return _read(tree.this, walk, knowledge, done)
        done.read |= {id(node) for node in tree.find_all(*_CHANGES)}
        return ReadAs.NO_EFFECT
    elif isinstance(tree, Condition):
        frame = walk.frame()
        frame.clause = Clause.WHERE
        frame.compare(tree.this, frame)
        return ReadAs.PARTS
    elif isinstance(tree, Definition) and tree.args["verb"] == "CREATE" and tree.args["kind"] in _ACTIVE:
        read_as = None
    if read_as is None:
        raise UnreadError(EFFECTS_UNKNOWN)
    for query in _outermost_queries(tree):
        walk.query(query, Role.RESULT)
    return read_as


_EXECUTES = re.compile(r"explain\b[^;]{0,60}?\banaly[sz]e\b", re.IGNORECASE)
"""EXPLAIN that executes the statement (Postgres, MySQL, Presto: "EXPLAIN ANALYZE")."""
_OTHER: dict[type[exp.Expr], ReadAs] = {
    HarmlessStatement: ReadAs.NO_EFFECT,
    Compound: ReadAs.PARTS,
    Routine: ReadAs.FACTS,
    exp.Execute: ReadAs.CALL,
    exp.ExecuteSql: ReadAs.CALL,
    Assignment: ReadAs.NO_EFFECT,
    Definition: ReadAs.NO_EFFECT,
    exp.Set: ReadAs.NO_EFFECT,
    exp.Use: ReadAs.NO_EFFECT,
    exp.Declare: ReadAs.NO_EFFECT,
    exp.Transaction: ReadAs.NO_EFFECT,
    exp.Commit: ReadAs.NO_EFFECT,
    exp.Rollback: ReadAs.NO_EFFECT,
    exp.Comment: ReadAs.NO_EFFECT,
    exp.Analyze: ReadAs.NO_EFFECT,
    exp.Describe: ReadAs.NO_EFFECT,
    exp.Show: ReadAs.NO_EFFECT,
    exp.Pragma: ReadAs.NO_EFFECT,
    exp.Refresh: ReadAs.NO_EFFECT,
    exp.Cache: ReadAs.FACTS,
    exp.Uncache: ReadAs.NO_EFFECT,
    exp.Grant: ReadAs.NO_EFFECT,
    exp.Revoke: ReadAs.NO_EFFECT,
    exp.Kill: ReadAs.NO_EFFECT,
    exp.Attach: ReadAs.NO_EFFECT,
    exp.Detach: ReadAs.NO_EFFECT,
    exp.Values: ReadAs.NO_EFFECT,
    exp.Return: ReadAs.NO_EFFECT,
}
"""What is known of a statement by the type of its tree."""
_ACTIVE = frozenset({"EVENT", "JOB", "RULE", "PACKAGE"})
"""Kinds of objects that run statements of their own."""
_COMMANDS = {
    **dict.fromkeys(("CALL", "EXEC", "EXECUTE"), ReadAs.CALL),
    "PREPARE": ReadAs.PARTS,
}
"""What is known of a statement without a tree of its own, by its first word."""


def _command_kind(tree: exp.Expr, walk: QueryWalker, done: _Effects) -> ReadAs | None:
    verb = tree.name.upper().partition(" ")[0]
    if verb in ("RENAME", "EXCHANGE"):
        done.alterations += (renamed_table if verb == "RENAME" else exchanged_tables)(walk.text)
        return ReadAs.FACTS
    if verb == "COPY" and (copied := _COPY.match(walk.text.author(*walk.text.at))):
        if copied["way"].lower() == "from":
            done.writes.append(Write(walk.text.at, How.LOAD, copied["name"].replace('"', "")))
        return ReadAs.FACTS
    return _COMMANDS.get(verb)


_COPY = re.compile(r"copy\s+(?P<name>[^\s()]+)\s*(?:\([^()]*\)\s*)?(?P<way>from|to)\b", re.IGNORECASE)
"""A COPY with options that the parser does not know."""


def _outermost_queries(tree: exp.Expr) -> Iterator[exp.Expr]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Query) and not isinstance(node, exp.Table):
            yield node
        else:
            waiting += node.iter_expressions(reverse=True)


def _writes(
    tree: exp.Expr, walk: QueryWalker, knowledge: ScriptState, done: _Effects
) -> Iterable[Write] | None:
    """Read a statement that writes rows; None if it is no such statement."""
    written = _changed_rows(tree, walk, knowledge, done)
    return None if written is None else (*written, *writes.extract_output(tree, walk))


def _changed_rows(  # noqa: PLR0911 - one return per kind of statement
    tree: exp.Expr, walk: QueryWalker, knowledge: ScriptState, done: _Effects
) -> Iterable[Write] | None:
    match tree:
        case exp.Insert():
            return (writes.extract_insert(tree, walk, knowledge.keyed),)
        case exp.MultitableInserts():
            done.read |= {id(node) for node in tree.find_all(exp.Insert)}
            return writes.extract_multi_insert(tree, walk, knowledge.keyed)
        case exp.Update():
            return writes.extract_update(tree, walk)
        case exp.Delete():
            return writes.extract_delete(tree, walk)
        case exp.Merge():
            return (writes.extract_merge(tree, walk),)
        case exp.LoadData():
            return (writes.extract_load(tree, walk),)
        case exp.Copy():
            return writes.extract_copy(tree, walk)
    return None


def _create(tree: exp.Expr, walk: QueryWalker, done: _Effects) -> None:
    made = extract_creation(tree, walk)
    done.creations.append(made)
    walk.with_(tree)
    query = tree.this.args.get("body") if isinstance(tree.this, Routine) else tree.args.get("expression")
    if isinstance(query, exp.Query):
        blocks = walk.query(query, Role.RESULT)
        if made.what is CreatedKind.TABLE:
            done.writes.append(Write(made.at, How.CREATE, made.name, blocks=blocks))
        if isinstance(target := materialized_into(tree), exp.Table):
            at = writes.table_at(target, walk)
            done.writes.append(Write(at, How.VIEW, walk.text.name(target), blocks=blocks))


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
    if piece.verb == "SOURCE":
        return Statement(at, piece.verb, piece.stripped, EFFECTS_UNKNOWN)  # it runs a file
    made = parse_resource(piece.text, piece.start)
    removals = tuple(_purge_removal(piece))
    return Statement(
        at,
        piece.verb,
        piece.stripped,
        setting=setting,
        creations=(made,) if made else (),
        removals=removals,
        read_as=ReadAs.FACTS if made or removals else ReadAs.NO_EFFECT,
    )


def _purge_removal(piece: StatementText) -> Iterator[Removal]:
    if match := _PURGE.match(piece.text):
        yield Removal(
            Span(piece.start, piece.start + match.end()), RemovedKind.BACKUP, match["name"].strip("`")
        )
