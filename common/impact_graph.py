"""Evidence of a check on dependents: which objects depend on what an operation changes, as a graph."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import orjson

from common.text.printable import printable

MAX_NODES = 500
"""Maximum objects of a graph, what is changed included; the nearest are kept."""

MAX_EDGES = 2000
"""Maximum edges of a graph; the edge by which each object was found first is kept before all others."""

MAX_TEXT_LENGTH = 300
"""Maximum characters of a name or id."""

NOT_STORED = "not_stored"
"""Reason of an unexplored part: more objects were found than a graph has room for."""

CHECK_ENDED = "check_ended"
"""Reason of an unexplored part: the check ended before it had finished."""


@dataclass(frozen=True, slots=True)
class ImpactNode:
    """One object of the graph: a node of DataWorks, a table, a column, or another reader of tables.

    Attributes:
        id: the id of a node, the guid of a table or column in lower case, the name of another reader.
        name: a node's name, `project.table`, `project.table.column`; the id if DataWorks returned no name.
        owner: UID of the owner as DataWorks returns it (it returns no display name); for a table or column
            that of the task which writes it. None if unknown.
        workspace: id of the workspace, likewise.
        kind: `node`, `table`, `column` or `consumer` (a report, an API).
        hops: minimum number of hops from what is changed; 0 for that itself.
        baseline: name of the baseline, or its id if the name was not looked up; None if it has none.
        priority: priority of the baseline: 1, 3, 5, 7 or 8.
        due: the time (HH:MM) by which the baseline must have finished, if it was looked up; hours above 23
            are on the next day.
        is_changed: whether the operation itself works on it.
    """

    id: str
    name: str
    owner: str | None
    workspace: int | None
    kind: str
    hops: int
    baseline: str | None = None
    priority: int | None = None
    due: str | None = None
    is_changed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the object as plain JSON without empty fields."""
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: value for name, value in values if value is not None and value is not False}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ImpactNode:
        """Return the object that `to_json` serialized; fields that a newer dwgate has added are ignored."""
        # Field by field: a list of events reads many graphs.
        get = raw.get
        return cls(
            raw["id"],
            raw["name"],
            get("owner"),
            get("workspace"),
            raw["kind"],
            raw["hops"],
            get("baseline"),
            get("priority"),
            get("due"),
            get("is_changed", False),
        )


