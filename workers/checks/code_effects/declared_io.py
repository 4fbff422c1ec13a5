"""The declared inputs and outputs of a node, and the nodes that produce them, fetched in one lookup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.snapshot import FileSnapshot
from workers.checks.api import LookupContext
from workers.dataworks.models import Node

_ROOT = "_root"
"""Suffix of the output of a workspace's root node, which always exists."""


@dataclass(frozen=True, slots=True)
class DeclaredIo:
    """Inputs and outputs of a node.

    Attributes:
        inputs: declared inputs without duplicates and without the workspace's root.
        outputs: declared outputs without duplicates.
        nodes: the nodes that produce each input and output in production.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: Mapping[str, tuple[Node, ...]]

    def producers_of(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that produce `name`."""
        return self.nodes.get(name, ())


def read_declared(context: LookupContext, file: FileSnapshot) -> DeclaredIo:
    """Return what `file` declares; all checks use the same arguments, so that they share a cached lookup."""
    inputs = tuple(sorted({name for name in file.inputs if name.strip() and not name.endswith(_ROOT)}))
    outputs = tuple(sorted({name for name in file.outputs if name.strip()}))
    names = sorted({*inputs, *outputs})
    nodes = context.lookups.nodes_by_output(names) if names else {}
    return DeclaredIo(inputs, outputs, nodes)
