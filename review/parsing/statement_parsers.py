"""Parses statements of single engines that change data, or contain a statement that does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.parsers.hive import HiveParser
from sqlglot.tokenizer_core import TokenType

from review.parsing.keywords import EXPORT_OPTIONS

if TYPE_CHECKING:
    from review.parsing.parser_mixin import ParserMixin

_JOBS = frozenset({"EVENT", "JOB", "TASK", "PIPE", "FLOW", "SCHEDULED"})


def parse_job(parser: ParserMixin) -> exp.Expr | None:
    """Return the statement that a job runs, of a CREATE or ALTER whose first word has been consumed.

    None, with nothing consumed, if it creates no job: `CREATE EVENT … DO …` of MySQL, `CREATE JOB … DO …` of
    Doris, `CREATE PIPE … AS …` of StarRocks, `CREATE SCHEDULED QUERY … AS …` of Hive.
    """
    index = parser._index
    parser._match_text_seq("OR", "REPLACE")
    if parser._match_text_seq("DEFINER"):
        while parser._curr and parser._curr.text.upper() not in _JOBS:
            parser._advance()
    if parser._curr.text.upper() in _JOBS:
        while parser._curr:
            if parser._match_texts(("DO", "AS")):
                return _inner_statement(parser)
            skip_token(parser)
    parser._retreat(index)
    return None


def _inner_statement(parser: ParserMixin) -> exp.Expr:
    statement = parser._parse_statement()
    if statement is None or isinstance(statement, (exp.Condition, exp.Alias, exp.Tuple, exp.Command)):
        parser.raise_error("Expected a statement")
    return statement or exp.Command(this="")


def _submit(parser: ParserMixin) -> exp.Expr | None:
    """Return the statement of `SUBMIT JOB …` of AnalyticDB and `SUBMIT TASK … AS …` of StarRocks."""
    parser._advance()
    parser._parse_hint()
    parser._match_text_seq("EXTERNAL")
    if parser._match_text_seq("JOB"):
        parser._match_text_seq("AWAIT")
        return _inner_statement(parser)
    while parser._curr:
        if parser._match(TokenType.ALIAS):
            return _inner_statement(parser)
        skip_token(parser)
    parser.raise_error("Expected AS")
    return None


def _load(parser: ParserMixin) -> exp.Expr | None:
    """Parse LOAD of MySQL (a file), and of StarRocks and Doris (several files, by a label)."""
    if parser._next.text.upper() == "LABEL":
        return _labelled_load(parser)
    index = parser._index
    parser._advance()
    if not parser._match_texts(("DATA", "XML")):
        parser._retreat(index)
        return None
    parser._match_texts(("LOW_PRIORITY", "CONCURRENT"))
    parser._match_text_seq("LOCAL")
    if not parser._match_text_seq("INFILE"):
        parser._retreat(index)
        return None
    parser._parse_string()
    replaces = parser._match_texts(("REPLACE", "IGNORE"))
    if not parser._match(TokenType.INTO) or not parser._match(TokenType.TABLE):
        parser.raise_error("Expected INTO TABLE")
    table = parser._parse_table_parts(schema=True)
    skip_rest(parser)
    if replaces:
        return exp.Insert(this=table, alternative="REPLACE")
    return exp.LoadData(this=table)


def _labelled_load(parser: ParserMixin) -> exp.Expr:
    """Return the appends of `LOAD LABEL l (DATA INFILE (…) INTO TABLE t …, …) WITH …`."""
    parser._advance(2)
    parser._parse_table_parts(schema=True)
    loads: list[exp.Expr] = []
    while parser._curr:
        if parser._match_pair(TokenType.INTO, TokenType.TABLE):
            table = parser._parse_table_parts(schema=True)
            loads.append(exp.Insert(this=table))
        else:
            parser._advance()
    if not loads:
        parser.raise_error("Expected INTO TABLE")
    return exp.MultitableInserts(expressions=loads)


def _replace(parser: ParserMixin) -> exp.Expr | None:
    """Parse `REPLACE TABLE …` of Spark and ClickHouse, and MySQL's REPLACE within another statement."""
    if parser._next.token_type is TokenType.TABLE:
        parser._advance()
        made: exp.Expr = parser._parse_create()
        made.set("replace", True)
        return made
    if parser._next.token_type is not TokenType.INTO:
        return None
    parser._advance()
    node = parser._parse_insert()
    node.set("alternative", "REPLACE")
    return node


