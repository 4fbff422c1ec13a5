"""Syntax of MaxCompute beyond Hive's queries: script mode, its own statements, Java expressions, UDJ."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from review.parsing.ast_nodes import Assignment, Condition, Routine, TableCommand

if TYPE_CHECKING:
    from review.parsing.maxcompute import MaxComputeParser


def parse_variable(parser: MaxComputeParser) -> exp.Identifier:
    """Return `@name` as an identifier that includes the `@`, which has been consumed."""
    at, word = parser._prev, parser._curr
    parser._advance()
    name = exp.Identifier(this=f"@{word.text}", quoted=False)
    name.meta["start"], name.meta["end"] = at.start, word.end
    return name


def parse_assignment(parser: MaxComputeParser) -> Assignment:
    """Return `@v [type] [:= [CACHE ON] query or value]`."""
    parser._advance()
    name, kind, value = parse_variable(parser), None, None
    if parser._match(TokenType.TABLE):
        kind = parser._parse_schema()
    elif parser._curr and parser._curr.token_type is not TokenType.COLON_EQ:
        kind = parser._parse_types(schema=True)
    if parser._match(TokenType.COLON_EQ):
        if parser._match_text_seq("CACHE"):
            if parser._match_text_seq("WITH", "CACHEPROPERTIES"):
                parser._parse_wrapped_csv(parser._parse_property)
            parser._match(TokenType.ON)
        value = parser._parse_statement()
    return parser.expression(Assignment(this=name, kind=kind, expression=value))


def parse_function(parser: MaxComputeParser) -> exp.Create | None:
    """Return CREATE [SQL] FUNCTION, or CREATE VIEW with parameters; None (nothing consumed) for others."""
    index = parser._index
    replace = parser._match_pair(TokenType.OR, TokenType.REPLACE)
    parser._match(TokenType.TEMPORARY)
    parser._match_text_seq("SQL")
    kind = parser._curr.text.upper()
    parser._advance()
    exists = parser._parse_exists(not_=True)
    if kind != "FUNCTION" and not (kind == "VIEW" and _takes_variables(parser)):
        parser._retreat(index)
        return None
    routine = _routine(parser)
    uses = parser._parse_properties()
    _rest(parser)
    return parser.expression(
        exp.Create(this=routine, kind=kind, replace=replace, exists=exists, properties=uses)
    )


def parse_anonymous_block(parser: MaxComputeParser) -> exp.Expr | None:
    """Return `FUNCTION (@a) [RETURNS …] AS expression` in an expression, or None (nothing consumed)."""
    if not parser._match(TokenType.L_PAREN):
        parser._retreat(parser._index - 1)
        return None
    _balanced(parser)
    _returns(parser)
    if not parser._match(TokenType.ALIAS):
        parser.raise_error("Expected AS")
    return parser._parse_select() or parser._parse_disjunction()


def _takes_variables(parser: MaxComputeParser) -> bool:
    index = parser._index
    parser._parse_table_parts(schema=True)
    found = parser._match_pair(TokenType.L_PAREN, TokenType.PARAMETER)
    parser._retreat(index)
    return found


def _returns(parser: MaxComputeParser) -> None:
    if parser._match_text_seq("RETURNS"):
        parser._match(TokenType.PARAMETER)
        parser._advance()
        if parser._match(TokenType.TABLE):
            parser._parse_schema()
        else:
            parser._parse_types(schema=True)


def _routine(parser: MaxComputeParser) -> Routine:
    name, body = parser._parse_table_parts(schema=True), None
    if parser._match(TokenType.L_PAREN):
        _balanced(parser)
    _returns(parser)
    parser._parse_properties()
    if parser._match(TokenType.ALIAS):
        if parser._match(TokenType.BEGIN, advance=False):
            _rest(parser)
        else:
            body = parser._parse_select() or parser._parse_disjunction()
    return parser.expression(Routine(this=name, body=body))


def parse_join(parser: MaxComputeParser, join: exp.Join) -> exp.Join:
    """Return `join` with the user-defined join that may follow: `USING f(…) r AS (a, b) [SORT BY …]`."""
    using = join.args.get("using")
    if using or not parser._match(TokenType.USING):
        return join
    call = parser._parse_function(anonymous=True)
    alias = parser._parse_table_alias()
    if alias and parser._match(TokenType.ALIAS):
        alias.set("columns", parser._parse_wrapped_id_vars(optional=True))
    if parser._match_text_seq("WITH", "UDFPROPERTIES"):
        parser._parse_wrapped_csv(parser._parse_property)
    parser._parse_sort(exp.Sort, TokenType.SORT_BY)
    join.set("pivots", [exp.Alias(this=call, alias=alias)] if call else None)
    return join


def parse_create(parser: MaxComputeParser) -> exp.Expr | None:
    """Return `new java.util.HashMap<String, Long>(…)`, `new Integer[]{1, 2}`, `new int[3]` as a call.

    None, with nothing consumed, where NEW is an ordinary name.
    """
    first = parser._prev
    if parser._curr.token_type not in parser.ID_VAR_TOKENS or parser._next.token_type not in _AFTER_CLASS:
        parser._retreat(parser._index - 1)
        return None
    name = _class(parser)
    values: list[Any] = []
    while parser._match(TokenType.L_BRACKET):
        if not parser._match(TokenType.R_BRACKET):
            values.append(parser._parse_disjunction())
            parser._match(TokenType.R_BRACKET)
    if parser._match(TokenType.L_BRACE):
        values += parser._parse_csv(parser._parse_disjunction)
        parser._match(TokenType.R_BRACE)
    elif parser._match(TokenType.L_PAREN):
        values += parser._parse_csv(parser._parse_disjunction)
        parser._match_r_paren()
    call = exp.Anonymous(this=name, expressions=values)
    call.meta["start"], call.meta["end"] = first.start, parser._prev.end
    return parser.expression(call)


def parse_java_type(parser: MaxComputeParser, *, check_func: bool, schema: bool) -> exp.Expr | None:
    """Return a Java type where only a type can occur (`cast(x as java.util.List<String>)`), or None."""
    if check_func or not (schema or parser._prev.token_type is TokenType.ALIAS):
        return None
    if parser._curr.token_type is not TokenType.VAR:
        return None
    name = _class(parser)
    while parser._match_pair(TokenType.L_BRACKET, TokenType.R_BRACKET):
        pass
    return exp.DataType(this=exp.DType.USERDEFINED, kind=name)


def parse_transform(parser: MaxComputeParser) -> exp.Expr:
    """Return `TRANSFORM (…) [ROW FORMAT …] USING '…' [RESOURCES '…'] [AS …] [ROW FORMAT …]`."""
    values = parser._parse_wrapped_csv(parser._parse_lambda)
    before = parser._parse_row_format(match_row=True)
    if parser._match_text_seq("RECORDWRITER"):
        parser._parse_string()
    if not parser._match(TokenType.USING):
        return parser.expression(exp.Transform.from_arg_list(values))
    command = parser._parse_string()
    if parser._match_text_seq("RESOURCES"):
        parser._parse_csv(parser._parse_string)
    schema = None
    if parser._match(TokenType.ALIAS):
        columns = parser._parse_wrapped_csv(parser._parse_field_def, optional=True)
        schema = exp.Schema(expressions=columns)
    after = parser._parse_row_format(match_row=True)
    if parser._match_text_seq("RECORDREADER"):
        parser._parse_string()
    return parser.expression(
        exp.QueryTransform(
            expressions=values,
            command_script=command,
            schema=schema,
            row_format_before=before,
            row_format_after=after,
        )
    )


def _condition(parser: MaxComputeParser) -> Condition:
    loop = parser._curr.text.upper() == "LOOP"
    parser._advance()
    bounds: list[Any] = []
    if loop:
        parser._match(TokenType.PARAMETER)
        this: Any = parse_variable(parser)
        for word in ("FROM", "TO"):
            parser._match_text_seq(word)
            bounds.append(parser._parse_disjunction())
    else:
        this = parser._parse_disjunction()
    body = parser._parse_statement() if parser._curr else None
    return parser.expression(Condition(this=this, bounds=bounds, body=body))


def _load(parser: MaxComputeParser) -> exp.Expr:
    parser._advance()
    if parser._match_text_seq("DATA", advance=False):
        return parser._parse_load()
    overwrite = parser._match(TokenType.OVERWRITE)
    parser._match(TokenType.INTO)
    parser._match(TokenType.TABLE)
    table = parser._parse_table_parts(schema=True)
    partition = parser._parse_partition()
    if parser._match(TokenType.L_PAREN):
        _balanced(parser)
    if not parser._match(TokenType.FROM):
        parser.raise_error("Expected FROM")
    _rest(parser)
    return parser.expression(exp.LoadData(this=table, overwrite=overwrite, partition=partition, inpath=None))


def _unload(parser: MaxComputeParser) -> TableCommand:
    parser._advance()
    if not parser._match(TokenType.FROM):
        parser.raise_error("Expected FROM")
    this = parser._parse_select(nested=True) or parser._parse_table_parts(schema=True)
    partition = parser._parse_partition()
    if not parser._match(TokenType.INTO):
        parser.raise_error("Expected INTO")
    _rest(parser)
    partitions = [partition] if partition else []
    return parser.expression(TableCommand(verb="UNLOAD", this=this, partitions=partitions))


def _whole(parser: MaxComputeParser) -> TableCommand:
    """Parse CLONE TABLE a TO b, RESTORE TABLE t, PURGE TABLE t."""
    verb = parser._curr.text.upper()
    parser._advance()
    if verb == "PURGE" and not parser._match(TokenType.TABLE, advance=False):
        _rest(parser)
        return TableCommand(verb=verb)
    if not parser._match(TokenType.TABLE):
        parser.raise_error("Expected TABLE")
    table = parser._parse_table_parts(schema=True)
    partitions = []
    while partition := parser._parse_partition():
        partitions.append(partition)
        parser._match(TokenType.COMMA)
    target = None
    if verb == "CLONE" and parser._match_text_seq("TO"):
        target = parser._parse_table_parts(schema=True)
    overwrite = parser._match_text_seq("IF", "EXISTS", "OVERWRITE")
    _rest(parser)
    return parser.expression(
        TableCommand(verb=verb, this=table, partitions=partitions, target=target, overwrite=overwrite)
    )


def _function(parser: MaxComputeParser) -> Routine:
    parser._advance()
    return _routine(parser)


_AFTER_CLASS = frozenset({TokenType.DOT, TokenType.LT, TokenType.L_PAREN, TokenType.L_BRACKET})


def _class(parser: MaxComputeParser) -> str:
    """Consume a class (`java.util.List<String>`) and return its name without type parameters."""
    words = [parser._curr.text]
    parser._advance()
    while parser._match(TokenType.DOT):
        words.append(parser._curr.text)
        parser._advance()
    if parser._match(TokenType.LT):
        _balanced(parser, TokenType.LT, TokenType.GT)
    return ".".join(words)


def _balanced(
    parser: MaxComputeParser, opens: TokenType = TokenType.L_PAREN, closes: TokenType = TokenType.R_PAREN
) -> None:
    """Skip to the token that closes the one just consumed."""
    depth = 1
    while parser._curr and depth:
        depth += (parser._curr.token_type is opens) - (parser._curr.token_type is closes)
        parser._advance()


def _rest(parser: MaxComputeParser) -> None:
    while parser._curr:
        parser._advance()


STATEMENTS: dict[str, Callable[[MaxComputeParser], exp.Expr]] = {
    "IF": _condition,
    "LOOP": _condition,
    "LOAD": _load,
    "UNLOAD": _unload,
    "CLONE": _whole,
    "RESTORE": _whole,
    "PURGE": _whole,
    "FUNCTION": _function,
}
"""Parsers of the statements that start with these words."""
