"""Generates a world of realistic size: nodes in layers over several workspaces, each node writing one table.

The first node is the root, on which all others depend directly or indirectly. Names, owners, baselines,
columns and readers are derived from a seed, so the same sizes and seed always give the same world.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from common.errors import DwgateError
from common.json_types import Json

ROOT = 800_000_001
"""The ID of the first node; the others follow consecutively, layer by layer."""

FIRST_PROJECT = 50_001
FIRST_BASELINE = 900_501
FIRST_OWNER = 1_900_000_000_000_001

FROZEN, RERUNNABLE, ON_BASELINE, READ = 0.02, 0.95, 0.2, 0.3
"""Fractions: of all nodes, of all nodes, of the nodes of the last two layers, of the last layer's tables."""

THIRD_PARTY = 0.3
"""The fraction of readers that were registered externally."""

_PREFIXES = ("ods", "dim", "dwd", "dwm", "dws", "ads")
_PRIORITIES = (1, 3, 5, 7, 8)
_READERS = ("dataservice-api", "quickbi-dashboard", "holo-external")
_COLUMNS = (("id", "BIGINT"), ("amount", "DECIMAL(18,2)"), ("status", "STRING"))


class GraphError(DwgateError, ValueError):
    """A graph's size is invalid; the message names the field and what is expected."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a world.

    Attributes:
        nodes: number of nodes; at least one per layer.
        layers: number of layers; the root is the first. At least two.
        fan_out: average number of children per node; some have a hundred times as many.
        workspaces: number of workspaces over which the nodes are spread.
        owners: number of node owners.
        baselines: number of baselines; each is on a node of the last layers.
        loops: number of edges from a node of the last layer back to one of the first.
        seed: seed of the random generator.
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
            GraphError: a field is unknown, not an integer, or too small.
        """
        least = {"layers": 2, "loops": 0, "seed": 0, "baselines": 0}
        if unknown := raw.keys() - {field.name for field in fields(cls)}:
            raise GraphError(f"graph: unknown fields {', '.join(sorted(unknown))}")
        for name, value in raw.items():
            if type(value) is not int or value < least.get(name, 1):
                raise GraphError(f"graph: {name}: expected an integer of at least {least.get(name, 1)}")
        size = cls(**raw)
        if size.nodes < size.layers:
            raise GraphError("graph: nodes: expected at least as many as layers")
        return size


def build_world(size: Size) -> Json:
    """Return the world in the form that `World.merge` reads."""
    chance = random.Random(size.seed)  # noqa: S311 - reproducible by seed, not for secrets
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
    """Split the node numbers into layers: the root alone, then layers of equal size."""
    steps = size.layers - 1
    bounds = [1 + (size.nodes - 1) * step // steps for step in range(size.layers)]
    return [range(1), *(range(first, end) for first, end in pairwise(bounds))]


def _parents(size: Size, layers: list[range], chance: random.Random) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(size.nodes)]
    for above, numbers in pairwise(layers):
        for number in numbers:
            wanted = chance.randint(1, 2 * size.fan_out - 1)
            # The exponent creates hubs: a few nodes of a layer have most of the children.
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