@dataclass(frozen=True, slots=True)
class ImpactEdge:
    """A dependency: `target` depends on `source`. Both are ids of objects of the graph."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Unexplored:
    """A part of the graph that was not explored.

    Attributes:
        node_id: the object whose dependents were not explored, or not all of them; None if it is about the
            whole search.
        reason: `depth`, `nodes`, `calls` or `time` (a limit of the check was reached), `cut` (DataWorks'
            list may be incomplete), `missing` (DataWorks does not know the object), `failed` (the lookup
            failed), `owners` (no dependents are missing, only an owner), `check_ended` or `not_stored`.
    """

    node_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ImpactGraph:
    """What depends on the objects of an operation.

    Attributes:
        nodes: at most `MAX_NODES`: those that the operation works on, then their dependents, nearest first.
        edges: at most `MAX_EDGES`, between these nodes.
        unexplored: what was not explored.
        is_complete: whether no dependents are missing; otherwise counts are lower bounds.
        omitted: number of dependents that were found, but exceed `MAX_NODES`.
    """

    nodes: tuple[ImpactNode, ...]
    edges: tuple[ImpactEdge, ...] = ()
    unexplored: tuple[Unexplored, ...] = ()
    is_complete: bool = True
    omitted: int = 0

    @property
    def changed(self) -> tuple[ImpactNode, ...]:
        """The objects that the operation works on."""
        return tuple(node for node in self.nodes if node.is_changed)

    @property
    def dependents(self) -> tuple[ImpactNode, ...]:
        """The objects that depend on them, nearest first."""
        return tuple(node for node in self.nodes if not node.is_changed)

    def to_json(self) -> dict[str, Any]:
        """Return the graph as plain JSON; an edge is a pair of source and target."""
        return {
            "nodes": [node.to_json() for node in self.nodes],
            "edges": [[edge.source, edge.target] for edge in self.edges],
            "unexplored": [[item.node_id, item.reason] for item in self.unexplored],
            "is_complete": self.is_complete,
            "omitted": self.omitted,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ImpactGraph:
        """Return the graph that `to_json` serialized."""
        return cls(
            tuple(map(ImpactNode.from_json, raw["nodes"])),
            tuple(ImpactEdge(source, target) for source, target in raw["edges"]),
            tuple(Unexplored(node_id, reason) for node_id, reason in raw["unexplored"]),
            raw["is_complete"],
            raw.get("omitted", 0),
        )

    def pack(self) -> str:
        """Return the graph as compressed text for the ledger.

        One of 100 nodes takes about 5 KB instead of 19 KB, one of 500 nodes about 25 KB instead of 95 KB
        (random names, two edges per node).
        """
        return base64.b64encode(zlib.compress(orjson.dumps(self.to_json()))).decode()

    @classmethod
    def unpack(cls, text: str) -> ImpactGraph:
        """Return the graph that `pack` serialized."""
        return cls.from_json(orjson.loads(zlib.decompress(base64.b64decode(text))))


class BaselineName(NamedTuple):
    """Name and committed time (HH:MM; None if unknown) of a baseline."""

    name: str
    due: str | None


@dataclass(slots=True)
class ImpactRecorder:
    """Collects what a check finds on dependents, from one or several searches.

    An object that is found several times keeps its first description and the fewest hops. The `baseline` of
    what is added is an id; `build_graph` replaces it by the name if that is known by then.
    """

    _nodes: dict[str, ImpactNode] = field(default_factory=dict)
    _baselines: dict[str, BaselineName] = field(default_factory=dict)
    _edges: dict[ImpactEdge, None] = field(default_factory=dict)
    _unexplored: dict[Unexplored, None] = field(default_factory=dict)
    _is_complete: bool = True

    def add_nodes(self, nodes: Iterable[ImpactNode]) -> None:
        """Add objects."""
        for node in nodes:
            known = self._nodes.setdefault(node.id, node)
            if node.hops < known.hops or node.is_changed > known.is_changed:
                hops, is_changed = min(node.hops, known.hops), node.is_changed or known.is_changed
                self._nodes[node.id] = replace(known, hops=hops, is_changed=is_changed)

    def add_edges(self, edges: Iterable[ImpactEdge]) -> None:
        """Add edges; those of objects that are never added are dropped."""
        self._edges |= dict.fromkeys(edges)

    def name_baselines(self, names: Mapping[str, BaselineName]) -> None:
        """Add names and committed times of baselines, by id."""
        self._baselines |= names

    def add_unexplored(self, items: Iterable[Unexplored], *, hides_dependents: bool = True) -> None:
        """Add parts that were not explored, and whether dependents may be missing because of them."""
        added = dict.fromkeys(items)
        self._unexplored |= added
        self._is_complete = self._is_complete and not (added and hides_dependents)

    def build_graph(self, mask: Callable[[str], str] = str, *, has_ended: bool = True) -> ImpactGraph | None:
        """Return the graph; None if no object was added.

        Args:
            mask: replaces secrets in a text.
            has_ended: whether the check has finished its work.
        """
        # Copies: the thread of a check that was abandoned may still add to them.
        nodes, edges, unexplored_parts = dict(self._nodes), dict(self._edges), dict(self._unexplored)
        if not nodes:
            return None
        ranked = sorted(nodes.values(), key=lambda node: (not node.is_changed, node.hops))
        kept = {node.id: node for node in ranked[:MAX_NODES]}
        omitted = len(ranked) - len(kept)
        unexplored = [item for item in unexplored_parts if item.node_id is None or item.node_id in kept]
        unexplored += [Unexplored(None, NOT_STORED)] if omitted else []
        unexplored += [] if has_ended else [Unexplored(None, CHECK_ENDED)]
        is_complete = self._is_complete and not omitted and has_ended

        def bounded(text: str) -> str:
            return printable(mask(text))[:MAX_TEXT_LENGTH]

        ids = {id_: bounded(id_) for id_ in kept}
        inner = (
            edge
            for edge in edges
            if edge.source in kept and edge.target in kept and edge.source != edge.target
        )
        return ImpactGraph(
            tuple(self._complete(node, ids[node.id], bounded) for node in kept.values()),
            tuple(ImpactEdge(ids[edge.source], ids[edge.target]) for edge in _first_edges(inner)),
            tuple(Unexplored(item.node_id and ids[item.node_id], item.reason) for item in unexplored),
            is_complete,
            omitted,
        )

    def _complete(self, node: ImpactNode, id_: str, bounded: Callable[[str], str]) -> ImpactNode:
        """Return a node with the name of its baseline and with bounded texts."""
        known = self._baselines.get(node.baseline) if node.baseline else None
        return replace(
            node,
            id=id_,
            name=bounded(node.name) or id_,
            owner=bounded(node.owner) if node.owner else None,
            baseline=bounded(known.name) if known else node.baseline,
            due=known.due if known else None,
        )


def _first_edges(edges: Iterable[ImpactEdge]) -> list[ImpactEdge]:
    """Return at most `MAX_EDGES` edges; the first edge to each target is kept before all others."""
    first: dict[str, ImpactEdge] = {}
    others = [edge for edge in edges if first.setdefault(edge.target, edge) is not edge]
    return [*first.values(), *others][:MAX_EDGES]
