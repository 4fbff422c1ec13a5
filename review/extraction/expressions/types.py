"""Reads the types of columns, casts and literals, in the terms of MaxCompute and Hive."""

from __future__ import annotations

from sqlglot import exp

_NAMES = {
    exp.DType.TEXT: "STRING",
    exp.DType.TIMESTAMPNTZ: "TIMESTAMP_NTZ",
    exp.DType.TIMESTAMPTZ: "TIMESTAMP",
    exp.DType.TIMESTAMPLTZ: "TIMESTAMP",
    exp.DType.VARBINARY: "BINARY",
}


def written_type(node: exp.Expr | str | None) -> str | None:
    """Return a type in upper case (`DECIMAL(10,2)`, `ARRAY<STRING>`); None for None."""
    if not isinstance(node, exp.DataType):
        return node.name.upper() or None if isinstance(node, exp.Expr) else None
    kind = node.this
    if kind is exp.DType.USERDEFINED:
        return str(node.args.get("kind") or "").upper() or None
    name = _NAMES.get(kind) or (kind.value if isinstance(kind, exp.DType) else str(kind))
    inner = [_inner(item) for item in node.expressions]
    if not inner:
        return name
    return f"{name}<{','.join(inner)}>" if node.args.get("nested") else f"{name}({','.join(inner)})"


def _inner(node: exp.Expr) -> str:
    if isinstance(node, exp.DataType):
        return written_type(node) or ""
    if isinstance(node, exp.ColumnDef):
        return f"{node.name.upper()}:{written_type(node.args.get('kind')) or ''}"
    return node.name.upper()


def literal_type(node: exp.Expr) -> str | None:
    """Return the type of a literal by its notation."""
    if isinstance(node, exp.Boolean):
        return "BOOLEAN"
    if not isinstance(node, exp.Literal) or node.is_string:
        return "STRING"
    return "BIGINT" if str(node.this).isdigit() else "DOUBLE"
