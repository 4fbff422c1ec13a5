"""Changes to sqlglot's parser for every dialect: node positions, ALTER, errors, and no logging."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from review.parsing.alter_parser import parse_alter
from review.parsing.ast_nodes import Definition, Explain
from review.parsing.keywords import EXPLAINED, NO_DATA, OPAQUE
from review.parsing.leaf_parser import LeafParserMixin

_NONE = Token(TokenType.STRING, "")


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
        if self._curr.token_type in _QUERIES:  # sqlglot tries an expression first
            return self._parse_query_modifiers(self._parse_select())
        return super()._parse_statement()

    def _parse_explain(self) -> Explain:
        self._advance()
        if self._match(TokenType.L_PAREN):
            self._parse_csv(lambda: self._advance_any() and self._advance_any())
            self._match_r_paren()
        while self._match_texts(EXPLAINED):
            pass
        return self.expression(Explain(this=self._parse_statement()))

    def _parse_create(self) -> Any:
        return self._definition("CREATE") or super()._parse_create()

    def _parse_drop(self, exists: bool = False, kind: str | None = None) -> Any:
        return (None if kind else self._definition("DROP")) or super()._parse_drop(exists, kind)

    def _parse_alter(self) -> Any:
        return self._definition("ALTER") or parse_alter(self)

    def _definition(self, verb: str) -> Definition | None:
        index = self._index
        self._match_pair(TokenType.OR, TokenType.REPLACE)
        kind = self._curr.text.upper()
        if kind not in NO_DATA or self._prev.token_type is TokenType.L_PAREN:
            self._retreat(index)
            return None
        first = self._curr
        while self._curr:
            self._advance()
        if first is self._prev:
            self.raise_error("Expected a name")
        return Definition(verb=verb, kind=kind, text=self._find_sql(first, self._prev))

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
        node = super()._parse_insert()
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
        lateral = super()._parse_lateral()
        if lateral is not None and (pivots := self._parse_pivots()):
            lateral.set("pivots", pivots)
        return lateral

    def _pivot_column_names(self, _: list[exp.Expr]) -> list[str]:
        """Return no names: sqlglot would combine them with all values, and nothing reads the result."""
        return []

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
            hint = exp.maybe_parse(text, into=exp.Hint, dialect=self.dialect)
        except SqlglotError:
            hint = exp.Hint(expressions=[text])
        for node in hint.walk():
            if "start" in node.meta:
                node.meta["start"] += shift
                node.meta["end"] += shift
        hint.meta["start"], hint.meta["end"] = start, shift + len(text) + 1
        return hint


_STAR_CHANGES = {"except_": ("EXCEPT", "EXCLUDE"), "replace": ("REPLACE",), "rename": ("RENAME",)}
_QUERIES = frozenset({TokenType.SELECT, TokenType.WITH})


def keywords(tokenizer: Any) -> dict[str, Any]:
    """Return a dialect's keywords without EXPLAIN, so that the explained statement is parsed."""
    return {"KEYWORDS": {word: kind for word, kind in tokenizer.KEYWORDS.items() if word != "EXPLAIN"}}
