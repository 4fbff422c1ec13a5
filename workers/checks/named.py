"""Names in findings: the first few, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

from workers.dataworks.values import Node

MOST_NAMED = 3


def name_nodes(nodes: Sequence[Node]) -> str:
    """Return nodes as `name (id, owner)`."""
    return name_first([f"{node.name} ({node.id}, {node.owner or 'no owner'})" for node in nodes])


def name_first(names: Sequence[str]) -> str:
    """Return the first names joined by commas, and how many there are besides."""
    shown = ", ".join(names[:MOST_NAMED])
    left = len(names) - MOST_NAMED
    return f"{shown} and {left} more" if left > 0 else shown
