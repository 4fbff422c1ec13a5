"""Parses CREATE of tables and views as far as reviews need it, where sqlglot's parser does not know a clause.

Names, columns, keys, partition columns, comments and queries are read; all other clauses are skipped. A
clause must begin with a word of `CREATE_WORDS`: a misspelled clause is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.parsers.mysql import MySQLParser
from sqlglot.tokenizer_core import Token, TokenType

from review.parsing.keywords import CREATE_WORDS, CREATED_KINDS, DEFINITION_WORDS

if TYPE_CHECKING:
    from review.parsing.parser_mixin import ParserMixin

_OPENING = {TokenType.L_PAREN: 1, TokenType.L_BRACKET: 1, TokenType.R_PAREN: -1, TokenType.R_BRACKET: -1}
_CHANGES = frozenset({"DELETE", "UPDATE", "INSERT", "DROP", "MERGE", "EXECUTE", "SELECT"})
"""Words that start another statement, except in clauses such as `ON COMMIT DELETE ROWS`."""
_NAMES = frozenset({TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER})
_QUERIES = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.VALUES, TokenType.FROM})


def parse_creation(parser: ParserMixin) -> exp.Create | None:
    """Parse the CREATE whose first word has just been consumed; None if it creates no table, view or schema.

    Raises:
        ParseError: a clause is unknown.
    """
    replace = bool(parser._match_text_seq("OR") and parser._advance_any())
    kind, modifiers = _kind(parser)
    if not kind:
        return None
    exists = parser._parse_exists(not_=True)
    this: exp.Expr | None = parser._parse_table_parts(schema=True)
    if kind == "FUNCTION":
        return _hive_function(parser, this)
    if parser._match(TokenType.L_PAREN, advance=False) and not _is_query(parser, 1):
        parser._advance()
        this = exp.Schema(this=this, expressions=_definitions(parser))
    properties = [*_marks(modifiers)]
    query = _clauses(parser, properties)
    return parser.expression(
        exp.Create(
            this=this,
            kind=kind,
            replace=replace,
            exists=exists,
            expression=query,
            properties=exp.Properties(expressions=properties) if properties else None,
        )
    )


def _hive_function(parser: ParserMixin, name: exp.Expr | None) -> exp.Create:
    """Parse the rest of a function of Hive and Spark: `AS 'class' USING JAR 'a', FILE 'b'`."""
    if not parser._match(TokenType.ALIAS) or not parser._parse_string() or not parser._match(TokenType.USING):
        parser.raise_error("Expected AS")
    while parser._match_texts(("JAR", "FILE", "ARCHIVE")):
        parser._parse_string()
        parser._match(TokenType.COMMA)
    return parser.expression(exp.Create(this=name, kind="FUNCTION"))


def _kind(parser: ParserMixin) -> tuple[str, frozenset[str]]:
    """Consume the words up to the kind of object; the kind is "" for others."""
    words: list[str] = []
    while parser._curr and len(words) < _MAX_MODIFIERS:
        word = parser._curr.text.upper()
        if word in CREATED_KINDS:
            parser._advance()
            return word, frozenset(words)
        if _is_word(parser._curr) and not _is_clause(parser._curr) and parser._prev.text not in ("=", "@"):
            break
        words.append(word)
        parser._advance()
    return "", frozenset()


_MAX_MODIFIERS = 20


def _marks(modifiers: frozenset[str]) -> list[exp.Expr]:
    marks: list[exp.Expr] = []
    if modifiers & {"TEMPORARY", "TEMP"}:
        marks.append(exp.TemporaryProperty())
    if modifiers & {"EXTERNAL", "FOREIGN"}:
        marks.append(exp.ExternalProperty())
    return marks


def _definitions(parser: ParserMixin) -> list[exp.Expr]:
    """Return the columns and keys up to the closing parenthesis, which is consumed."""
    made: list[exp.Expr] = []
    while parser._curr and not parser._match(TokenType.R_PAREN):
        if parser._match(TokenType.PRIMARY_KEY):
            made += _key(parser)
        elif parser._curr.text.upper() in DEFINITION_WORDS and parser._curr.token_type not in _NAMES:
            parser._advance()
        else:
            made.append(_column(parser))
        _skip_clauses(parser)
        if not parser._match(TokenType.COMMA) and not parser._match(TokenType.R_PAREN, advance=False):
            parser.raise_error("Expected )")
    return made


def _key(parser: ParserMixin) -> list[exp.Expr]:
    """Return the key whose columns follow, perhaps after CLUSTERED, `USING BTREE` or a name."""
    index = parser._index
    for _ in range(_MAX_KEY_OPTIONS):
        if parser._match(TokenType.L_PAREN, advance=False):
            return [exp.PrimaryKey(expressions=parser._parse_wrapped_csv(parser._parse_ordered))]
        parser._advance()
    parser._retreat(index)
    return []


_MAX_KEY_OPTIONS = 4


def _column(parser: ParserMixin) -> exp.ColumnDef:
    name = parser._parse_id_var()
    if name is None:
        parser.raise_error("Expected a column")
    kind = None
    if not _is_clause(parser._curr) or parser._curr.token_type in parser.TYPE_TOKENS:
        kind = parser._try_parse(lambda: parser._parse_types(schema=True)) or _unknown_type(parser)
    column = exp.ColumnDef(this=name, kind=kind)
    constraints = _skip_clauses(parser)
    if constraints:
        column.set("constraints", [exp.ColumnConstraint(kind=item) for item in constraints])
    return column


def _unknown_type(parser: ParserMixin) -> exp.DataType | None:
    """Consume a type that sqlglot does not know, such as `UNIONTYPE<…>` or one of the user."""
    if not _is_word(parser._curr) and parser._curr.token_type is not TokenType.IDENTIFIER:
        return None
    words = [parser._curr.text]
    parser._advance()
    while parser._match(TokenType.DOT) and parser._curr:
        words.append(parser._curr.text)
        parser._advance()
    depth = 0
    while parser._curr:
        depth += (parser._curr.token_type is TokenType.LT) - (parser._curr.token_type is TokenType.GT)
        if not depth and parser._curr.token_type is not TokenType.GT:
            break
        parser._advance()
    return exp.DataType(this=exp.DType.USERDEFINED, kind=".".join(words))


def _clauses(parser: ParserMixin, properties: list[exp.Expr]) -> exp.Expr | None:
    """Read the clauses after the columns: collect `properties`, return the query if there is one."""
    query = None
    while parser._curr:
        if query is None and _starts_query(parser):
            query = parser._parse_ddl_select()
        elif parser._match(TokenType.PARTITION_BY) or parser._match_text_seq("PARTITIONED", "BY"):
            properties += _partitions(parser)
        elif parser._match(TokenType.PRIMARY_KEY):
            properties += _key(parser)
        elif parser._match_text_seq("UNIQUE", "KEY"):
            properties += [exp.UniqueKeyProperty(expressions=key.expressions) for key in _key(parser)]
        elif _names_another(parser):
            properties.append(exp.LikeProperty(this=parser._parse_table_parts(schema=True)))
        elif parser._match_text_seq("LIFECYCLE") and (days := parser._parse_number()):
            properties.append(exp.Property(this=exp.var("LIFECYCLE"), value=days))
        else:
            for item in _skip_clause(parser):
                if isinstance(item, exp.CommentColumnConstraint):
                    properties.append(exp.SchemaCommentProperty(this=item.this))
    return query


def _names_another(parser: ParserMixin) -> bool:
    """Whether a table follows that the new one is like: `LIKE t`, `CLONE [AS] t`; not `LIKE FILE …`."""
    if parser._match_text_seq("CLONE"):
        parser._match(TokenType.ALIAS)
        return True
    return bool(parser._match(TokenType.LIKE)) and not parser._match_text_seq("FILE")


def _starts_query(parser: ParserMixin) -> bool:
    """Whether a query follows; its AS is consumed."""
    if parser._curr.token_type is TokenType.SELECT and isinstance(parser, MySQLParser):
        return True  # MySQL does not require AS
    if parser._curr.token_type is TokenType.ALIAS and _is_query(parser, 1):
        parser._advance()
        return True
    return parser._curr.token_type is TokenType.L_PAREN and _is_query(parser, 1)


def _is_query(parser: ParserMixin, ahead: int) -> bool:
    """Whether the token `ahead` begins a query, after opening parentheses."""
    index, tokens = parser._index + ahead, parser._tokens
    while index < len(tokens) and tokens[index].token_type is TokenType.L_PAREN:
        index += 1
    return index < len(tokens) and tokens[index].token_type in _QUERIES


def _partitions(parser: ParserMixin) -> list[exp.Expr]:
    while parser._curr.text.upper() in ("RANGE", "LIST", "HASH", "KEY", "VALUE", "LINEAR", "COLUMNS"):
        parser._advance()
    if not parser._match(TokenType.L_PAREN, advance=False):
        found = parser._parse_bitwise()
        return [exp.PartitionedByProperty(this=exp.Schema(expressions=[found]))] if found else []
    columns = parser._parse_wrapped_csv(parser._parse_field_def)
    return [exp.PartitionedByProperty(this=exp.Schema(expressions=columns))]


def _skip_clauses(parser: ParserMixin) -> list[exp.Expr]:
    """Skip the rest of a definition; return its constraints."""
    found: list[exp.Expr] = []
    while parser._curr and parser._curr.token_type not in (TokenType.COMMA, TokenType.R_PAREN):
        found += _skip_clause(parser)
    return found


def _skip_clause(parser: ParserMixin) -> list[exp.Expr]:
    """Consume one token, or all in parentheses; return the constraint that it is, if a review needs it.

    Raises:
        ParseError: it is a word that begins no clause, after another such word.
    """
    token, before = parser._curr, parser._prev
    if token.token_type in _OPENING:
        _skip_brackets(parser)
        return []
    if _is_word(token) and not _is_clause(token) and not _takes_name(before):
        parser.raise_error("Unknown clause")
    changes = _is_word(token) and token.text.upper() in _CHANGES
    if changes and before.text.upper() not in ("ON", "COMMIT", "OF", "OR", "="):
        parser.raise_error("Unknown clause")
    parser._advance()
    if token.token_type is TokenType.COMMENT or token.text.upper() == "COMMENT":
        parser._match(TokenType.EQ)
        text = parser._parse_string()
        return [exp.CommentColumnConstraint(this=text)] if text else []
    if token.token_type is TokenType.NOT and parser._match(TokenType.NULL):
        return [exp.NotNullColumnConstraint()]
    if token.token_type is TokenType.PRIMARY_KEY:
        return [exp.PrimaryKeyColumnConstraint()]
    return []


def _is_word(token: Token) -> bool:
    return token.token_type not in _NAMES and (token.text[:1].isalpha() or token.text[:1] == "_")


def _takes_name(before: Token) -> bool:
    """Whether a name or value may follow: after a word of a clause, and after a sign."""
    if before.token_type in _NAMES or before.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET):
        return False
    return not _is_word(before) or _is_clause(before)


def _is_clause(token: Token) -> bool:
    """Whether a clause may begin with the token, which can have several words (`ORDER BY`)."""
    return token.text.upper().partition(" ")[0] in CREATE_WORDS


def _skip_brackets(parser: ParserMixin) -> None:
    depth = 0
    while parser._curr:
        depth += _OPENING.get(parser._curr.token_type, 0)
        if depth < 0:
            parser.raise_error("Unexpected )")
        parser._advance()
        if depth == 0:
            return
    parser.raise_error("Expected )")
