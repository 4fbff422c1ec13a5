"""Parses ALTER of every dialect as far as reviews need it: what is added, dropped or renamed, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from review.parsing.ast_nodes import AlterAction, AlterTable
from review.parsing.keywords import ALTER_VERBS, NO_COLUMN

if TYPE_CHECKING:
    from review.parsing.parser_mixin import ParserMixin

_KINDS = (
    ("EXTERNAL", "TABLE"),
    ("FOREIGN", "TABLE"),
    ("MATERIALIZED", "VIEW"),
    ("TABLE", "GROUP"),
    ("DEFAULT", "PRIVILEGES"),
    ("PACKAGE", "BODY"),
)
_NESTED = frozenset({TokenType.STRUCT, TokenType.ARRAY, TokenType.MAP})
_PARTITIONS = frozenset({"PARTITION", "PARTITIONS", "SUBPARTITION", "SUBPARTITIONS"})


def parse_alter(parser: ParserMixin) -> AlterTable | exp.Update | exp.Delete:
    """Parse the ALTER whose first word has just been consumed.

    ClickHouse changes rows by `ALTER TABLE … UPDATE` and `… DELETE`: they become an `Update` and a `Delete`.

    Raises:
        ParseError: the action is unknown.
    """
    kind = _kind(parser)
    exists = bool(parser._match_text_seq("IF", "EXISTS"))
    parser._match_text_seq("ONLY")
    table = parser._parse_table_parts(schema=True)
    parser._match(TokenType.STAR)
    if parser._match_text_seq("ON", "CLUSTER"):
        parser._advance_any()
    if kind == "TABLE" and (changed := _mutation(parser, table)):
        return changed
    actions = _actions(parser)
    return parser.expression(AlterTable(this=table, kind=kind, exists=exists, actions=actions))


def _mutation(parser: ParserMixin, table: exp.Expr | None) -> exp.Update | exp.Delete | None:
    if parser._match(TokenType.DELETE):
        return parser.expression(exp.Delete(this=table, where=_where(parser)))
    if parser._next.text.upper() != "STATISTICS" and parser._match(TokenType.UPDATE):
        values = parser._parse_csv(lambda: _assigned(parser))
        return parser.expression(exp.Update(this=table, expressions=values, where=_where(parser)))
    return None


def _assigned(parser: ParserMixin) -> exp.Expr:
    column = parser._parse_column()
    if not parser._match(TokenType.EQ):
        parser.raise_error("Expected =")
    return parser.expression(exp.EQ(this=column, expression=parser._parse_bitwise()))


def _where(parser: ParserMixin) -> exp.Expr | None:
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
                "TABLE" if word in ("EXTERNAL", "FOREIGN") else word for word in words[-2:]
            ).replace("TABLE TABLE", "TABLE")
    word = parser._curr.text.upper()
    parser._advance()
    return word


def _actions(parser: ParserMixin) -> list[AlterAction]:
    actions: list[AlterAction] = []
    while parser._curr:
        start = parser._curr
        word = start.text.upper()
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
    if word in _PARTITIONS:
        return _make("ADD PARTITION", partitions=_partitions(parser))
    if word in NO_COLUMN and not _names_a_type(parser):
        return _make("ADD")
    parser._match_texts(("COLUMN", "COLUMNS"))
    parser._match_text_seq("IF", "NOT", "EXISTS")
    return _make("ADD COLUMNS", columns=_columns(parser))


def _dropped(parser: ParserMixin, verb: str) -> AlterAction:
    parser._match_text_seq("IF", "EXISTS")
    word = parser._curr.text.upper()
    if word in _PARTITIONS:
        kind = "DROP PARTITION" if verb != "TRUNCATE" else "TRUNCATE PARTITION"
        return _make(kind, partitions=_partitions(parser))
    if verb != "DROP":
        return _make(verb)
    if word in NO_COLUMN:
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
    if parser._curr.text.upper() in ("INDEX", "CONSTRAINT", "PARTITION", "TTL", "ORDER", "SETTING", "QUERY"):
        return _make("ALTER")
    names = [parser._parse_id_var()]
    if parser._match_text_seq("RENAME", "TO"):
        return _make("RENAME COLUMN", columns=[*names, parser._parse_id_var()])
    if parser._curr.token_type in (TokenType.VAR, TokenType.IDENTIFIER) and parser._next:
        names.append(parser._parse_id_var())
    return _make("CHANGE COLUMN", columns=[name for name in names if name])


def _set(parser: ParserMixin) -> AlterAction:
    for words, kind in (
        (("LIFECYCLE",), "SET LIFECYCLE"),
        (("COMMENT",), "COMMENT"),
        (("OWNER", "TO"), "OWNER"),
    ):
        if parser._match_text_seq(*words):
            return _make(kind, value=parser._parse_primary() or parser._parse_id_var())
    return _make("SET")


def _other(parser: ParserMixin, word: str, partitions: list[exp.Expr]) -> AlterAction:
    if word in ("OWNER", "CHANGEOWNER"):
        parser._match_text_seq("TO")
        return _make("OWNER", value=parser._parse_primary() or parser._parse_id_var())
    if word == "COMMENT":
        return _make(word, value=parser._parse_string())
    if word == "AS":
        return _make(word, value=parser._parse_select())
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
    while parser._curr.text.upper() in _PARTITIONS:
        begin = parser._curr
        if parser._next.token_type is TokenType.L_PAREN:
            parser._advance()
            partition: exp.Expr = exp.Partition(
                expressions=parser._parse_wrapped_csv(parser._parse_disjunction)
            )
        else:
            parser._advance()
            partition = exp.Partition(expressions=[])
            while parser._curr and parser._curr.token_type is not TokenType.COMMA:
                if parser._curr.text.upper() in ALTER_VERBS:
                    break
                parser._advance()
        partition.meta["start"], partition.meta["end"] = begin.start, parser._prev.end
        partitions.append(partition)
        if parser._curr.token_type is TokenType.COMMA and parser._next.text.upper() in _PARTITIONS:
            parser._advance()
    return partitions


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
        if kind is TokenType.L_PAREN:
            depth += 1
        elif kind is TokenType.R_PAREN:
            depth -= 1
        elif kind is TokenType.LT and parser._prev.token_type in _NESTED:
            angles += 1
        elif kind is TokenType.GT and angles:
            angles -= 1
        parser._advance()


def _make(kind: str, **parts: object) -> AlterAction:
    return AlterAction(this=kind, **{name: value for name, value in parts.items() if value is not None})
