"""MaxCompute SQL for sqlglot: Hive with the syntax that only MaxCompute has.

Source: the help pages of MaxCompute SQL, and the grammar `OdpsParser.g4` in its Java SDK.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.hive import Hive
from sqlglot.parsers.hive import HiveParser
from sqlglot.tokenizer_core import Token, TokenType

from review.parsing import maxcompute_statements
from review.parsing.fast_tokenizer import tokenize
from review.parsing.parser_mixin import HEX_STRINGS, ParserMixin, keywords


def _days(parser: HiveParser) -> exp.Property:
    name = parser._prev.text.upper()
    days = parser._parse_number() or parser._parse_id_var()
    return parser.expression(exp.Property(this=exp.var(name), value=days))


def _clustered(parser: HiveParser) -> exp.Property:
    # [RANGE] CLUSTERED BY (…) [SORTED BY (…)] [INTO n BUCKETS]: Hive requires INTO, MaxCompute does not.
    parser._match_text_seq("CLUSTERED")
    parser._match_text_seq("BY")
    columns = parser._parse_wrapped_csv(parser._parse_ordered)
    if parser._match_text_seq("SORTED", "BY"):
        parser._parse_wrapped_csv(parser._parse_ordered)
    if parser._match(TokenType.INTO):
        parser._parse_number()
        parser._match_texts(("BUCKETS", "SHARDS"))
    return parser.expression(exp.Property(this=exp.var("CLUSTERED"), value=exp.Tuple(expressions=columns)))


def _auto_partitioned(parser: HiveParser) -> exp.PartitionedByProperty:
    # AUTO PARTITIONED BY (trunc_time(at, 'day') AS ds): the partition column is computed from another column.
    parser._match(TokenType.PARTITION_BY)
    made = parser._parse_wrapped_csv(parser._parse_expression)
    return parser.expression(exp.PartitionedByProperty(this=exp.Schema(expressions=made)))


def _into(parser: HiveParser) -> exp.Property:
    number = parser._parse_number()
    parser._match_texts(("BUCKETS", "SHARDS"))
    return parser.expression(exp.Property(this=exp.var("INTO"), value=number))


def _named(parser: HiveParser) -> exp.Property:
    """Parse `REFRESH EVERY 10 MINUTES`, `BUILD DEFERRED`, `DISABLE REWRITE`, whose values no rule needs."""
    name = parser._prev.text.upper()
    words = []
    while parser._curr and parser._curr.token_type in (TokenType.VAR, TokenType.NUMBER, TokenType.STRING):
        if parser._curr.text.upper() in parser.PROPERTY_PARSERS:
            break
        words.append(parser._curr.text)
        parser._advance()
    return parser.expression(exp.Property(this=exp.var(name), value=exp.Literal.string(" ".join(words))))


def _resources(parser: HiveParser) -> exp.Property:
    names = parser._parse_csv(parser._parse_string)
    return parser.expression(exp.Property(this=exp.var("RESOURCES"), value=exp.Tuple(expressions=names)))


def _using(parser: HiveParser) -> exp.Property:
    if parser._curr.token_type is TokenType.STRING:
        return _resources(parser)
    return parser._parse_using_property()


_NAMES = frozenset(
    {TokenType.LEFT, TokenType.RIGHT, TokenType.INNER, TokenType.OUTER, TokenType.FULL, TokenType.QUALIFY}
) | frozenset({TokenType.VALUES})
_AFTER_NAME = frozenset(
    {TokenType.DOT, TokenType.COMMA, TokenType.ON, TokenType.WHERE, TokenType.GROUP_BY, TokenType.ORDER_BY}
) | frozenset(
    {TokenType.R_PAREN, TokenType.LIMIT, TokenType.UNION, TokenType.EQ, TokenType.HAVING, TokenType.FROM}
)

_TEXTS = frozenset({exp.DType.CHAR, exp.DType.VARCHAR})


class MaxComputeParser(ParserMixin, HiveParser):
    """Hive's parser with MaxCompute's clauses, statements and expressions."""

    ADJACENT_STRINGS_CANNOT_BE_CONNECTED = False

    PROPERTY_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        **HiveParser.PROPERTY_PARSERS,
        "LIFECYCLE": _days,
        "HUBLIFECYCLE": _days,
        "CHANGELOGS": _days,
        "CLUSTERED": _clustered,
        "RANGE": _clustered,
        "AUTO": _auto_partitioned,
        "INTO": _into,
        "BUILD": _named,
        "REFRESH": _named,
        "DISABLE": _named,
        "ENABLE": _named,
        "RESOURCES": _resources,
        "USING": _using,
    }

    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        **HiveParser.NO_PAREN_FUNCTION_PARSERS,
        "NEW": maxcompute_statements.parse_create,
        "FUNCTION": maxcompute_statements.parse_anonymous_block,
    }

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        """Parse one statement: a keyword where only a name fits is a name; `;` within a block is ignored."""
        if ";" in sql:
            raw_tokens = [token for token in raw_tokens if token.token_type is not TokenType.SEMICOLON]
        last = len(raw_tokens) - 1
        for index, token in enumerate(raw_tokens):
            if token.token_type in _NAMES and (
                index == last or raw_tokens[index + 1].token_type in _AFTER_NAME
            ):
                token.token_type = TokenType.VAR
        return super().parse(raw_tokens, sql)

    def _parse_statement(self) -> exp.Expr | None:
        word = self._curr.text.upper()
        if self._curr.token_type is TokenType.PARAMETER:
            return maxcompute_statements.parse_assignment(self)
        if parse := maxcompute_statements.STATEMENTS.get(word):
            return parse(self)
        return super()._parse_statement()

    def _parse_create(self) -> exp.Expr:  # type: ignore[override]
        return maxcompute_statements.parse_function(self) or super()._parse_create()

    def _parse_insert(self) -> Any:
        node = super()._parse_insert()
        if isinstance(node, exp.Insert) and node.args.get("expression") is None:
            self.raise_error("Expected a query or VALUES")
        return node

    def _parse_parameter(self) -> exp.Expr:  # type: ignore[override]
        return maxcompute_statements.parse_variable(self)

    def _parse_table_part(self, schema: bool = False) -> exp.Expr | None:
        if self._curr.token_type is TokenType.PARAMETER:
            self._advance()
            return maxcompute_statements.parse_variable(self)
        return super()._parse_table_part(schema=schema)

    def _parse_string(self) -> exp.Expr | None:
        string = super()._parse_string()
        while isinstance(string, exp.Literal) and self._match(TokenType.STRING):
            string.args["this"] += self._prev.text  # 'a' 'b' is 'ab'
            string.meta["end"] = self._prev.end
        return string

    def _parse_partitioned_by(self) -> exp.PartitionedByProperty:
        self._match(TokenType.ON)  # a materialized view has PARTITIONED ON
        return super()._parse_partitioned_by()

    def _parse_join(self, *args: Any, **kwargs: Any) -> exp.Join | None:
        join = super()._parse_join(*args, **kwargs)
        return maxcompute_statements.parse_join(self, join) if join else join

    def _parse_function(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        # project:function(…)
        if self._next.token_type is TokenType.COLON and self._curr.token_type is TokenType.VAR:
            index, project = self._index, self._curr
            self._advance(2)
            call = super()._parse_function(*args, **kwargs)
            if isinstance(call, exp.Func):
                call.meta["project"], call.meta["start"] = project.text, project.start
                return call
            self._retreat(index)
            return None
        return super()._parse_function(*args, **kwargs)

    def _parse_select_query(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        query = super()._parse_select_query(*args, **kwargs)
        if not isinstance(query, exp.Select) or not self._match(TokenType.SELECT, advance=False):
            return query
        # FROM t WHERE … GROUP BY … HAVING … SELECT …: the leading clauses belong to the SELECT that follows.
        select = super()._parse_select_query(*args, **kwargs)
        if not query.is_star or not isinstance(select, exp.Select) or select.args.get("from_"):
            self.raise_error("Expected the end")
            return None
        for key, value in query.args.items():
            if key != "expressions" and value is not None:
                select.set(key, value)
        return select

    def _parse_table_alias(self, *args: Any, **kwargs: Any) -> exp.TableAlias | None:
        if self._curr.text.upper() == "ZORDER" and self._next.text.upper() == "BY":
            return None
        return super()._parse_table_alias(*args, **kwargs)

    def _parse_query_modifiers(self, this: Any) -> Any:
        this = super()._parse_query_modifiers(this)
        if isinstance(this, exp.Query) and self._match_text_seq("ZORDER", "BY"):
            self._parse_csv(self._parse_column)
            return super()._parse_query_modifiers(this)
        return this

    def _parse_transform(self) -> exp.Expr | None:  # type: ignore[override]
        return (
            maxcompute_statements.parse_transform(self)
            if self._curr.token_type is TokenType.L_PAREN
            else super()._parse_transform()
        )

    def _parse_types(self, check_func: bool = False, schema: bool = False, **how: bool) -> exp.Expr | None:  # type: ignore[override]
        # Same result as Hive's own method, which parses the words CHAR and VARCHAR again for each type.
        found = super(HiveParser, self)._parse_types(check_func, schema, **how)
        for node in found.find_all(exp.DataType) if found and not schema else ():
            if node.this in _TEXTS:
                node.set("this", exp.DType.TEXT)
                node.set("expressions", None)
        return found or maxcompute_statements.parse_java_type(self, check_func=check_func, schema=schema)


class MaxCompute(Hive):
    """The dialect `maxcompute`."""

    Parser = MaxComputeParser

    class Tokenizer(Hive.Tokenizer):
        """Hive's tokenizer, with EXPLAIN as an ordinary word."""

        tokenize = tokenize
        HEX_STRINGS: ClassVar[list[str | tuple[str, str]]] = [*HEX_STRINGS]
        KEYWORDS: ClassVar[dict[str, TokenType]] = keywords(Hive.Tokenizer)["KEYWORDS"]
