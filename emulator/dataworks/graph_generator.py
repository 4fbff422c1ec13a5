"""A world of a real size, made up: nodes in layers over several workspaces, each node writing one table.

The first node is the root, on which all others depend by some way; names, owners, baselines, columns and
readers follow from a seed, so the same sizes and seed always give the same world.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from common.errors import DwgateError
from emulator.dataworks.responses import Json

ROOT = 800_000_001
"""The id of the first node; the others follow without a gap, layer by layer."""

FIRST_PROJECT = 50_001
FIRST_BASELINE = 900_501
FIRST_OWNER = 1_900_000_000_000_001

FROZEN, RERUNNABLE, ON_BASELINE, READ = 0.02, 0.95, 0.2, 0.3
"""Shares: of all nodes, of all nodes, of the nodes of the last two layers, of the tables of the last one."""

THIRD_PARTY = 0.3
"""The share of the readers that were registered from outside."""

_PREFIXES = ("ods", "dim", "dwd", "dwm", "dws", "ads")
_PRIORITIES = (1, 3, 5, 7, 8)
_READERS = ("dataservice-api", "quickbi-dashboard", "holo-external")
_COLUMNS = (("id", "BIGINT"), ("amount", "DECIMAL(18,2)"), ("status", "STRING"))


class GraphError(DwgateError, ValueError):
    """There is no such graph; the text names the field and what it wants."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a world is.

    Attributes:
        nodes: how many; at least one for each layer.
        layers: of nodes; the root is the first of them. At least two.
        fan_out: children of a node, on average; some have a hundred times as many.
        workspaces: how many the nodes are spread over.
        owners: how many own them.
        baselines: how many there are; each is on some node of the last layers.
        loops: edges from a node of the last layer back to one of the first.
        seed: of all chances.
    """

    nodes: int = 5000
    layers: int = 8
    fan_out: int = 3
    workspaces: int = 5
    owners: int = 40
    baselines: int = 20
    loops: int = 0
    seed: int = 1

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Size:
        """Read a size.

        Raises:
            GraphError: a field is unknown, no number, or too small.
        """
        least = {"layers": 2, "loops": 0, "seed": 0, "baselines": 0}
        if unknown := raw.keys() - {field.name for field in fields(cls)}:
            raise GraphError(f"graph: unknown fields {', '.join(sorted(unknown))}")
        for name, value in raw.items():
            if type(value) is not int or value < least.get(name, 1):
                raise GraphError(f"graph: {name} must be a number from {least.get(name, 1)} on")
        size = cls(**raw)
        if size.nodes < size.layers:
            raise GraphError("graph: nodes must be at least as many as layers")
        return size


def world(size: Size) -> Json:
    """Return the world as `World.merge` reads it."""
    chance = random.Random(size.seed)  # noqa: S311 - the same for the same seed, keeps no secret
    layers = _layers(size)
    parents = _parents(size, layers, chance)
    nodes = [
        _node(size, number, layer, parents[number], chance)
        for layer, numbers in enumerate(layers)
        for number in numbers
    ]
    last = layers[-1].start
    return {
        "nodes": nodes,
        "baselines": [_baseline(size, number, chance) for number in range(size.baselines)],
        "tables": [
            _table(nodes, number, parents[number], chance, is_last=number >= last)
            for number in range(size.nodes)
        ],
    }


def _layers(size: Size) -> list[range]:
    """Share the numbers of the nodes out: the root alone, then layers of one size."""
    steps = size.layers - 1
    bounds = [1 + (size.nodes - 1) * step // steps for step in range(size.layers)]
    return [range(1), *(range(first, end) for first, end in pairwise(bounds))]


def _parents(size: Size, layers: list[range], chance: random.Random) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(size.nodes)]
    for above, numbers in pairwise(layers):
        for number in numbers:
            wanted = chance.randint(1, 2 * size.fan_out - 1)
            # The power makes hubs: few nodes of a layer have most of the children.
            picked = {above[int(len(above) * chance.random() ** 3)] for _ in range(wanted)}
            found[number] = sorted(picked)
    for _ in range(size.loops):
        found[chance.choice(layers[1])].append(chance.choice(layers[-1]))
    return found


def _node(size: Size, number: int, layer: int, parents: list[int], chance: random.Random) -> Json:
    name = f"{_PREFIXES[min(layer * len(_PREFIXES) // size.layers, len(_PREFIXES) - 1)]}_t{number:05d}_di"
    workspace = chance.randrange(size.workspaces)
    project = f"shop{workspace}"
    entry: Json = {
        "NodeId": ROOT + number,
        "NodeName": name,
        "ProjectId": FIRST_PROJECT + workspace,
        "OwnerId": str(FIRST_OWNER + chance.randrange(size.owners)),
        "CronExpress": f"00 {chance.randrange(60):02d} {layer % 24:02d} * * ?",
        "SchedulerType": "PAUSE" if number and chance.random() < FROZEN else "NORMAL",
        "Repeatability": chance.random() < RERUNNABLE,
        "parents": [ROOT + parent for parent in parents],
        "outputs": [{"Data": f"{project}.{name}", "TableName": f"odps.{project}.{name}"}],
    }
    if size.baselines and layer >= size.layers - 2 and chance.random() < ON_BASELINE:
        baseline = chance.randrange(size.baselines)
        entry |= {"BaselineId": FIRST_BASELINE + baseline, "Priority": _priority(baseline)}
    return entry


def _baseline(size: Size, number: int, chance: random.Random) -> Json:
    return {
        "BaselineId": FIRST_BASELINE + number,
        "BaselineName": f"baseline {number}",
        "ProjectId": FIRST_PROJECT + number % size.workspaces,
        "Owner": str(FIRST_OWNER + chance.randrange(size.owners)),
        "Priority": _priority(number),
    }


def _priority(baseline: int) -> int:
    return _PRIORITIES[baseline % len(_PRIORITIES)]


def _table(
    nodes: list[Json], number: int, parents: list[int], chance: random.Random, *, is_last: bool
) -> Json:
    node, upstream = nodes[number], [_guid(nodes[parent]) for parent in parents]
    guid = _guid(node)
    columns: list[Json] = [
        {"ColumnName": name, "ColumnType": kind, "upstream": [f"{source}.{name}" for source in upstream]}
        for name, kind in _COLUMNS
    ]
    table: Json = {
        "TableGuid": guid,
        "ProjectId": node["ProjectId"],
        "ProjectName": guid.split(".")[1],
        "OwnerId": node["OwnerId"],
        "LifeCycle": chance.choice((30, 365, 730)),
        "columns": [*columns, {"ColumnName": "ds", "ColumnType": "STRING", "IsPartitionColumn": True}],
        "upstream": upstream,
        "producers": [node["NodeId"]],
    }
    if is_last and chance.random() < READ:
        channel = "THIRD_PARTY" if chance.random() < THIRD_PARTY else "FIRST_PARTY"
        table["consumers"] = [{"QualifiedName": f"{chance.choice(_READERS)}.{number}", "Channel": channel}]
    return table


def _guid(node: Json) -> str:
    return str(node["outputs"][0]["TableName"])
