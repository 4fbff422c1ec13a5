"""The computing time of the impact engine: `python -m bench.impact [--nodes 5000]`.

Lookups are answered from memory, so only the graph walk, the findings and their text are measured.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

from common.events import Event
from common.snapshot import Snapshot
from tests.support.sample_workspace import HOME, Workspace, node
from workers.checks import registry
from workers.checks.api import Context
from workers.dataworks.models import Node

AIM = 2.0
OWNERS = 40
WORKSPACES = 6
_SEED = 20261120


def main() -> int:
    """Return 1 if a graph takes longer than the target."""
    parser = argparse.ArgumentParser(prog="python -m bench.impact", description=__doc__)
    parser.add_argument("--nodes", type=int, default=5000)
    nodes = parser.parse_args().nodes
    print(f"{'graph':<12}{'edges':>8}{'lookups':>9}{'CPU s':>8}  target {AIM} s; freeze-node, whole check")
    slowest = max(measured(name, make(nodes)) for name, make in SHAPES.items())
    return int(slowest > AIM)


def measured(name: str, workspace: Workspace) -> float:
    """Print a line for a graph, and return the CPU seconds of one check without limits."""
    check = registry.load_checks()["downstream-impact"]
    options = check.options.model_validate({"depth": 50, "max_nodes": 100_000, "max_calls": 5000})
    event = Event("m-1", "freeze-node", HOME, "1923", True, {"nodeIds": [0]}, 0)
    started = time.process_time()
    found = list(check.run(Context(event, Snapshot(), options, workspace, 0)))
    seconds = time.process_time() - started
    edges = sum(len(children) for children in workspace.children.values())
    print(f"{name:<12}{edges:>8}{len(workspace.calls):>9}{seconds:>8.2f}  {found[-1].message[:60]}…")
    return seconds


def warehouse(nodes: int) -> Workspace:
    """Return layers as in a data warehouse: each node depends on one to three of the layer above."""
    dice = random.Random(_SEED)  # noqa: S311 - not for secrets
    workspace = Workspace()
    for number in range(1, nodes):
        for parent in {
            dice.randrange(max(0, number // 4), max(1, number // 2)) for _ in range(dice.randint(1, 3))
        }:
            workspace.children.setdefault(parent, []).append(_node(number, dice))
    return workspace


def star(nodes: int) -> Workspace:
    """Return a graph in which every node depends on the same one."""
    dice = random.Random(_SEED)  # noqa: S311
    return Workspace(children={0: [_node(number, dice) for number in range(1, nodes)]})


def knot(nodes: int) -> Workspace:
    """Return a graph in which every node leads to ten others, with cycles."""
    dice = random.Random(_SEED)  # noqa: S311
    targets = [_node(number, dice) for number in range(nodes)]
    return Workspace(children={number: dice.choices(targets, k=10) for number in range(nodes)})


def _node(number: int, dice: random.Random) -> Node:
    urgent = dice.random() < 0.1
    return node(
        number,
        "PAUSE" if dice.random() < 0.02 else "NORMAL",
        owner=str(dice.randrange(OWNERS)),
        project=HOME + dice.randrange(WORKSPACES),
        baseline=7 if urgent else 1,
        priority=8 if urgent else 1,
    )


SHAPES: dict[str, Callable[[int], Workspace]] = {"warehouse": warehouse, "star": star, "knot": knot}

if __name__ == "__main__":
    raise SystemExit(main())
