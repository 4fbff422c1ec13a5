"""Parses one statement to a tree, or reports why it cannot. Input text makes this raise only MemoryError."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as Grammar
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parser import Parser
from sqlglot.tokens import Tokenizer

from review.dialects import Dialect
from review.parsing.ast_nodes import HarmlessStatement
from review.parsing.engine_mixins import ENGINE_MIXINS
from review.parsing.fast_tokenizer import tokenize
from review.parsing.harmless_statements import contains_statement, is_harmless
from review.parsing.hologres import Hologres
from review.parsing.keywords import OPAQUE
from review.parsing.maxcompute import MaxCompute
from review.parsing.parser_mixin import HEX_STRINGS, ParserMixin, keywords

# sqlglot logs the statements that it understands only partly; node code must never reach a log.
logging.getLogger("sqlglot").disabled = True

MAX_LENGTH = 400_000
"""Maximum characters of a statement that is parsed: three times the largest node that DataWorks stores."""
MAX_TOKENS = 120_000
"""Maximum tokens of a statement that is parsed: a list of 20,000 literals has 40,000."""

_UNKNOWN_SYNTAX = "its syntax is not understood"
_QUICK = frozenset(
    {Dialect.HIVE, Dialect.SPARK, Dialect.POSTGRES, Dialect.CLICKHOUSE, Dialect.PRESTO, Dialect.TRINO}
)
_OWN = {Dialect.MAXCOMPUTE: MaxCompute, Dialect.HOLOGRES: Hologres}


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A statement without a tree: the reason, and the offset in it at which parsing stopped."""

    reason: str
    offset: int | None = None


def parse_statement(text: str, verb: str, dialect: Dialect) -> exp.Expr | Unparsed:
    """Return the tree of the statement `text`, which starts with the word `verb`."""
    if len(text) > MAX_LENGTH:
        return Unparsed("it is too long")
    # `REPLACE INTO` has the form of an INSERT; `INSERT ` is as long as `REPLACE`, so the offsets stay valid.
    replacing = _REPLACE.match(text)
    tree = _tree(f"INSERT {text[7:]}" if replacing else text, dialect)
    if replacing and isinstance(tree, exp.Insert):
        tree.set("alternative", "REPLACE")
    elif tree is None or (isinstance(tree, _NO_STATEMENT) and not isinstance(tree, exp.Query)):
        tree = Unparsed("it is not a statement that can be parsed")
    elif isinstance(tree, exp.Command) and (verb in OPAQUE or _hides_statement(text, verb, dialect)):
        tree = Unparsed(_UNKNOWN_SYNTAX)
    if isinstance(tree, (Unparsed, exp.Command)) and is_harmless(text, dialect):
        return HarmlessStatement(this=verb)
    return tree


def _hides_statement(text: str, verb: str, dialect: Dialect) -> bool:
    """Whether sqlglot took the statements that follow a PRINT without a semicolon for its argument."""
    return dialect is Dialect.TSQL and contains_statement(text[len(verb) :], dialect)


_REPLACE = re.compile(r"REPLACE(?=\s+(?!(?:TABLE|DICTIONARY|VIEW|TEMPORARY|OR)\b)[\w`\"])", re.IGNORECASE)
_NO_STATEMENT = (exp.Condition, exp.Alias, exp.Tuple, exp.Block)


def _tree(text: str, dialect: Dialect) -> exp.Expr | Unparsed | None:
    try:
        tokenizer, parser = _tools(dialect, threading.get_ident())
        tokens = tokenizer.tokenize(text)
        if len(tokens) > MAX_TOKENS:
            return Unparsed("it is too long")
        trees = parser.parse(tokens, text)
    except MemoryError:
        raise
    except RecursionError:
        return Unparsed("it is nested too deeply")
    except ParseError as error:
        return Unparsed(_UNKNOWN_SYNTAX, _offset(text, error))
    except SqlglotError:
        return Unparsed(_UNKNOWN_SYNTAX)
    except Exception as error:  # noqa: BLE001 - a third-party parser on arbitrary text may raise anything
        return Unparsed(f"the parser failed with {type(error).__name__}")
    return trees[0] if len(trees) == 1 else None


def _offset(text: str, error: ParseError) -> int | None:
    offset = error.errors[0].get("start") if error.errors else None
    return min(offset, len(text)) if isinstance(offset, int) else None


@lru_cache(maxsize=32)
def _tools(dialect: Dialect, _thread: int) -> tuple[Tokenizer, Parser]:
    """Return a tokenizer and a parser; both are slow to create and not thread-safe, so cached per thread."""
    grammar = _grammar(dialect)
    return grammar.tokenizer(), grammar.parser()


@cache
def _grammar(dialect: Dialect) -> Grammar:
    """Return the dialect's grammar with our `Reading` mixed into its parser."""
    if dialect in _OWN:
        return _OWN[dialect]()
    base: Any = type(Grammar.get_or_raise(dialect.value))
    words = keywords(base.tokenizer_class)
    if dialect in _QUICK:
        words["tokenize"] = tokenize
    if dialect is Dialect.SPARK:
        words["HEX_STRINGS"] = list(HEX_STRINGS)
    parts = {
        # Indexes of arrays are adapted for generated SQL only, in quadratic time.
        "INDEX_OFFSET": 0,
        "Parser": type(
            f"Reading{base.__name__}Parser", (ENGINE_MIXINS.get(dialect, ParserMixin), base.parser_class), {}
        ),
        "Tokenizer": type(f"Reading{base.__name__}Tokenizer", (base.tokenizer_class,), words),
    }
    grammar: Grammar = type(f"Reading{base.__name__}", (base,), parts)()
    return grammar
