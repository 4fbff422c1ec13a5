"""One statement as a tree, or why there is none. Nothing that a person can write makes this raise."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as Grammar
from sqlglot.errors import ParseError, SqlglotError

from workers.review.dialects import Dialect
from workers.review.trees.maxcompute import MaxCompute

# sqlglot logs the statements that it only half understands; node code must never reach a log.
logging.getLogger("sqlglot").disabled = True

_GRAMMARS = {
    Dialect.MAXCOMPUTE: MaxCompute.__name__.lower(),
    Dialect.HOLOGRES: "postgres",
}
_REVIEWED = frozenset(
    {"SELECT", "WITH", "FROM", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE"}
) | frozenset({"CREATE", "ALTER", "DROP", "TRUNCATE", "LOAD"})


@dataclass(frozen=True, slots=True)
class Unread:
    """A statement without a tree: why, and the offset in it at which reading stopped."""

    why: str
    offset: int | None = None


def parse(text: str, verb: str, dialect: Dialect) -> exp.Expr | Unread:
    """Return the tree of the statement `text`, which begins with the word `verb`."""
    tree = _tree(text, dialect)
    if isinstance(tree, Unread):
        return tree
    if tree is None or isinstance(tree, (exp.Condition, exp.Alias, exp.Tuple)):
        return Unread("it is not a statement that can be read")
    if verb in _REVIEWED and tree.find(exp.Command):
        return Unread("its syntax is not understood")
    return tree


def _tree(text: str, dialect: Dialect) -> exp.Expr | Unread | None:
    try:
        trees = Grammar.get_or_raise(_GRAMMARS.get(dialect, dialect.value)).parse(text)
    except RecursionError:
        return Unread("it is nested too deeply")
    except ParseError as error:
        return Unread("its syntax is not understood", _offset(text, error))
    except SqlglotError:
        return Unread("its syntax is not understood")
    except Exception as error:  # noqa: BLE001 - the parser is another's, and any text may come
        return Unread(f"the parser failed with {type(error).__name__}")
    return trees[0] if len(trees) == 1 else None


def _offset(text: str, error: ParseError) -> int | None:
    first = error.errors[0] if error.errors else {}
    line, column = first.get("line"), first.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return None
    before = text.split("\n")[: line - 1]
    # sqlglot's column is that of the token's last character.
    offset = sum(len(item) + 1 for item in before) + column - len(str(first.get("highlight") or " "))
    return min(max(offset, 0), len(text))