def _bulk(parser: ParserMixin) -> exp.Expr | None:
    """Parse `BULK INSERT t FROM 'file' [WITH (…)]` of T-SQL."""
    if parser._next.token_type is not TokenType.INSERT:
        return None
    parser._advance(2)
    table = parser._parse_table_parts(schema=True)
    if not parser._match(TokenType.FROM) or not parser._parse_string():
        parser.raise_error("Expected FROM")
    if parser._match(TokenType.WITH):
        skip_token(parser)
    return parser.expression(exp.LoadData(this=table))


def _delete_resource(parser: ParserMixin) -> exp.Expr | None:
    """Parse `DELETE JAR /x.jar` of Hive and Spark, which removes a file from the session only."""
    if not isinstance(parser, HiveParser) or parser._next.text.upper() not in _RESOURCES:
        return None
    skip_rest(parser)
    return exp.Command(this="DELETE")


_RESOURCES = frozenset({"JAR", "JARS", "FILE", "FILES", "ARCHIVE", "ARCHIVES"})


def _mysql_load(parser: ParserMixin) -> exp.Expr | None:
    """Parse `MYSQL LOAD DATA …` of Doris."""
    if parser._next.token_type is not TokenType.LOAD:
        return None
    parser._advance()
    return _load(parser)


STATEMENTS: dict[str, Callable[[ParserMixin], exp.Expr | None]] = {
    "SUBMIT": _submit,
    "LOAD": _load,
    "MYSQL": _mysql_load,
    "DELETE": _delete_resource,
    "REPLACE": _replace,
    "BULK": _bulk,
}
"""Parsers of the statements that start with these words; None, with nothing consumed, for others."""


def skip_export(parser: ParserMixin) -> bool:
    """Consume `INTO OUTFILE 'file' …` with its options, and `INTO @a, @b`; whether it was there."""
    if not parser._match(TokenType.INTO, advance=False):
        return False
    if parser._next.text.upper() in ("OUTFILE", "DUMPFILE"):
        parser._advance(2)
        parser._parse_string()
        while parser._match_texts(EXPORT_OPTIONS) or parser._match_set(_EXPORT_VALUES):
            if parser._match(TokenType.L_PAREN, advance=False):
                skip_token(parser)
        return True
    if parser._next.token_type is TokenType.PARAMETER:
        parser._advance()
        while parser._match(TokenType.PARAMETER) or parser._match(TokenType.COMMA):
            parser._match(TokenType.VAR)
        return True
    return False


def parse_partition_names(parser: ParserMixin, table: exp.Table) -> None:
    """Parse what StarRocks and Doris allow after a table: `[TEMPORARY] PARTITION[S] name` or `(names)`.

    sqlglot's parser reads PARTITION with parentheses itself.
    """
    index = parser._index
    temporary = parser._match(TokenType.TEMPORARY)
    if not parser._match_texts(("PARTITION", "PARTITIONS")):
        parser._retreat(index)
    elif not parser._match(TokenType.L_PAREN, advance=False):
        if name := parser._parse_id_var(any_token=False):
            table.set("partition", exp.Partition(expressions=[name]))
        else:
            parser._retreat(index)
    elif temporary or parser._prev.text.upper() == "PARTITIONS":
        names = parser._parse_wrapped_csv(parser._parse_id_var)
        table.set("partition", exp.Partition(expressions=names))
    else:
        parser._retreat(index)


_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)
_EXPORT_VALUES = frozenset({TokenType.STRING, TokenType.NUMBER, TokenType.VAR, TokenType.CHARACTER_SET})


def skip_token(parser: ParserMixin) -> None:
    """Consume one token, or all in parentheses or brackets."""
    depth = 0
    while parser._curr:
        kind = parser._curr.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        parser._advance()
        if depth <= 0:
            return


def skip_rest(parser: ParserMixin) -> None:
    """Consume the rest of the statement."""
    while parser._curr:
        parser._advance()
