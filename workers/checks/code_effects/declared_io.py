"""What a node declares: its inputs and outputs, and the nodes behind them, asked for in one lookup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.snapshot import FileSnapshot
from workers.checks.api import LookupContext
from workers.dataworks.models import Node

_ROOT = "_root"
"""Ends the output of a workspace's root node, which is always there."""


@dataclass(frozen=True, slots=True)
class DeclaredIo:
    """Inputs and outputs of a node.

    Attributes:
        inputs: as declared, each once, the workspace's root left out.
        outputs: as declared, each once.
        nodes: who puts out each of both, in production.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: Mapping[str, tuple[Node, ...]]

    def producers_of(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that put out `name`."""
        return self.nodes.get(name, ())


def read_declared(context: LookupContext, file: FileSnapshot) -> DeclaredIo:
    """Return what `file` declares. All checks ask in the same words, so that one answer serves them."""
    inputs = tuple(sorted({name for name in file.inputs if name.strip() and not name.endswith(_ROOT)}))
    outputs = tuple(sorted({name for name in file.outputs if name.strip()}))
    names = sorted({*inputs, *outputs})
    nodes = context.lookups.nodes_by_output(names) if names else {}
    return DeclaredIo(inputs, outputs, nodes)
