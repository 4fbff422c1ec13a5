"""Reads FROM: the row sources of a block, and the conditions that join them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from review.extraction.block_state import BlockState
from review.extraction.expressions.operands import read_operand
from review.extraction.expressions.partitions import partition_values
from review.extraction.pivots import extract_pivots, pivot_arguments, pivoted_columns, pivots_of
from review.extraction.scopes import NOTHING, KnownColumns, QueryScope
from review.facts import Clause, JoinKind, Operand, Source, Span, last_part


@dataclass(slots=True)
class NamedSource:
    """A common table expression, or a script-mode variable, as referenced by a block's sources."""

    at: Span
    name: str
    blocks: tuple[int, ...] = ()
    columns: KnownColumns = NOTHING
    listed: tuple[str, ...] = ()
    uses: int = 0


@dataclass(slots=True)
class SourceReader:
    """The row sources of one block, as they are read.

    Attributes:
        frame: the block.
        named: finds the CTE or variable with a name, in lower case.
        table: returns the known columns of a table.
        shape: returns the known output columns of blocks.
        query: reads a subquery in FROM, which sees the columns of a scope or none.
        conditions: the ON conditions, each with the index of the source that its join adds.
    """

    frame: BlockState
    named: Callable[[str], NamedSource | None]
    table: Callable[[str], KnownColumns]
    shape: Callable[[tuple[int, ...]], KnownColumns]
    query: Callable[[exp.Expr, QueryScope | None], tuple[int, ...]]
    sources: list[Source] = field(default_factory=list)
    conditions: list[tuple[int, exp.Expr]] = field(default_factory=list)

    def read(self, first: exp.Expr | None, holder: exp.Expr) -> None:
        """Read all of FROM: its first source, and the joins and laterals of the SELECT."""
        if first is not None:
            self._add(first, JoinKind.FIRST, None)
        for step in self._steps(holder):
            if isinstance(step, exp.Join):
                self._join(step)
            else:
                self._lateral(step)

    def join(self, node: exp.Expr, joined: JoinKind, on: exp.Expr | None) -> None:
        """Add one source of a MERGE or UPDATE with its condition."""
        self._add(node, joined, None)
        if on is not None:
            self.conditions.append((len(self.sources) - 1, on))

    def add_row(self, name: str, blocks: tuple[int, ...], columns: tuple[str, ...]) -> None:
        """Add the row of `blocks` that an INSERT tries to add; its columns are seen only with its name."""
        end = Span(self.frame.end, self.frame.end)
        self.sources.append(Source(end, JoinKind.LATERAL, "", name, True, blocks, columns=columns))
        self.frame.scope.add([name.lower()], KnownColumns(whole=True))

    def mark_target(self, place: int) -> None:
        """Mark the source at an index as the target of the statement's change."""
        self.sources[place] = replace(self.sources[place], target=True)

    @staticmethod
    def _steps(holder: exp.Expr) -> Iterator[exp.Expr]:
        yield from holder.args.get("laterals") or ()
        yield from holder.args.get("joins") or ()

    def _join(self, join: exp.Join, begin: int = 0) -> None:
        node = join.this
        if node is None:
            return
        if join.kind.upper() == "ARRAY":
            for part in (node, *join.expressions):
                self._array(part)
            return
        joined = self._joined(join, node)
        count = len(self.sources)
        self._add(node, joined, join)
        if joined in (JoinKind.RIGHT, JoinKind.FULL):
            for index in range(begin, count):
                self.sources[index] = replace(self.sources[index], nullable=True)
        if joined in (JoinKind.LEFT, JoinKind.FULL):
            for index in range(count, len(self.sources)):
                self.sources[index] = replace(self.sources[index], nullable=True)
        on = join.args.get("on")
        # Hive's parser adds ON TRUE to a JOIN without ON.
        if isinstance(on, exp.Expr) and not (isinstance(on, exp.Boolean) and on.this) and self.sources:
            self.conditions.append((min(count, len(self.sources) - 1), on))
        self._pivoted_rows(join)

    def _pivoted_rows(self, node: exp.Expr) -> None:
        """Add the columns that the pivots of a join or a lateral view make of all rows before them."""
        if not (pivots := pivots_of(node)):
            return
        calls = len(self.frame.calls)
        names = [column.name for pivot in extract_pivots(node, self.frame) for column in pivot.made]
        del self.frame.calls[calls:]  # they are read again, with the columns of the sources
        arguments = tuple(self._argument(part) for pivot in pivots for part in pivot_arguments(pivot))
        alias, columns = _alias(pivots[-1])
        end = Span(self.frame.end, self.frame.end)
        source = Source(
            end,
            JoinKind.LATERAL,
            "",
            alias,
            bool(alias),
            columns=columns or tuple(names),
            arguments=arguments,
        )
        self._register(source, [alias.lower()], NOTHING, None)

    def _joined(self, join: exp.Join, node: exp.Expr) -> JoinKind:
        kind, side = join.kind.upper(), join.side.upper()
        if kind in _KINDS:
            return _KINDS[kind]
        if side in _SIDES:
            return _SIDES[side]
        if isinstance(node, exp.Lateral):
            return JoinKind.LATERAL
        if not join.args.get("on") or kind == "CROSS":
            span = self._begin(node)
            if span is not None and self.frame.text.after_comma(span):
                return JoinKind.COMMA
        return JoinKind.CROSS if kind == "CROSS" else JoinKind.INNER

    def _begin(self, node: exp.Expr) -> int | None:
        for part in node.walk(bfs=False):
            if (span := self.frame.text.span(part)) is not None:
                low = span.begin
                if (
                    isinstance(part, exp.Table)
                    or part.parent is None
                    or not isinstance(part.parent, exp.Table)
                ):
                    return low
                spans = [found for item in part.parent.parts if (found := self.frame.text.span(item))]
                return min(item.begin for item in spans) if spans else low
        return None

    def _add(self, node: exp.Expr, joined: JoinKind, join: exp.Join | None) -> None:
        begin = len(self.sources)
        if isinstance(node, exp.Final):
            node = node.this
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Func):
            self._table(node, joined, join)
        elif isinstance(node, exp.Lateral):
            self._lateral(node, joined)
            return
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self._add(node.this, joined, join)
        elif isinstance(node, exp.Query):
            self._subquery(node, joined, join)
        else:
            self._table_function(node, joined, join)
        for step in self._steps(node):
            if isinstance(step, exp.Join):
                self._join(step, begin)
            else:
                self._lateral(step)

    def _table(self, node: exp.Table, joined: JoinKind, join: exp.Join | None) -> None:
        name, at = self.frame.text.table(node)
        variable = isinstance(node.this, exp.Parameter) or name.startswith("@")
        if variable:
            name = "@" + name.lstrip("@")
        cte = self.named(name.lower()) if "." not in name else None
        pivots = extract_pivots(node, self.frame)
        alias, columns = _alias(node)
        short = last_part(name)
        source = Source(
            at or Span(self.frame.end, self.frame.end),
            joined,
            "" if cte or variable else name,
            alias or short,
            bool(alias),
            partitions=partition_values(node.args.get("partition"), self.frame),
            columns=columns,
            pivots=pivots,
        )
        known = cte.columns if cte is not None else NOTHING if variable else self.table(name)
        if cte is not None:
            cte.uses += 1
            source = replace(source, blocks=cte.blocks, cte=cte.name, columns=columns or cte.listed)
        elif variable:
            source = replace(source, cte=name)
        qualifiers = [alias.lower()] if alias else [short.lower(), name.lower()]
        self._register(source, qualifiers, pivoted_columns(known, pivots), join)

    def _subquery(
        self,
        node: exp.Expr,
        joined: JoinKind,
        join: exp.Join | None,
        outer: QueryScope | None = None,
        holder: exp.Expr | None = None,
    ) -> None:
        blocks = self.query(node, outer)
        rows = node.this.expressions if isinstance(node.this, exp.Values) else ()
        arguments = tuple(made for row in rows if (made := self._argument(row)).columns)
        span = self.frame.span_of(blocks)
        at = Span(*self.frame.text.enclosing_bracket(*span)) if span else Span(self.frame.end, self.frame.end)
        pivots = extract_pivots(node, self.frame)
        alias, columns = _alias(holder or node)
        source = Source(
            at,
            joined,
            "",
            alias,
            bool(alias),
            blocks,
            columns=columns,
            arguments=arguments,
            pivots=pivots,
        )
        self._register(source, [alias.lower()], pivoted_columns(self.shape(blocks), pivots), join)

    def _lateral(self, node: exp.Expr, joined: JoinKind = JoinKind.LATERAL) -> None:
        if isinstance(node.this, exp.Query):
            self._subquery(node.this, joined, None, self.frame.scope, node)
        else:
            self._table_function(node, JoinKind.LATERAL, None)
        self._pivoted_rows(node)

    def _array(self, node: exp.Expr) -> None:
        """Add the elements of an array of ARRAY JOIN: a column with the alias, or the name of the array."""
        array = self._argument(node.this if isinstance(node, exp.Alias) else node)
        alias = (
            node.alias if isinstance(node, exp.Alias) else node.name if isinstance(node, exp.Column) else ""
        )
        at = array.at if array.at.end else Span(self.frame.end, self.frame.end)
        columns = (alias,) if alias else ()
        source = Source(at, JoinKind.LATERAL, "", alias, bool(alias), columns=columns, arguments=(array,))
        self._register(source, [alias.lower()], NOTHING, None)

    def _argument(self, node: exp.Expr) -> Operand:
        clause, self.frame.clause = self.frame.clause, Clause.SOURCE
        made = read_operand(node, self.frame)
        self.frame.clause = clause
        return made

    def _table_function(self, node: exp.Expr, joined: JoinKind, join: exp.Join | None) -> None:
        """Add rows that are in no table: those of a function, VALUES or UNNEST."""
        inside = node.this if isinstance(node.this, exp.Expr) and not isinstance(node, exp.Func) else node
        parts = node.expressions if isinstance(node, (exp.Values, exp.Unnest)) else [inside]
        arguments = [self._argument(part) for part in parts]
        known = [argument.at for argument in arguments if argument.at.end]
        at = (
            Span(min(known).begin, max(span.end for span in known))
            if known
            else Span(self.frame.end, self.frame.end)
        )
        at = Span(at.begin, self.frame.text.closing_end(at.begin, at.end))
        alias, columns = _alias(node)
        used = tuple(argument for argument in arguments if argument.columns or argument.blocks)
        source = Source(at, joined, "", alias, bool(alias), columns=columns, arguments=used)
        # The alias of a function with one column names that column, too.
        names = frozenset() if not alias or isinstance(node, exp.Lateral) else frozenset({alias.lower()})
        self._register(source, [alias.lower()], KnownColumns(names), join)

    def _register(
        self, source: Source, qualifiers: list[str], known: KnownColumns, join: exp.Join | None
    ) -> None:
        if source.columns:
            known = KnownColumns(frozenset(name.lower() for name in source.columns), whole=True)
        if join is not None and (join.args.get("using") or join.method.upper() == "NATURAL"):
            names = tuple(item.name for item in join.args.get("using") or ())
            source = replace(source, natural=True, using=names)
        self.frame.end = max(self.frame.end, source.at.end)
        self.sources.append(source)
        self.frame.scope.add([name for name in qualifiers if name], known)


_KINDS = {"SEMI": JoinKind.SEMI, "ANTI": JoinKind.ANTI}
_SIDES = {"LEFT": JoinKind.LEFT, "RIGHT": JoinKind.RIGHT, "FULL": JoinKind.FULL}


def _alias(node: exp.Expr) -> tuple[str, tuple[str, ...]]:
    """Return the alias of a row source, which may come after its pivots, and the columns that it names."""
    named = (holder.args.get("alias") for holder in reversed((node, *pivots_of(node))))
    alias = next((item for item in named if item is not None), None)
    if isinstance(alias, exp.TableAlias):
        return alias.name, tuple(column.name for column in alias.columns)
    return (alias.name, ()) if isinstance(alias, exp.Expr) else ("", ())
