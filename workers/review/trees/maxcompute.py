"""MaxCompute's SQL for sqlglot: Hive, and the clauses that only MaxCompute has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.hive import Hive
from sqlglot.parsers.hive import HiveParser
from sqlglot.tokenizer_core import TokenType


def _days(parser: HiveParser) -> exp.Property:
    name = parser._prev.text.upper()
    days = parser._parse_number() or parser._parse_id_var()
    return parser.expression(exp.Property(this=exp.var(name), value=days))


def _clustered(parser: HiveParser) -> exp.Property:
    # [RANGE] CLUSTERED BY (…) [SORTED BY (…)] [INTO n BUCKETS]: Hive wants the buckets, MaxCompute does not.
    parser._match_text_seq("CLUSTERED")
    parser._match_text_seq("BY")
    columns = parser._parse_wrapped_csv(parser._parse_ordered)
    if parser._match_text_seq("SORTED", "BY"):
        parser._parse_wrapped_csv(parser._parse_ordered)
    if parser._match(TokenType.INTO):
        parser._parse_number()
        parser._match_text_seq("BUCKETS")
    return parser.expression(exp.Property(this=exp.var("CLUSTERED"), value=exp.Tuple(expressions=columns)))


class MaxComputeParser(HiveParser):
    """Hive's parser with lifecycles, and clustering without buckets."""

    PROPERTY_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        **HiveParser.PROPERTY_PARSERS,
        "LIFECYCLE": _days,
        "HUBLIFECYCLE": _days,
        "CLUSTERED": _clustered,
        "RANGE": _clustered,
    }


class MaxCompute(Hive):
    """The dialect `maxcompute`. Source: help pages "CREATE TABLE" and "Table operations" of MaxCompute."""

    Parser = MaxComputeParser
