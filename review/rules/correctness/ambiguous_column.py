"""MC-C15: ambiguous-column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from common.verdicts import Severity
from review.analysis.wording import display_name
from review.dialects import Dialect
from review.facts import Block, Clause, Column, JoinKind, OperandKind, Role, Source, Statement
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

_CORRELATED = frozenset({Role.EXISTS, Role.IN, Role.SCALAR})
_UNSEEN = frozenset({JoinKind.SEMI, JoinKind.ANTI})
_PSEUDO = frozenset(
    {"rowid", "rownum", "level", "ctid", "xmin", "oid", "tableoid", "sysdate", "value", "index"}
)


@rule(
    "MC-C15",
    "ambiguous-column",
    Severity.WARN,
    dialects=SQL - {Dialect.CLICKHOUSE},
    fix=Text(
        "Qualify the column with an alias, and give each source a different alias.",
        "在列名前写明别名，并为每个数据源指定不同的别名。",
    ),
)
def ambiguous_column(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Column or alias that is ambiguous or unknown.

    ## What it does
    Reports an alias that two sources of a query share, an unqualified column that two sources have, and a
    column that its source does not have. Requires the columns of the source: from the catalogue, from a
    CREATE in the script, or from the column list of a subquery or CTE.

    ## Why
    At best the statement fails at run time. At worst the engine reads the wrong column.

    ## Given
    ```json
    {"tables": {
      "dwd_order_di": {
        "columns": {"order_id": "BIGINT", "shop_id": "BIGINT"}, "partitions": {"ds": "STRING"}},
      "dim_shop_df": {
        "columns": {"shop_id": "BIGINT", "shop_name": "STRING"}, "partitions": {"ds": "STRING"}}
    }}
    ```

    ## Bad
    ```sql
    SELECT shop_id, s.shop_name
    FROM dwd_order_di o JOIN dim_shop_df s ON o.shop_id = s.shop_id AND s.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```
    ```sql
    SELECT o.amount FROM dwd_order_di o WHERE o.ds = '${bizdate}';
    ```
    ```sql
    SELECT t.id FROM ods_a_di t JOIN ods_b_di t ON t.id = t.a_id;
    ```
    ```sql
    WITH paid AS (SELECT order_id FROM dwd_pay_di WHERE ds = '${bizdate}')
    SELECT p.order_id, p.amount FROM paid p;
    ```

    ## Good
    ```sql
    SELECT o.shop_id, s.shop_name
    FROM dwd_order_di o JOIN dim_shop_df s ON o.shop_id = s.shop_id AND s.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Tables with unknown columns, subqueries with a star, and a PIVOT that makes columns without a known name
    are not checked. A qualifier that matches no source is ignored: it may be a column of type STRUCT.
    """
    for statement in subject.script.statements:
        known = [
            [_names(subject, statement, source) for source in block.sources] for block in statement.blocks
        ]
        some = any(map(any, known))
        reported: set[tuple[int, str]] = set()
        for index, block in enumerate(statement.blocks):
            yield from _shared_aliases(block)
            view = _View(statement, block, known, index)
            for column, late in _columns(block) if some else ():
                hit = _judge(view, column, late=late)
                if hit is not None and (index, hit.key) not in reported:
                    reported.add((index, hit.key))
                    yield hit


Names = tuple[str, ...] | None
"""The columns of a source in lower case; None if unknown."""


@dataclass(frozen=True)
class _View:
    """The columns that are visible in a block.

    Attributes:
        known: columns of each source of each block of the statement.
        index: that of the block.
    """

    statement: Statement
    block: Block
    known: list[list[Names]]
    index: int

    def elsewhere(self, column: Column, *, late: bool) -> bool:
        """Whether an unqualified name may be something else: an output, a row, a column of an outer query."""
        key = column.key
        if self.block.role in _CORRELATED or key in _PSEUDO or key.startswith(("@", "_c")) or "__" in key:
            return True
        outputs = self._outputs
        return key in self._aliases or (key in outputs and (late or outputs[key]))

    @cached_property
    def is_merged(self) -> bool:
        """Whether a join merges columns of equal names."""
        return any(source.using or source.natural for source, _ in self.seen)

    @cached_property
    def is_known(self) -> bool:
        """Whether the columns of all sources are known."""
        return all(names is not None for _, names in self.seen)

    @cached_property
    def _aliases(self) -> frozenset[str]:
        return frozenset(source.alias.lower() for source in self.block.sources)

    @cached_property
    def _outputs(self) -> dict[str, bool]:
        """Names of outputs, each with whether an output of that name is more than a bare column."""
        found: dict[str, bool] = {}
        for output in self.block.outputs:
            name = output.name.lower()
            found[name] = found.get(name, False) or output.operand.sort is not OperandKind.COLUMN
        return found

    @cached_property
    def seen(self) -> list[tuple[Source, Names]]:
        """Sources whose columns are visible in the block."""
        sources = zip(self.block.sources, self.known[self.index], strict=True)
        return [(source, names) for source, names in sources if source.join_kind not in _UNSEEN]

    @cached_property
    def having(self) -> dict[str, list[Source]]:
        """Sources by the names of their known columns."""
        found: dict[str, list[Source]] = {}
        for source, names in self.seen:
            for name in dict.fromkeys(names or ()):
                found.setdefault(name, []).append(source)
        return found


