"""Reads the outputs of a SELECT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from review.extraction.block_state import BlockState
from review.extraction.expressions.operands import output_operand, read_operand
from review.facts import EVERY_COLUMN, Clause, Operand, OperandKind, Output, Span, StarChanges

_WORD = r"\b(?:null|true|false)\b"
_PATTERN = re.compile(r"[*+?|^\[]")
"""Characters by which a quoted name is a pattern for several columns: `(ds|hh)?+.+`."""


def outputs_of(node: exp.Expr, frame: BlockState) -> Iterator[Output]:
    """Read one item of a SELECT list; it yields several outputs if it has several names."""
    frame.clause = Clause.OUTPUT
    if type(node) is exp.Column and type(node.args["this"]) is exp.Identifier:
        made = read_operand(node, frame)
        frame.end = max(frame.end, made.at[1])
        yield _pattern(node, made) or Output(made.at, node.name if made.columns else "", made)
    elif isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
        yield _star(node, frame)
    elif isinstance(node, exp.Columns) or (isinstance(node, exp.Apply) and node.find(exp.Star, exp.Columns)):
        made = read_operand(node, frame)
        frame.end = max(frame.end, made.at.end)
        changes = StarChanges(is_known=False)
        yield Output(made.at, "", Operand(made.at, made.sort), star=True, pattern=True, changes=changes)
    elif isinstance(node, exp.QueryTransform):
        yield from _transformed(node, frame)
    else:
        yield from _named(node, frame)


def _pattern(node: exp.Column, made: Operand) -> Output | None:
    """Read a quoted name that is a pattern: it selects any number of columns."""
    name = node.args["this"]
    if not name.args.get("quoted") or _PATTERN.search(name.name) is None:
        return None
    at, changes = Operand(made.at, made.sort), _selected(name.name)
    return Output(made.at, "", at, star=True, qualifier=node.table, pattern=True, changes=changes)


_EXCLUSION = re.compile(r"\(?(?P<names>\w[\w|]*+)\)?\?\+\.\+")
"""All names but some: https://help.aliyun.com/zh/maxcompute/user-guide/select-syntax"""
_WILDCARD = re.compile(r"(?P<prefix>\w*+)\.[*+](?P<suffix>\w*+)")


def _selected(pattern: str) -> StarChanges:
    """Return what a pattern selects, in the forms of the manual; others are unknown."""
    if match := _EXCLUSION.fullmatch(pattern):
        return StarChanges(excluded=frozenset(match["names"].lower().split("|")))
    if match := _WILDCARD.fullmatch(pattern):
        return StarChanges(prefix=match["prefix"].lower(), suffix=match["suffix"].lower())
    return StarChanges(is_known=False)


def _star(node: exp.Expr, frame: BlockState) -> Output:
    made = read_operand(node, frame)
    at = made.at if made.at.end else Span(frame.end, frame.end)
    frame.end = max(frame.end, at.end)
    qualifier = ".".join(part.name for part in node.parts[:-1]) if isinstance(node, exp.Column) else ""
    changes = _changes(node.this if isinstance(node, exp.Column) else node, frame)
    return Output(at, "", Operand(at, made.sort), star=True, qualifier=qualifier, changes=changes)


def _changes(star: exp.Expr, frame: BlockState) -> StarChanges:
    """Read EXCEPT, REPLACE and RENAME of a star."""
    excluded, replaced, renamed = (star.args.get(key) or () for key in ("except_", "replace", "rename"))
    if not (excluded or replaced or renamed):
        return EVERY_COLUMN
    aliases = [item for item in replaced if isinstance(item, exp.Alias)]
    return StarChanges(
        frozenset(item.name.lower() for item in excluded),
        tuple((item.alias.lower(), read_operand(item.this, frame)) for item in aliases),
        tuple(
            (item.this.name.lower(), item.alias.lower()) for item in renamed if isinstance(item, exp.Alias)
        ),
        is_known=not any(isinstance(item, exp.Literal) for item in excluded),
    )


def _named(node: exp.Expr, frame: BlockState) -> Iterator[Output]:
    aliased = isinstance(node, (exp.Alias, exp.Aliases))
    made, aggregate = output_operand(node.this if aliased else node, frame)
    if not made.at.end and (word := frame.text.search(_WORD, frame.end)) is not None:
        made = replace(made, at=word)
    if not aliased:
        frame.end = max(frame.end, made.at.end)
        yield Output(made.at, "", made, aggregate=aggregate)
        return
    names = _names(node)
    at = _around([made.at, *(span for name in names if (span := frame.text.span(name)) is not None)])
    frame.end = max(frame.end, at.end)
    for alias in names:
        yield Output(at, frame.text.name(alias), made, aggregate=aggregate)


def _around(spans: list[Span]) -> Span:
    known = [span for span in spans if span.end]
    return Span(min(known).begin, max(span.end for span in known)) if known else Span(0, 0)


def _transformed(node: exp.Expr, frame: BlockState) -> Iterator[Output]:
    made = read_operand(node, frame)
    schema = node.args.get("schema")
    frame.end = max(frame.end, made.at.end)
    for item in schema.expressions if isinstance(schema, exp.Expr) else ():
        name = item.this if isinstance(item, exp.ColumnDef) else item
        yield Output(
            frame.text.span(name) or made.at, frame.text.name(name), replace(made, sort=OperandKind.COMPUTED)
        )


def computed_outputs(expressions: list[exp.Expr]) -> Iterator[str]:
    """Yield the aliases of outputs that are not a column of the same name."""
    for item in expressions:
        if isinstance(item, exp.Alias):
            alias, this = item.args["alias"], item.args["this"]
            name = str(alias.this if isinstance(alias, exp.Expr) else alias).lower()
            if type(this) is not exp.Column or this.name.lower() != name:
                yield name
        elif isinstance(item, exp.Aliases):
            yield from (alias.name.lower() for alias in item.expressions)


def _names(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Alias):
        alias = node.args.get("alias")
        return [alias] if isinstance(alias, exp.Expr) else []
    return list(node.expressions) if isinstance(node, exp.Aliases) else []
