"""Changes to sqlglot's parser for every dialect: node positions, ALTER, errors, and no logging."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from review.parsing.alter_parser import parse_alter
from review.parsing.ast_nodes import Definition, Explain
from review.parsing.creation_parser import parse_creation
from review.parsing.keywords import DROP_OPTIONS, EXPLAINED, NO_DATA, OPAQUE, TRUNCATE_OPTIONS
from review.parsing.leaf_parser import LeafParserMixin
from review.parsing.statement_parsers import (
    STATEMENTS,
    parse_job,
    skip_export,
    skip_token,
)

_NONE = Token(TokenType.STRING, "")


class _JoinAliases(frozenset[TokenType]):
    """What may be the alias of a joined table; by its type, the search for nested joins is recognized."""


@cache
def _join_aliases(tokens: frozenset[TokenType]) -> _JoinAliases:
    return _JoinAliases(tokens)


class ParserMixin(LeafParserMixin, Parser):
    """A mixin for a dialect's parser: `class ReadingHive(Reading, HiveParser)`.

    Adds positions to the `meta` of nodes, as offsets in the parsed text (`end` is the offset of the last
    character): to `Select`, `SetOperation`, `Order`, `Insert`, `In`, `Hint` and the names in hints, besides
    the nodes for which sqlglot records them. Checks that need a catalog, such as of a function's number of
    arguments, are disabled.
    """

    def raise_error(self, message: str, token: Token = _NONE) -> None:
        """Raise a ParseError with its offset; sqlglot's own error quotes the statement."""
        if token is _NONE or not token:
            token = self._curr or self._prev or _NONE
        error = ParseError(message, [{"start": token.start}])
        if self.error_level is not None:
            raise error

    def validate_expression(self, expression: Any, args: list[Any] | None = None) -> Any:
        """Reject a node without a required part; user-defined functions may have any arguments."""
        if args is None:
            present = expression.args
            for key in expression.required_args:
                if (value := present.get(key)) is None or value == []:
                    self.raise_error(f"Expected {key}")
        return expression

    def _warn_unsupported(self) -> None:
        """Log nothing: node code must never reach a log."""

    def _parse_as_command(self, start: Token) -> exp.Command:
        if start.text.upper() in OPAQUE:
            self.raise_error("Unknown syntax")
        return super()._parse_as_command(start)

    VERSION_PHRASES: ClassVar[dict[tuple[str, ...], str]] = {
        **Parser.VERSION_PHRASES,
        ("FOR", "SYSTEM_VERSION"): "VERSION",
        ("AS", "OF", "TIMESTAMP"): "TIMESTAMP",
        ("AS", "OF", "SCN"): "VERSION",
    }

    KEY_CONSTRAINT_OPTIONS: ClassVar[Any] = {
        **Parser.KEY_CONSTRAINT_OPTIONS,
        "ENABLE": (),
        "DISABLE": (),
        "VALIDATE": (),
        "NOVALIDATE": (),
    }

    def _parse_statement(self) -> exp.Expr | None:
        if self._curr.token_type is TokenType.VAR and self._curr.text.upper() == "EXPLAIN":
            return self._parse_explain()
        if parse := STATEMENTS.get(self._curr.text.upper()):
            statement: exp.Expr | None = parse(self)
            if statement is not None:
                return statement
        if self._curr.token_type in _QUERIES:  # sqlglot tries an expression first
            query: exp.Expr | None = self._parse_query_modifiers(self._parse_select())
            return query
        return super()._parse_statement()

    def _parse_explain(self) -> Explain:
        self._advance()
        if self._match(TokenType.L_PAREN):
            self._parse_csv(lambda: self._advance_any() and self._advance_any())
            self._match_r_paren()
        while self._match_texts(EXPLAINED):
            pass
        while self._next.token_type is TokenType.EQ:  # a setting of ClickHouse
            self._advance(3)
            self._match(TokenType.COMMA)
        return self.expression(Explain(this=self._parse_statement()))

    def _parse_create(self) -> Any:
        return parse_job(self) or self._definition("CREATE") or self._parse_known_create()

    def _parse_known_create(self) -> Any:
        """Parse a CREATE by sqlglot's parser, or by ours if sqlglot's does not come to its end."""
        index = self._index
        try:
            made = super()._parse_create()
            if self._curr:
                self.raise_error("Expected the end")
        except ParseError:
            self._retreat(index)
            lenient = self._try_parse(lambda: parse_creation(self))
            if lenient is None or self._curr:
                raise
            return lenient
        return made

    def _parse_drop(self, exists: bool = False, kind: str | None = None) -> Any:
        if kind:
            return super()._parse_drop(exists, kind)
        if definition := self._definition("DROP"):
            return definition
        self._match_texts(("EXTERNAL", "DYNAMIC"))
        dropped = super()._parse_drop()
        while self._match_texts(DROP_OPTIONS):
            pass
        if self._match(TokenType.FROM):  # StarRocks: the table of a materialized view
            self._parse_table_parts(schema=True)
        if self._match_text_seq("WITH", "("):
            self._advance_any()
            self._match_r_paren()
        return dropped

    def _parse_alter(self) -> Any:
        return parse_job(self) or self._definition("ALTER") or parse_alter(self)

    def _parse_truncate_table(self) -> Any:
        if self._match(TokenType.L_PAREN, advance=False):  # the function
            return super()._parse_truncate_table()
        every = self._match_text_seq("ALL", "TABLES", "FROM") or self._match_text_seq("TABLES", "FROM")
        database = self._match(TokenType.DATABASE) or every
        self._match(TokenType.TABLE)
        exists = self._parse_exists()
        self._match_text_seq("ONLY")
        tables = self._parse_csv(self._parse_truncated)
        cluster = self._parse_on_property() if self._match(TokenType.ON) else None
        partition = self._parse_partition() or next(
            (t.args["partition"] for t in tables if t.args.get("partition")), None
        )
        if self._match_text_seq("WITH", "(", "PARTITIONS"):
            partition = exp.Partition(expressions=self._parse_wrapped_csv(self._parse_bitwise))
            self._match_r_paren()
        while self._match_texts(TRUNCATE_OPTIONS):
            pass
        return self.expression(
            exp.TruncateTable(
                expressions=tables, is_database=database, exists=exists, cluster=cluster, partition=partition
            )
        )

    def _parse_truncated(self) -> exp.Expr | None:
        table: exp.Expr | None = self._parse_table_parts(schema=True)
        self._match(TokenType.STAR)
        self._match_text_seq("NOT")
        if self._match_set((TokenType.LIKE, TokenType.ILIKE)):
            self._parse_string()
        return table

    def _definition(self, verb: str) -> Definition | None:
        index = self._index
        self._match_pair(TokenType.OR, TokenType.REPLACE)
        kind = self._curr.text.upper()
        known = kind in NO_DATA or (kind == "FOREIGN" and verb == "DROP")
        if not known or self._prev.token_type is TokenType.L_PAREN:
            self._retreat(index)
            return None
        first = self._curr
        while self._curr:
            self._advance()
        if first is self._prev:
            self.raise_error("Expected a name")
        text = self._find_sql(first, self._prev)
        if verb == "DROP" and "INCLUDING" in text.upper():  # the contents of a tablespace
            self.raise_error("It drops tables")
        return Definition(verb=verb, kind=kind, text=text)

    def _parse_select_query(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        first = self._curr
        query = super()._parse_select_query(*args, **kwargs)
        if query is not None and first.token_type is TokenType.SELECT:
            node = query
            while isinstance(node, (exp.SetOperation, exp.Subquery)):
                node = node.this
            meta = node.meta
            if "start" not in meta:
                meta["start"] = first.start
            query.meta["end"] = self._prev.end
        return query

    def _build_pipe_cte(self, *args: Any, **kwargs: Any) -> exp.Select:
        """Return the query before a `|>` as a CTE; its made-up name has no position in the statement."""
        select = super()._build_pipe_cte(*args, **kwargs)
        if kwargs.get("alias_cte") is None:
            for part in (select.args["from_"], select.args["with_"].expressions[-1].args["alias"]):
                for node in part.walk():
                    node.meta.clear()
        return select

    def parse_set_operation(self, this: exp.Expr | None, *args: Any, **kwargs: Any) -> Any:
        """Record the position of the keyword."""
        start = self._curr.start
        node = super().parse_set_operation(this, *args, **kwargs)
        if node is not None:
            node.meta["start"] = start
        return node

    def _parse_order(self, this: exp.Expr | None = None, skip_order_token: bool = False) -> exp.Expr | None:
        start = self._prev if skip_order_token else self._curr
        node = super()._parse_order(this, skip_order_token)
        if isinstance(node, exp.Order):
            node.meta["start"], node.meta["end"] = start.start, self._prev.end
        return node

    def _parse_insert(self) -> exp.Insert | exp.MultitableInserts:
        start = self._prev.start
        self._skip_insert_options()
        node = self._parse_directory_insert() or super()._parse_insert()
        if node.args.get("source") and node.args.get("expression"):
            # `… FROM y TRUNCATE TABLE z` without a semicolon: TRUNCATE is no alias, nor z a source.
            self.raise_error("TABLE after a query")
        node.meta["start"], node.meta["end"] = start, self._prev.end
        return node

    def _parse_star_ops(self) -> exp.Expr | None:
        """Parse EXCEPT, REPLACE and RENAME after a star in any order, as ClickHouse allows.

        https://clickhouse.com/docs/sql-reference/statements/select#select-modifiers
        """
        star = super()._parse_star_ops()
        more = isinstance(star, exp.Star)
        while star is not None and more:
            more = False
            for key, words in _STAR_CHANGES.items():
                if changes := self._parse_star_op(*words):
                    star.set(key, [*(star.args.get(key) or ()), *changes])
                    more = True
        return star

    def _parse_lateral(self) -> exp.Lateral | None:
        """Parse the PIVOT that may follow a lateral view: it is one of all rows before it.

        https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select.html
        """
        lateral: exp.Lateral | None = super()._parse_lateral()
        if lateral is None:
            return None
        if isinstance(lateral.this, exp.Dot) and lateral.this.args.get("this") is None:
            self.raise_error("Expected a function")  # LATERAL VIEW.t
        if pivots := self._parse_pivots():
            lateral.set("pivots", pivots)
        return lateral

    def _pivot_column_names(self, _: list[exp.Expr]) -> list[str]:
        """Return no names: sqlglot would combine them with all values, and nothing reads the result."""
        return []

    def _skip_insert_options(self) -> None:
        """Skip what a dialect allows between INSERT and the target."""

    def _parse_directory_insert(self) -> exp.Insert | None:
        """Parse an INSERT into files.

        Spark has `OVERWRITE [LOCAL] DIRECTORY ['path'] USING format [OPTIONS (…)] query`, StarRocks has
        `INTO FILES (…) query`.
        """
        index, path = self._index, None
        if self._match_text_seq("INTO", "FILES", "(", advance=False):
            self._advance(2)
            skip_token(self)
            query = self._parse_ddl_select()
            files = exp.Directory(this=exp.Literal.string(""))
            return self.expression(exp.Insert(this=files, expression=query, overwrite=True))
        if self._match(TokenType.OVERWRITE):
            self._match_text_seq("LOCAL")
            if self._match_text_seq("DIRECTORY"):
                path = self._parse_string()
        if not self._match(TokenType.USING):
            self._retreat(index)
            return None
        self._parse_table_parts(schema=True)
        if self._match_text_seq("OPTIONS"):
            skip_token(self)
        target = exp.Directory(this=path or exp.Literal.string(""))
        query = self._parse_ddl_select()
        return self.expression(exp.Insert(this=target, expression=query, overwrite=True))

    def _parse_insert_table(self) -> exp.Expr | None:
        target: exp.Expr | None = super()._parse_insert_table()
        table = target.this if isinstance(target, exp.Schema) else target
        if not isinstance(table, exp.Table):
            return target
        if self._match_text_seq("TEMPORARY") or self._match(TokenType.PARTITION, advance=False):
            table.set("partition", table.args.get("partition") or self._parse_partition())
        self._parse_exists(not_=True)
        if self._match_text_seq("OVERRIDING"):
            self._advance(2)
        self._skip_target_options()
        return self._parse_schema(this=table) if target is table else target

    def _skip_target_options(self) -> None:
        """Skip what a dialect allows between the target of an INSERT and its columns."""

    def _is_table_query(self) -> bool:
        # Redshift's TABLE PROPERTIES (…) is a clause.
        return self._next.text.upper() != "PROPERTIES" and super()._is_table_query()

    def _parse_merge(self) -> exp.Merge:
        self._match_text_seq("WITH", "SCHEMA", "EVOLUTION")  # Spark
        return super()._parse_merge()

    def _parse_when_matched(self) -> exp.Whens:
        if self._match_text_seq("REMOVE", "DUPLICATES"):  # Redshift
            return exp.Whens(expressions=[exp.When(matched=True, then=exp.var("DELETE"))])
        return super()._parse_when_matched()

    def _parse_version(self) -> exp.Version | None:
        """Parse time travel, also over a range: `VERSION BETWEEN 1 AND 3` of MaxCompute's delta tables."""
        if self._next.token_type is TokenType.BETWEEN and self._match_texts(_VERSIONS):
            this = self._prev.text.upper()
            self._advance()
            self._match_texts(("SCN", "TIMESTAMP"))  # Oracle, after VERSIONS BETWEEN
            first = self._parse_bitwise()
            self._match(TokenType.AND)
            bounds = exp.Tuple(expressions=[first, self._parse_bitwise()])
            return self.expression(exp.Version(this=this, expression=bounds, kind="BETWEEN"))
        return super()._parse_version()

    def _parse_into(self) -> exp.Into | None:
        return None if skip_export(self) else super()._parse_into()

    def _parse_query_modifiers(self, this: Any) -> Any:
        this = super()._parse_query_modifiers(this)
        if isinstance(this, exp.Query) and skip_export(self):
            return super()._parse_query_modifiers(this)
        return this

    def __init_subclass__(cls) -> None:
        """Let the word IF be read by `_parse_if` itself: a lambda around it would nest calls more deeply."""
        super().__init_subclass__()
        inherited = super().NO_PAREN_FUNCTION_PARSERS
        parsers = cls.__dict__.get("NO_PAREN_FUNCTION_PARSERS", inherited)
        cls.NO_PAREN_FUNCTION_PARSERS = {**parsers, "IF": ParserMixin._parse_if}

    def reset(self) -> None:
        """Forget the last statement."""
        super().reset()
        self._unnested_joins: set[int] = set()
        self._names_if: set[int] = set()

    def _parse_if(self) -> exp.Expr | None:
        # `IF IF IF`: what follows is parsed as a condition, and again as what follows a name.
        begin = self._index - 1
        if begin in self._names_if:
            self._retreat(begin)
            return None
        parsed = super()._parse_if()
        if parsed is None:
            self._names_if.add(begin)
        return parsed

    def _parse_join(
        self,
        skip_join_token: bool = False,
        parse_bracket: bool = False,
        alias_tokens: Collection[TokenType] | None = None,
    ) -> exp.Join | None:
        aliases = _join_aliases(frozenset(alias_tokens or self.TABLE_ALIAS_TOKENS))
        return super()._parse_join(skip_join_token, parse_bracket, aliases)

    def _parse_joins(self, alias_tokens: Collection[TokenType] | None = None) -> Iterator[exp.Join]:
        if not isinstance(alias_tokens, _JoinAliases):
            yield from super()._parse_joins(alias_tokens)
            return
        # sqlglot reads the joins after one without ON as nested ones, and again if no ON follows them: each
        # such join would double the time.
        begin = self._index
        if begin in self._unnested_joins:
            return
        nested: list[exp.Join] = []
        for join in super()._parse_joins(alias_tokens):
            nested.append(join)
            if self._index in self._unnested_joins:
                break  # no ON follows the rest
        if self._curr.token_type not in (TokenType.ON, TokenType.USING):
            self._unnested_joins.add(begin)
        yield from nested

    def _parse_in(self, this: exp.Expr | None, alias: bool = False) -> exp.In:
        node = super()._parse_in(this, alias)
        node.meta["end"] = self._prev.end
        return node

    def _parse_hint(self) -> exp.Hint | None:
        if not self._match(TokenType.HINT) or not self._prev_comments:
            return None
        # The token is the hint's `/*+`; the tokenizer kept its text as a comment.
        start, text = self._prev.start, self._prev_comments[0]
        self._prev_comments = []
        shift = self.sql.find(text, start)
        try:
            parsed = exp.maybe_parse(text, into=exp.Hint, dialect=self.dialect)
        except SqlglotError:
            parsed = None
        # Text with a semicolon is parsed as a block of hints.
        hint = parsed if isinstance(parsed, exp.Hint) else exp.Hint(expressions=[text])
        for node in hint.walk():
            if "start" in node.meta:
                node.meta["start"] += shift
                node.meta["end"] += shift
        hint.meta["start"], hint.meta["end"] = start, shift + len(text) + 1
        return hint


_VERSIONS = ("VERSION", "TIMESTAMP", "VERSIONS")
_STAR_CHANGES = {"except_": ("EXCEPT", "EXCLUDE"), "replace": ("REPLACE",), "rename": ("RENAME",)}
_QUERIES = frozenset({TokenType.SELECT, TokenType.WITH})


def keywords(tokenizer: Any) -> dict[str, Any]:
    """Return a dialect's keywords without those after which a statement follows that is parsed."""
    return {"KEYWORDS": {word: kind for word, kind in tokenizer.KEYWORDS.items() if word not in _PARSED}}


HEX_STRINGS = (("x'", "'"), ("X'", "'"), ('x"', '"'), ('X"', '"'))
"""Starts and ends of binary literals in Hive and the engines that follow it."""

_PARSED = frozenset({"EXPLAIN", "SUBMIT"})
"""Words by which sqlglot's tokenizer takes the rest of the statement for one string."""