def _shared_aliases(block: Block) -> Iterator[Hit]:
    first: dict[str, Source] = {}
    for source in block.sources:
        name = source.alias.lower()
        other = first.setdefault(name, source)
        if name and other is not source and (source.has_alias or other.has_alias or _alike(source, other)):
            message = Text(
                f"Two sources of this query have the alias {source.alias}.",
                f"此查询中有两个数据源都叫 {source.alias}。",
            )
            yield Hit(source.at, message, key=name)


def _alike(source: Source, other: Source) -> bool:
    return source.table.lower() == other.table.lower()


def _columns(block: Block) -> Iterator[tuple[Column, bool]]:
    """Yield the columns of a block, each with whether output names are visible at its position."""
    for output in block.outputs:
        for column in output.operand.columns:
            yield column, False
    for predicate in (*block.predicates, *block.comparisons):
        late = predicate.clause not in _EARLY
        for column in predicate.columns:
            yield column, late
    for operand in (
        *block.group,
        *(one for window in block.windows for one in (*window.partition, *window.order)),
    ):
        for column in operand.columns:
            yield column, True


_EARLY = frozenset({Clause.WHERE, Clause.ON, Clause.OUTPUT})


def _judge(view: _View, column: Column, *, late: bool) -> Hit | None:
    if column.block is None or column.source is None:
        unknown = column.qualifier or view.elsewhere(column, late=late)
        return None if unknown else _unplaced(view, column)
    names = view.known[column.block][column.source]
    if names is None or names.count(column.key) == 1:
        return None
    if not column.qualifier and view.elsewhere(column, late=late):
        return None
    source = display_name(view.statement.blocks[column.block].sources[column.source])
    if column.key in names:
        return _hit(column, "{0} has several columns {1}.", "{0} 中有多个名为 {1} 的列。", source)
    return _hit(column, "{0} has no column {1}.", "{0} 中没有列 {1}。", source)


def _unplaced(view: _View, column: Column) -> Hit | None:
    """Check a column that was not resolved to one source."""
    seen = view.seen
    if view.is_merged:
        return None
    having = [display_name(source) for source in view.having.get(column.key, ())[:2]]
    if not having and seen and view.is_known:
        return _hit(column, "{0} has no column {1}.", "{0} 中没有列 {1}。", _any(seen))
    if len(having) <= 1:
        return None
    both = Text(f"{having[0].en} and {having[1].en}", f"{having[0].zh} 和 {having[1].zh}")
    english = "Both {0} have a column {1}: the reference is ambiguous."
    return _hit(column, english, "{0} 都有列 {1}：无法确定是哪一个。", both)


def _any(seen: list[tuple[Source, Names]]) -> Text:
    names = [display_name(source) for source, _ in seen[:_MAX_NAMED]]
    if len(seen) > _MAX_NAMED:
        names.append(Text("any other source", "其他数据源"))
    return Text(" or ".join(name.en for name in names), "、".join(name.zh for name in names))


_MAX_NAMED = 8
"""Maximum number of sources in a message."""


def _names(subject: RuleContext, statement: Statement, source: Source) -> Names:
    if source.columns:
        return (
            tuple(name.lower() for name in source.columns)
            if source.join_kind is not JoinKind.LATERAL
            else None
        )
    names = _names_before_pivots(subject, statement, source)
    columns = None if names is None else source.pivoted(names)
    if columns is None or not source.pivots:
        return columns
    spellings = (name for pivot in source.pivots for made in pivot.made for name in made.spellings)
    return tuple(dict.fromkeys((*columns, *spellings)))


def _names_before_pivots(subject: RuleContext, statement: Statement, source: Source) -> Names:
    if source.table:
        known = subject.catalog.columns(source.table)
        return tuple(known) if known else None
    if not source.blocks:
        return None
    outputs = statement.blocks[source.blocks[0]].outputs
    if not outputs or any(output.star or not output.name for output in outputs):
        return None
    return tuple(output.name.lower() for output in outputs)


def _hit(column: Column, english: str, chinese: str, source: Text) -> Hit:
    message = Text(english.format(source.en, column.name), chinese.format(source.zh, column.name))
    return Hit(column.at, message, key=f"{column.qualifier.lower()}.{column.key}")
