"""Reads PARTITION(…): the columns it names, and the values they are set to or compared with."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from review.extraction.block_state import BlockState
from review.extraction.expressions.predicates import extract_predicates
from review.facts import OperandKind, PartitionValue


def partition_values(node: exp.Expr | None, frame: BlockState) -> tuple[PartitionValue, ...]:
    """Return the values of a `PARTITION(…)` in order; empty for None."""
    return tuple(_values(node, frame)) if isinstance(node, exp.Expr) else ()


def _values(node: exp.Expr, frame: BlockState) -> Iterator[PartitionValue]:
    text = frame.text
    for part in node.expressions:
        if isinstance(part, (exp.Partition, exp.Tuple)):
            yield from _values(part, frame)
        elif isinstance(part, (exp.Column, exp.Identifier)):
            name = part.this if isinstance(part, exp.Column) else part
            if (span := text.span(name)) is not None:
                yield PartitionValue(span, text.name(name))
        else:
            yield from _compared(part, frame)


def _compared(node: exp.Expr, frame: BlockState) -> Iterator[PartitionValue]:
    for item in extract_predicates(node, frame):
        left = item.left
        if left.sort is OperandKind.COLUMN and left.columns:
            value = item.rights[0] if item.rights else None
            yield PartitionValue(item.at, left.columns[0].name, value, item.operator)
