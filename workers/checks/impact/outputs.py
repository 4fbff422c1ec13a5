"""The tables that nodes write, derived from the names of their outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.checks.api import Lookups
from workers.dataworks.errors import NotFound
from workers.dataworks.models import Environment, NodeOutput

_PREFIX = "odps."
_NO_TABLE = re.compile(r"(?:\d+_out|\w*_root)")
"""Outputs that DataWorks generates: `700123_out` of a node, `shop_root` of a workspace's root."""

_PARTS = (2, 3)
"""Parts of a table's name: `project.table` or `project.schema.table`."""


def written_tables(lookups: Lookups, nodes: Sequence[int]) -> dict[str, list[int]]:
    """Return the tables (`odps.project.table`) that `nodes` write in production, each with its writers.

    Raises:
        DataWorksError: a lookup failed.
    """
    found: dict[str, list[int]] = {}
    lookups.begin(_outputs, nodes)
    for node in nodes:
        try:
            outputs = _outputs(lookups, node)
        except NotFound:  # an unknown node writes nothing
            continue
        for table in dict.fromkeys(map(output_table, outputs)):
            if table:
                found.setdefault(table, []).append(node)
    return found


def _outputs(lookups: Lookups, node: int) -> Sequence[NodeOutput]:
    return lookups.node_outputs(node, Environment.PROD)


def output_table(output: NodeOutput) -> str | None:
    """Return the table of an output; None for `shop.700123_out`, which is only a name.

    DataWorks may return the table without its project; then the project is that of the output's name.
    """
    name = output.name.strip().lower()
    table = (output.table or "").strip().lower().removeprefix(_PREFIX) or name
    if "." not in table and "." in name:
        table = f"{name.partition('.')[0]}.{table}"
    parts = table.split(".")
    if len(parts) not in _PARTS or not all(parts) or _NO_TABLE.fullmatch(parts[-1]):
        return None
    return _PREFIX + table
