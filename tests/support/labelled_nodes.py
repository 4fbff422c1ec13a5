"""The labelled nodes of `tests/data/labelled_nodes/`, for accuracy scores, property tests and the fuzzer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from tests.support import plain_yaml

FOLDER = Path(__file__).parents[1] / "data" / "labelled_nodes"

_TABLES = "tables.yaml"
_MARK = re.compile(r"[ \t]*⟸((?: [A-Z]\d\d)+)(?=\r?$)")
_FILLER = "¦"


@dataclass(frozen=True, slots=True)
class LabelledNode:
    """A labelled node.

    Attributes:
        code: the node's code without the marks.
        expected: (rule, line) of every main rule that must hit.
    """

    name: str
    dialect: Dialect
    code: str
    context: ReviewContext = field(repr=False)
    expected: frozenset[tuple[str, int]]


@cache
def labelled_nodes() -> tuple[LabelledNode, ...]:
    """Return the labelled nodes, ordered by file and position."""
    warehouses = plain_yaml.load((FOLDER / _TABLES).read_text())
    files = sorted(path for path in FOLDER.glob("*.yaml") if path.name != _TABLES)
    return tuple(
        _labelled(entry, warehouses) for path in files for entry in plain_yaml.load(path.read_text())["nodes"]
    )


def _labelled(entry: dict[str, Any], warehouses: dict[str, Any]) -> LabelledNode:
    lines = entry["code"].split("\n")
    marks = ((number, _MARK.search(line)) for number, line in enumerate(lines, 1))
    expected = {(f"MC-{rule}", number) for number, mark in marks if mark for rule in mark[1].split()}
    code = "\n".join(_MARK.sub("", line) for line in lines).replace(_FILLER, "")
    listed = entry.get("tables", {})  # a mapping, or the name of a warehouse in tables.yaml
    tables = warehouses[listed] if isinstance(listed, str) else listed
    project = entry.get("project", "shop_dw" if isinstance(listed, str) else None)
    context = ReviewContext(
        node=NodeContext(**entry.get("node", {})),
        project=project,
        tables={name: TableMetadata(**known) for name, known in tables.items()},
    )
    return LabelledNode(
        entry["name"], Dialect(entry.get("dialect", "maxcompute")), code, context, frozenset(expected)
    )
