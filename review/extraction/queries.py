"""Reads nested queries in one walk: each SELECT becomes a block."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from review.dialects import Dialect
from review.errors import ReviewTimeout
from review.extraction.block_state import BlockState, ExpressionInfo
from review.extraction.blocks import BlockPosition, extract_block, limit_of, order_of
from review.extraction.expressions.expressions import visit
from review.extraction.expressions.predicates import extract_predicates
from review.extraction.pivots import pivoted_columns
from review.extraction.scopes import NOTHING, KnownColumns, QueryScope
from review.extraction.source_text import SourceText
from review.extraction.sources import NamedSource, SourceReader
from review.facts import CTE, EVERY_COLUMN, Block, Clause, Role, Span, StarChanges, Union

_AFTER = frozenset({Clause.GROUP, Clause.HAVING, Clause.QUALIFY, Clause.ORDER})
_ALIASES_SEEN = {
    Dialect.CLICKHOUSE: _AFTER | {Clause.OUTPUT, Clause.WHERE},
    Dialect.SPARK: _AFTER | {Clause.OUTPUT},
    Dialect.REDSHIFT: _AFTER | {Clause.OUTPUT},
}
_NAMES_RESULTS = frozenset({Dialect.POSTGRES, Dialect.HOLOGRES, Dialect.REDSHIFT})
"""Dialects in which an output without an alias has the name of its column or function: `a::date` is `a`."""
_SET_OPERATION = r"\b(?:union|intersect|except|minus)(?:\s+(?:all|distinct))?\b"
_CORRELATED = frozenset({Role.EXISTS, Role.IN, Role.SCALAR})
_MAX_UNIONS = 200
"""Maximum set operations in a row that each list all their branches; of more, only the last does."""


@dataclass(frozen=True, slots=True)
class TableVariable:
    """A query named by script mode (`@v := SELECT …`).

    Attributes:
        others: earlier queries of the same name that no statement has read: those of other branches of an IF.
    """

    text: SourceText
    tree: exp.Expr
    others: tuple[TableVariable, ...] = ()


@dataclass(slots=True)
class QueryWalker:
    """One statement while it is read: the blocks, CTEs and unions found so far.

    Attributes:
        table: returns the known columns of a table.
        variables: queries that the script has named so far, by name in lower case, `@` included.
        deadline: when to stop, by `time.monotonic()`.
        constants: names in lower case that WITH gives to expressions.
        selects: identities of the SELECTs that have been read.
        changes: INSERT, UPDATE and DELETE in WITH, each with the CTEs that it sees; they are not read here.
    """

    text: SourceText
    dialect: Dialect
    table: Callable[[str], KnownColumns]
    variables: Mapping[str, TableVariable] = field(default_factory=dict)
    deadline: float = math.inf
    blocks: list[Block | None] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    unions: list[Union] = field(default_factory=list)
    named: list[NamedSource] = field(default_factory=list)
    shared: dict[int, tuple[int, ...]] = field(default_factory=dict)
    shapes: dict[int, KnownColumns] = field(default_factory=dict)
    ctes: dict[str, NamedSource] = field(default_factory=dict)
    variables_read: dict[str, NamedSource] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    changes: list[tuple[exp.Expr, dict[str, NamedSource]]] = field(default_factory=list)
    selects: set[int] = field(default_factory=set)
    parent: int | None = None

    def frame(self, scope: QueryScope | None = None) -> BlockState:
        """Return a frame for expressions; without a scope, for expressions outside any block."""
        return BlockState(
            self.text,
            scope or QueryScope(-1),
            self._of_expression,
            extract_predicates,
            self.span_of,
            visit,
            aliases_seen=_ALIASES_SEEN.get(self.dialect, _AFTER),
            constants=self.constants,
        )

    def done(self) -> tuple[tuple[Block, ...], tuple[CTE, ...], tuple[Union, ...]]:
        """Return the blocks, CTEs and unions that were found."""
        ctes = tuple(CTE(item.at, item.name, item.blocks, item.uses) for item in self.named)
        return tuple(block for block in self.blocks if block is not None), ctes, tuple(self.unions)

    def query(self, node: exp.Expr, role: Role, outer: QueryScope | None = None) -> tuple[int, ...]:
        """Read a query; return the indexes of the blocks that produce its rows."""
        if (known := self.shared.get(id(node))) is not None:
            return known
        if time.monotonic() > self.deadline:
            raise ReviewTimeout
        ctes, constants = self.ctes, self.constants
        indexes = self._query(node, role, outer)
        self.ctes, self.constants = ctes, constants
        self.shared[id(node)] = indexes
        return indexes

    def span_of(self, indexes: tuple[int, ...]) -> Span | None:
        """Return the span that blocks cover; None without blocks."""
        spans = [block.at for index in indexes if (block := self.blocks[index]) is not None]
        return Span(min(spans).begin, max(span.end for span in spans)) if spans else None

    def shape(self, indexes: tuple[int, ...]) -> KnownColumns:
        """Return the known output columns of blocks."""
        block = self.blocks[indexes[0]] if indexes else None
        if block is None:
            return NOTHING
        if (known := self.shapes.get(indexes[0])) is None:
            known = self.shapes[indexes[0]] = self._shape(block)
        return known

    def _shape(self, block: Block) -> KnownColumns:
        names: set[str] = set()
        whole = True
        for output in block.outputs:
            if output.star:
                inner = self._starred(block, output.qualifier.lower())
                names |= _selected(inner.names, output.changes)
                whole = whole and inner.whole and output.changes.is_known
            elif output.name:
                names.add(output.name.lower())
            elif self.dialect in _NAMES_RESULTS:
                whole = False
        return KnownColumns(frozenset(names), whole)

    def _starred(self, block: Block, qualifier: str) -> KnownColumns:
        names: set[str] = set()
        whole = True
        for source in block.sources:
            if qualifier and source.alias.lower() != qualifier:
                continue
            if source.columns:
                own = KnownColumns(frozenset(name.lower() for name in source.columns), whole=True)
            else:
                own = self.shape(source.blocks) if source.blocks else self.table(source.table)
                own = pivoted_columns(own, source.pivots)
            names |= own.names
            whole = whole and own.whole
        return KnownColumns(frozenset(names), whole and bool(names))

    def _of_expression(self, node: exp.Expr, role: Role, frame: BlockState) -> tuple[int, ...]:
        return self.query(node, role, frame.scope if role in _CORRELATED else None)

    def _query(self, node: exp.Expr, role: Role, outer: QueryScope | None) -> tuple[int, ...]:
        extra: list[exp.Expr] = []
        while isinstance(node, (exp.Subquery, exp.Paren)):
            extra.append(node)
            if node.args.get("with_"):
                self.with_(node)
            node = node.this
        if isinstance(node, exp.SetOperation):
            return self._union(node, role, outer)
        if isinstance(node, exp.Select):
            return (self._select(node, role, outer, extra),)
        if isinstance(node, exp.Table):
            # `TABLE t`, `FROM t`: all of its rows.
            return (
                self._select(
                    exp.Select(expressions=[exp.Star()], from_=exp.From(this=node)), role, outer, extra
                ),
            )
        return ()

    def with_(self, node: exp.Expr) -> None:
        """Read the WITH of `node`; its names are visible until the end of the query that is being read."""
        clause = node.args.get("with_")
        if not isinstance(clause, exp.With):
            return
        self.ctes = dict(self.ctes)
        for cte in clause.expressions:
            self._cte(cte, recursive=bool(clause.recursive))

    def _cte(self, cte: exp.Expr, *, recursive: bool) -> None:
        alias = cte.args.get("alias")
        if not isinstance(alias, exp.TableAlias) or not isinstance(cte.this, exp.Expr):
            return
        if not isinstance(cte.this, (exp.Query, exp.Values)) and not cte.args.get("scalar"):
            self.changes.append((cte.this, dict(self.ctes)))
        if cte.args.get("scalar"):
            frame = self.frame()
            frame.visit(cte.this, frame, ExpressionInfo())
            self.constants |= {alias.name.lower()}
            return
        span = self.text.span(alias.this) if isinstance(alias.this, exp.Expr) else None
        listed = tuple(column.name for column in alias.columns)
        named = NamedSource(span or self.text.at, alias.name, listed=listed)
        self.named.append(named)
        if recursive:
            self.ctes[alias.name.lower()] = named
        named.blocks = self.query(cte.this, Role.CTE)
        named.columns = self.shape(named.blocks)
        if listed:
            named.columns = KnownColumns(frozenset(name.lower() for name in listed), whole=True)
        self.ctes[alias.name.lower()] = named

    def _find(self, name: str) -> NamedSource | None:
        if (known := self.ctes.get(name)) is not None:
            return known
        if (known := self.variables_read.get(name)) is not None:
            return known
        variable = self.variables.get(name)
        if variable is None:
            return None
        named = NamedSource(variable.text.at, name)
        self.named.append(named)
        self.variables_read[name] = named
        ctes, self.ctes = self.ctes, {}
        text, parent, self.parent = self.text, self.parent, None
        for one in (variable, *variable.others):
            self.text = one.text
            named.blocks += self.query(one.tree, Role.CTE)
        named.columns = self.shape(named.blocks)
        self.text, self.parent, self.ctes = text, parent, ctes
        return named

    def _union(self, node: exp.Expr, role: Role, outer: QueryScope | None) -> tuple[int, ...]:
        operations: list[exp.Expr] = []
        while isinstance(node, exp.SetOperation):
            operations.append(node)
            self.with_(node)
            node = node.this
        indexes = list(self.query(node, role, outer))
        for number, operation in enumerate(reversed(operations), 1):
            right = self.query(operation.expression, role, outer)
            before, whole = indexes[-1:], number < _MAX_UNIONS or number == len(operations)
            indexes += right
            self._joined(operation, tuple(before), right, tuple(indexes) if whole else right)
        return tuple(indexes)

    def _joined(
        self, node: exp.Expr, left: tuple[int, ...], right: tuple[int, ...], whole: tuple[int, ...]
    ) -> None:
        before, after = self.span_of(left[-1:]), self.span_of(right[-1:])
        begin, end = self.text.begin(node), before.end if before else self.text.at.begin
        at = self.text.search(_SET_OPERATION, end if begin is None else begin)
        frame = self.frame(QueryScope(-1))
        frame.end = after.end if after else end
        order = order_of(node, frame)
        distinct = node.args.get("distinct")
        self.unions.append(
            Union(
                at or Span(end, end),
                node.key,
                distinct is not False,
                whole,
                order,
                limit_of(node.args.get("limit")),
            )
        )

    def _select(self, node: exp.Expr, role: Role, outer: QueryScope | None, around: list[exp.Expr]) -> int:
        index = len(self.blocks)
        self.selects.add(id(node))
        self.blocks.append(None)
        self.depths.append(0 if self.parent is None else self.depths[self.parent] + 1)
        self.with_(node)
        above, self.parent = self.parent, index
        frame = self.frame(QueryScope(index, outer))
        origin = node.args.get("from_")
        first = origin.this if isinstance(origin, exp.Expr) else None
        rows = self.rows(frame)
        rows.read(first, node)
        self.blocks[index] = extract_block(node, rows, BlockPosition(role, above, self.depths[index]), around)
        self.parent = above
        return index

    def rows(self, frame: BlockState) -> SourceReader:
        """Return a reader of the row sources of a block."""
        return SourceReader(frame, self._find, self.table, self.shape, self._derived)

    def _derived(self, node: exp.Expr, outer: QueryScope | None) -> tuple[int, ...]:
        return self.query(node, Role.DERIVED, outer)


def _selected(names: frozenset[str], changes: StarChanges) -> frozenset[str]:
    """Return the names of the columns that a star selects among `names`."""
    if changes is EVERY_COLUMN:
        return names
    renamed = dict(changes.renamed)
    return frozenset(renamed.get(name, name) for name in names if changes.selects(name))
