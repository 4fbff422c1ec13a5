"""Parses ALTER of every dialect as far as reviews need it: what is added, dropped or renamed, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from review.parsing.ast_nodes import AlterAction, AlterTable
from review.parsing.keywords import ALTER_VERBS, NO_COLUMN
from review.parsing.statement_parsers import skip_token

if TYPE_CHECKING:
    from review.parsing.parser_mixin import ParserMixin

_KINDS = (
    ("EXTERNAL", "TABLE"),
    ("FOREIGN", "TABLE"),
    ("DYNAMIC", "TABLE"),
    ("MATERIALIZED", "VIEW"),
    ("TABLE", "GROUP"),
    ("DEFAULT", "PRIVILEGES"),
    ("PACKAGE", "BODY"),
)
_NESTED = frozenset({TokenType.STRUCT, TokenType.ARRAY, TokenType.MAP})
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)
_PARTITIONS = frozenset({"PARTITION", "PARTITIONS", "SUBPARTITION", "SUBPARTITIONS"})


def parse_alter(parser: ParserMixin) -> AlterTable | exp.Update | exp.Delete | exp.Insert:
    """Parse the ALTER whose first word has just been consumed.

    ClickHouse changes rows by `ALTER TABLE … UPDATE` and `… DELETE`: they become an `Update` and a `Delete`.
    Redshift's `ALTER TABLE … APPEND FROM` becomes an `Insert`.

    Raises:
        ParseError: the action is unknown.
    """
    kind = _kind(parser)
    exists = bool(parser._match_text_seq("IF", "EXISTS"))
    parser._match_text_seq("ONLY")
    table = parser._parse_table_parts(schema=True)
    parser._match(TokenType.STAR)
    if kind not in ("TABLE", "INDEX") and parser._match(TokenType.L_PAREN, advance=False):
        skip_token(parser)  # the columns of a view, the arguments of a function
    if parser._match_text_seq("ON", "CLUSTER"):
        parser._advance_any()
    if kind == "TABLE" and (changed := _mutation(parser, table)):
        return changed
    actions = _actions(parser)
    return parser.expression(AlterTable(this=table, kind=kind, exists=exists, actions=actions))


def _mutation(parser: ParserMixin, table: exp.Expr | None) -> exp.Update | exp.Delete | exp.Insert | None:
    if parser._match_text_seq("APPEND", "FROM"):
        parser._parse_table_parts(schema=True)
        parser._match_texts(("IGNOREEXTRA", "FILLTARGET"))
        return exp.Insert(this=table)
    if parser._match(TokenType.DELETE):
        return parser.expression(exp.Delete(this=table, where=parse_mutation_where(parser)))
    if parser._next.text.upper() not in ("STATISTICS", "COLUMNS") and parser._match(TokenType.UPDATE):
        values = parser._parse_csv(lambda: _assigned(parser))
        return parser.expression(
            exp.Update(this=table, expressions=values, where=parse_mutation_where(parser))
        )
    return None


def _assigned(parser: ParserMixin) -> exp.Expr:
    column = parser._parse_column()
    if not parser._match(TokenType.EQ):
        parser.raise_error("Expected =")
    return parser.expression(exp.EQ(this=column, expression=parser._parse_bitwise()))


def parse_mutation_where(parser: ParserMixin) -> exp.Expr | None:
    """Parse `[IN PARTITION …] WHERE … [SETTINGS …]` of ClickHouse."""
    if parser._match(TokenType.IN):
        parser._match_text_seq("PARTITION")
        parser._parse_disjunction()
    where = parser._parse_where()
    if parser._match_text_seq("SETTINGS"):
        parser._parse_csv(parser._parse_assignment)
    return where


def _kind(parser: ParserMixin) -> str:
    for words in _KINDS:
        if parser._match_text_seq(*words):
            return " ".join(
                "TABLE" if word in ("EXTERNAL", "FOREIGN", "DYNAMIC") else word for word in words[-2:]
            ).replace("TABLE TABLE", "TABLE")
    word = parser._curr.text.upper()
    parser._advance()
    return word


def _actions(parser: ParserMixin) -> list[AlterAction]:
    actions: list[AlterAction] = []
    while parser._curr:
        start = parser._curr
        word = start.text.upper().partition(" ")[0]  # of ORDER BY
        if actions and word not in ALTER_VERBS:
            _continue(parser, actions[-1])
        else:
            if word not in ALTER_VERBS:
                parser.raise_error("Unknown ALTER action")
            actions.append(_action(parser))
            actions[-1].meta["start"] = start.start
        _skip(parser)
        actions[-1].meta["end"] = parser._prev.end
        parser._match(TokenType.COMMA)
        if parser._curr is start:  # no progress: an unmatched closing bracket
            parser.raise_error("Unknown ALTER action")
    if not actions:
        parser.raise_error("ALTER without an action")
    return actions


def _continue(parser: ParserMixin, action: AlterAction) -> None:
    """Continue an action after a comma: `DROP COLUMN a, b`, `DROP PARTITION (…), PARTITION (…)`."""
    if parser._curr.text.upper() in _PARTITIONS:
        for partition in _partitions(parser):
            action.append("partitions", partition)
    elif action.args.get("columns") and (name := parser._parse_id_var()):
        action.append("columns", name)


def _action(parser: ParserMixin) -> AlterAction:
    if parser._curr.text.upper() == "PARTITIONS" and parser._next.token_type is TokenType.NUMBER:
        parser._advance()  # their number, of AnalyticDB
    partitions = _partitions(parser)
    word = parser._curr.text.upper()
    if not parser._curr:
        parser.raise_error("PARTITION without an action")
    parser._advance()
    if word == "ADD":
        return _added(parser)
    if word in ("DROP", "TRUNCATE", "DETACH", "CLEAR"):
        return _dropped(parser, word)
    if word == "RENAME":
        return _renamed(parser, partitions)
    if word in ("CHANGE", "MODIFY", "ALTER"):
        return _changed(parser)
    if word == "SET" and not partitions:
        return _set(parser)
    return _other(parser, word, partitions)


def _added(parser: ParserMixin) -> AlterAction:
    parser._match_text_seq("IF", "NOT", "EXISTS")
    parser._match_text_seq("TEMPORARY")
    word = parser._curr.text.upper()
    if _changes_partition_field(parser):
        return _make("ADD")
    if word in _PARTITIONS:
        return _make("ADD PARTITION", partitions=_partitions(parser))
    if _starts_no_column(word) and not _names_a_type(parser):
        return _make("ADD")
    parser._match_texts(("COLUMN", "COLUMNS"))
    parser._match_text_seq("IF", "NOT", "EXISTS")
    return _make("ADD COLUMNS", columns=_columns(parser))


def _dropped(parser: ParserMixin, verb: str) -> AlterAction:
    parser._match_text_seq("IF", "EXISTS")
    word = parser._curr.text.upper()
    if _changes_partition_field(parser) or word == "UNUSED":
        return _make("DROP")
    if word == "PART" and parser._next.token_type is TokenType.STRING:
        return _make("DROP PARTITION", partitions=[])  # one file of ClickHouse's
    if word in _PARTITIONS:
        return _make(f"{verb} PARTITION", partitions=_partitions(parser))
    if verb != "DROP":
        return _make(verb)
    if _starts_no_column(word):
        return _make("DROP")
    parser._match_texts(("COLUMN", "COLUMNS"))
    parser._match_text_seq("IF", "EXISTS")
    return _make("DROP COLUMNS", columns=_columns(parser))


def _renamed(parser: ParserMixin, partitions: list[exp.Expr]) -> AlterAction:
    if parser._match_text_seq("COLUMN"):
        parser._match_text_seq("IF", "EXISTS")
        old = parser._parse_id_var()
        parser._match_text_seq("TO")
        return _make("RENAME COLUMN", columns=[name for name in (old, parser._parse_id_var()) if name])
    parser._match_texts(("TO", "AS"))
    if parser._curr.text.upper() in _PARTITIONS:
        new = _partitions(parser)
        return _make("RENAME PARTITION", partitions=partitions, value=new[0] if new else None)
    if parser._curr.text.upper() in ("CONSTRAINT", "INDEX", "KEY", "VALUE", "ATTRIBUTE", "ROLLUP"):
        return _make("RENAME CONSTRAINT")
    name = parser._parse_table_parts(schema=True)
    if parser._match_text_seq("TO"):
        return _make("RENAME COLUMN", columns=[name.this if name else None, parser._parse_id_var()])
    return _make("RENAME", value=name)


def _changed(parser: ParserMixin) -> AlterAction:
    parser._match_texts(("COLUMN", "COLUMNS"))
    parser._match_text_seq("IF", "EXISTS")
    if parser._match(TokenType.L_PAREN, advance=False):
        return _make("CHANGE COLUMN", columns=_columns(parser))
    word = parser._curr.text.upper().partition(" ")[0]
    if word in ("INDEX", "CONSTRAINT", "PARTITION", "TTL", "ORDER", "SETTING", "QUERY"):
        return _make("ALTER")
    if _changes_table(parser):
        return _make("ALTER")
    names = [parser._parse_id_var()]
    if parser._match_text_seq("RENAME", "TO"):
        return _make("RENAME COLUMN", columns=[*names, parser._parse_id_var()])
    names_another = parser._curr.token_type in (TokenType.VAR, TokenType.IDENTIFIER) and bool(parser._next)
    if names_another and parser._curr.text.upper() != "REMOVE":
        names.append(parser._parse_id_var())
    return _make("CHANGE COLUMN", columns=[name for name in names if name])


def _changes_partition_field(parser: ParserMixin) -> bool:
    """Whether `PARTITION FIELD …` of Iceberg follows, by which only rows to come are partitioned."""
    return parser._next.text.upper() == "FIELD" and parser._curr.token_type is TokenType.PARTITION


def _changes_table(parser: ParserMixin) -> bool:
    """Whether a property follows, not a column: `COMMENT 'x'`, `DISTRIBUTION DISTRIBUTED BY …`."""
    word = parser._curr.text.upper()
    if word == "COMMENT":
        return parser._next.token_type is TokenType.STRING
    return word in ("DISTRIBUTION", "ENGINE") and parser._next.text.upper().startswith(("DISTRIBUTED", "TO"))


def _set(parser: ParserMixin) -> AlterAction:
    if parser._match_text_seq("UNUSED"):  # Oracle: the column can no longer be read
        parser._match_texts(("COLUMN", "COLUMNS"))
        return _make("DROP COLUMNS", columns=_columns(parser))
    for words, kind in (
        (("LIFECYCLE",), "SET LIFECYCLE"),
        (("COMMENT",), "COMMENT"),
        (("OWNER", "TO"), "OWNER"),
    ):
        if parser._match_text_seq(*words):
            return _make(kind, value=parser._parse_primary() or parser._parse_id_var())
    if parser._match_text_seq("SCHEMA") and (schema := parser._parse_id_var()):
        return _make("SET SCHEMA", columns=[schema])
    return _make("SET")


def _other(parser: ParserMixin, word: str, partitions: list[exp.Expr]) -> AlterAction:
    if word in ("OWNER", "CHANGEOWNER"):
        parser._match_text_seq("TO")
        return _make("OWNER", value=parser._parse_primary() or parser._parse_id_var())
    if word == "COMMENT":
        return _make(word, value=parser._parse_string())
    if word == "AS":
        return _make(word, value=parser._parse_select())
    if word == "REPLACE" and parser._curr.text.upper() in _PARTITIONS:
        return _make("REPLACE PARTITION")
    if word == "MERGE" and (merged := _partitions(parser) or _more(parser)):
        new = _partitions(parser) if parser._match(TokenType.OVERWRITE) else []
        return _make("MERGE PARTITION", partitions=merged, value=new[0] if new else None)
    return _make("PARTITION" if partitions else word, partitions=partitions)


def _more(parser: ParserMixin) -> list[exp.Expr]:
    parser._match_text_seq("IF", "EXISTS")
    return _partitions(parser)


def _columns(parser: ParserMixin) -> list[exp.Expr]:
    """Return the name of one column, or of several in parentheses; types and the rest are skipped."""
    if not parser._match(TokenType.L_PAREN):
        name = parser._parse_id_var()
        return [name] if name else []
    names = []
    while parser._curr and not parser._match(TokenType.R_PAREN):
        if name := parser._parse_id_var():
            names.append(name)
        _skip(parser)
        parser._match(TokenType.COMMA)
    return names


def _partitions(parser: ParserMixin) -> list[exp.Expr]:
    """Return `PARTITION (…) [,] PARTITION (…)`; names and values without parentheses are skipped."""
    partitions: list[exp.Expr] = []
    while parser._curr.text.upper() in _PARTITIONS and parser._next.text.upper() != "COLUMN":
        begin = parser._curr
        if parser._next.token_type is TokenType.L_PAREN:
            parser._advance()
            partition: exp.Expr = exp.Partition(
                expressions=parser._parse_wrapped_csv(parser._parse_disjunction)
            )
        else:
            parser._advance()
            partition = exp.Partition(expressions=[])
            depth = 0
            while parser._curr and (depth > 0 or parser._curr.token_type is not TokenType.COMMA):
                if not depth and parser._curr.text.upper() in ALTER_VERBS:
                    break
                depth += _nesting(parser._curr.token_type)
                parser._advance()
        partition.meta["start"], partition.meta["end"] = begin.start, parser._prev.end
        partitions.append(partition)
        if parser._curr.token_type is TokenType.COMMA and parser._next.text.upper() in _PARTITIONS:
            parser._advance()
    return partitions


def _starts_no_column(word: str) -> bool:
    """Whether what begins with a token, such as PRIMARY KEY, is no column."""
    return word.partition(" ")[0] in NO_COLUMN


def _names_a_type(parser: ParserMixin) -> bool:
    """Whether a word that can start a constraint is a column's name: `ADD key BIGINT`."""
    return parser._curr.text.upper() in ("TAG", "LABEL", "VALUE", "PERIOD", "STATISTICS", "SYSTEM") and bool(
        parser._next.text
    )


def _skip(parser: ParserMixin) -> None:
    """Skip to the next comma or closing parenthesis of this nesting level."""
    depth = angles = 0
    while parser._curr:
        kind = parser._curr.token_type
        if depth == 0 and kind in (TokenType.COMMA, TokenType.R_PAREN) and not angles:
            return
        if nesting := _nesting(kind):
            depth += nesting
        elif kind is TokenType.LT and parser._prev.token_type in _NESTED:
            angles += 1
        elif kind is TokenType.GT and angles:
            angles -= 1
        parser._advance()


def _nesting(kind: TokenType) -> int:
    """Return by how much a token changes the depth; a range of partitions may be `[(1), (2))`."""
    return (kind in _OPENING) - (kind in _CLOSING)


def _make(kind: str, **parts: object) -> AlterAction:
    return AlterAction(this=kind, **{name: value for name, value in parts.items() if value is not None})
