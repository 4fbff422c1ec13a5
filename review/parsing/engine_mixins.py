"""Changes to sqlglot's parsers of single engines, besides those for every dialect."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from review.dialects import Dialect
from review.parsing.alter_parser import parse_mutation_where
from review.parsing.parser_mixin import ParserMixin
from review.parsing.statement_parsers import parse_partition_names, skip_rest, skip_token


class MySQLMixin(ParserMixin):
    """MySQL, and StarRocks and Doris, which extend its syntax."""

    def _skip_insert_options(self) -> None:
        while self._match_texts(_PRIORITIES):
            pass

    def _parse_delete(self) -> exp.Delete:
        while self._match_texts((*_PRIORITIES, "IGNORE")):
            pass
        return super()._parse_delete()

    def _parse_update(self) -> exp.Update:
        while self._match_texts((*_PRIORITIES, "IGNORE")):
            pass
        return super()._parse_update()

    def _skip_target_options(self) -> None:
        if self._match(TokenType.WITH, advance=False) and self._next.text.upper() == "LABEL":
            self._advance(3)

    def _parse_insert_table(self) -> exp.Expr | None:
        target = super()._parse_insert_table()
        if self._match_text_seq("PROPERTIES"):
            skip_token(self)
        self._skip_bracket_hint()
        return target

    def _parse_table(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        if self._prev.token_type is TokenType.JOIN:
            self._skip_bracket_hint()
        return super()._parse_table(*args, **kwargs)

    def _skip_bracket_hint(self) -> None:
        """Skip a hint of StarRocks and Doris, such as [BROADCAST]."""
        if self._match(TokenType.L_BRACKET, advance=False):
            skip_token(self)

    def _parse_table_parts(self, *args: Any, **kwargs: Any) -> Any:
        table = super()._parse_table_parts(*args, **kwargs)
        if isinstance(table, exp.Table) and self._curr.token_type in _PARTITION_WORDS:
            parse_partition_names(self, table)
        return table


class ClickHouseMixin(ParserMixin):
    """ClickHouse."""

    def _parse_delete(self) -> exp.Delete:
        if not self._match(TokenType.FROM):
            return super()._parse_delete()
        table = self._parse_table_parts(schema=True)
        cluster = self._parse_on_property() if self._match(TokenType.ON) else None
        return self.expression(exp.Delete(this=table, cluster=cluster, where=parse_mutation_where(self)))

    def _parse_insert_table(self) -> exp.Expr | None:
        target = super()._parse_insert_table()
        infile = self._match(TokenType.FROM, advance=False) and self._next.text.upper() == "INFILE"
        if infile or self._match(TokenType.FORMAT, advance=False):
            skip_rest(self)  # rows that are no SQL
        return target

    def _parse_limit(self, *args: Any, **kwargs: Any) -> Any:
        limit = super()._parse_limit(*args, **kwargs)
        if limit is not None and limit.expressions and self._match(TokenType.LIMIT, advance=False):
            return super()._parse_limit()  # LIMIT 1 BY a LIMIT 10
        return limit


class SparkMixin(ParserMixin):
    """Spark."""

    SUPPORTS_TABLE_QUERY = True  # TABLE t

    def _parse_with_property(self) -> Any:
        if self._next.token_type is TokenType.ALIAS:
            self._retreat(self._index - 1)  # CREATE TABLE a WITH b AS (…) SELECT …: its AS is optional
            return None
        return super()._parse_with_property()


class TSQLMixin(ParserMixin):
    """T-SQL."""

    def _skip_insert_options(self) -> None:
        self._parse_top()

    def _skip_target_options(self) -> None:
        if self._match_text_seq("WITH", "(", advance=False):
            self._advance()
            skip_token(self)  # hints

    def _parse_delete(self) -> exp.Delete:
        top = self._parse_top()
        node = super()._parse_delete()
        if node.args.get("where") is None and self._match(TokenType.WHERE, advance=False):
            node.set("where", self._parse_where())  # after OUTPUT
        node.set("limit", top)
        return node

    def _parse_update(self) -> exp.Update:
        top = self._parse_top()
        node = super()._parse_update()
        node.set("limit", top)
        return node

    def _parse_returning(self) -> exp.Returning | None:
        """Parse `OUTPUT … [INTO t [(columns)]]`, which may occur twice."""
        found = None
        while self._match(TokenType.RETURNING):
            rows = self._parse_csv(self._parse_expression)
            into = self._parse_table(schema=True) if self._match(TokenType.INTO) else None
            # The rows that go to a table matter more than those that the client gets.
            if found is None or into is not None:
                found = self.expression(exp.Returning(expressions=rows, into=into))
        return found

    def _parse_ddl_select(self) -> exp.Expr | None:
        """Parse the source of an INSERT, which may be the call of a procedure."""
        if self._match_texts(("EXEC", "EXECUTE"), advance=False) and _is_procedure(self._next):
            skip_rest(self)
            return None
        return super()._parse_ddl_select()

    def _parse_top(self) -> exp.Limit | None:
        """Parse `TOP (n) [PERCENT]` between the verb and the table."""
        if self._next.token_type is not TokenType.L_PAREN or not self._match_text_seq("TOP"):
            return None
        count = self._parse_wrapped(self._parse_disjunction)
        self._match_text_seq("PERCENT")
        return exp.Limit(expression=count)

    def _parse_update_assignment(self) -> exp.Expr | None:
        """Parse an assignment, also `a += 1`."""
        index = self._index
        column = self._parse_column()
        if column and self._next.token_type is TokenType.EQ and self._match_set(_ARITHMETIC):
            self._advance()
            return self.expression(exp.EQ(this=column, expression=self._parse_disjunction()))
        self._retreat(index)
        return super()._parse_update_assignment()


class OracleMixin(ParserMixin):
    """Oracle."""

    def _parse_insert(self) -> exp.Insert | exp.MultitableInserts:
        node = super()._parse_insert()
        self._skip_error_log()
        return node

    def _parse_merge(self) -> exp.Merge:
        node = super()._parse_merge()
        self._skip_error_log()
        return node

    def _skip_error_log(self) -> None:
        """Skip `LOG ERRORS [INTO t] [('tag')] [REJECT LIMIT n]`."""
        if self._match_text_seq("LOG", "ERRORS"):
            skip_rest(self)

    def _parse_table_alias(self, *args: Any, **kwargs: Any) -> exp.TableAlias | None:
        if self._curr.text.upper() == "LOG" and self._next.text.upper() == "ERRORS":
            return None
        return super()._parse_table_alias(*args, **kwargs)

    def _parse_when_matched(self) -> exp.Whens:
        """Parse the branches of a MERGE, of which an UPDATE may have a `DELETE WHERE …`."""
        whens = super()._parse_when_matched()
        while self._match_pair(TokenType.DELETE, TokenType.WHERE, advance=False):
            self._advance()
            where = self._parse_where()
            deleted = exp.When(matched=True, condition=where and where.this, then=exp.var("DELETE"))
            whens.append("expressions", deleted)
            if self._match(TokenType.WHEN, advance=False):
                for when in super()._parse_when_matched().expressions:
                    whens.append("expressions", when)
        return whens


def _is_procedure(token: Token) -> bool:
    """Whether the token after EXEC begins a procedure's name: not SQL text, and not what runs SQL text."""
    return token.token_type is not TokenType.L_PAREN and token.text.lower() not in ("sp_executesql", "sys")


_PRIORITIES = ("LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK")
_PARTITION_WORDS = (TokenType.PARTITION, TokenType.TEMPORARY, TokenType.VAR)
_ARITHMETIC = (TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.MOD)

ENGINE_MIXINS: dict[Dialect, type[ParserMixin]] = {
    Dialect.MYSQL: MySQLMixin,
    Dialect.STARROCKS: MySQLMixin,
    Dialect.DORIS: MySQLMixin,
    Dialect.CLICKHOUSE: ClickHouseMixin,
    Dialect.SPARK: SparkMixin,
    Dialect.TSQL: TSQLMixin,
    Dialect.ORACLE: OracleMixin,
}
"""Mixins of the dialects that need more than `ParserMixin`."""
