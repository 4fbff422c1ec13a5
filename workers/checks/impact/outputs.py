"""The tables that nodes write, told from the names that they put out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workers.checks.api import Lookups
from workers.dataworks.errors import RequestRejected
from workers.dataworks.models import Environment, NodeOutput

_PREFIX = "odps."
_NO_TABLE = re.compile(r"(?:\d+_out|\w*_root)")
_PARTS = (2, 3)


def written_tables(lookups: Lookups, nodes: Iterable[int]) -> tuple[str, ...]:
    """Return the tables (`odps.project.table`) that `nodes` put out in production.

    Raises:
        DataWorksError: DataWorks could not be asked.
    """
    found: dict[str, None] = {}
    for node in nodes:
        try:
            outputs = lookups.node_outputs(node, Environment.PROD)
        except RequestRejected:  # an unknown node writes nothing
            continue
        found |= dict.fromkeys(table for output in outputs if (table := output_table(output)))
    return tuple(found)


def output_table(output: NodeOutput) -> str | None:
    """Return the table that an output stands for; None for `shop.700123_out`, which is only a name.

    DataWorks may tell the table with its project or without; then the project is that of the output's name.
    """
    name = output.name.strip().lower()
    table = (output.table or "").strip().lower().removeprefix(_PREFIX) or name
    if "." not in table and "." in name:
        table = f"{name.partition('.')[0]}.{table}"
    parts = table.split(".")
    if len(parts) not in _PARTS or not all(parts) or _NO_TABLE.fullmatch(parts[-1]):
        return None
    return _PREFIX + table
