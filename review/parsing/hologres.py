"""Hologres SQL for sqlglot: PostgreSQL with logical partitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import TokenType

from review.parsing.fast_tokenizer import tokenize
from review.parsing.parser_mixin import ParserMixin, keywords


def _logical(parser: PostgresParser) -> exp.PartitionedByProperty:
    if not parser._match(TokenType.PARTITION_BY):
        parser.raise_error("Expected PARTITION BY")
    return parser._parse_partitioned_by()


class HologresParser(ParserMixin, PostgresParser):
    """PostgreSQL's parser with `LOGICAL PARTITION BY LIST (ds)`."""

    PROPERTY_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        **PostgresParser.PROPERTY_PARSERS,
        "LOGICAL": _logical,
    }


class Hologres(Postgres):
    """The dialect `hologres`. Source: help page "CREATE LOGICAL PARTITION TABLE" of Hologres."""

    Parser = HologresParser
    INDEX_OFFSET = 0  # nothing is generated, and adapting indexes takes quadratic time

    class Tokenizer(Postgres.Tokenizer):
        """PostgreSQL's tokenizer, with EXPLAIN as an ordinary word."""

        tokenize = tokenize
        KEYWORDS: ClassVar[dict[str, TokenType]] = keywords(Postgres.Tokenizer)["KEYWORDS"]
