"""Where the boxes and lines of a graph of dependents are drawn: a fixed layout, from left to right by hops.

Every object is drawn alone while there are few. Otherwise those of one workspace and owner are drawn as one
pile, except those on a baseline at risk.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from common.impact_graph import ImpactGraph, ImpactNode

MAX_COLUMNS = 4
"""Maximum number of columns; the last one has all that are farther away, too."""

MAX_SINGLES = 30
"""Objects up to which all are drawn alone."""

MAX_COLUMN_BOXES = 12
MAX_RISKS = 8
"""Maximum number of objects on a baseline that are drawn alone although the others are piled."""

MAX_OPENED = 12
"""Objects of an opened pile that are drawn."""

BOX_WIDTH = 216
BOX_HEIGHT = 48
RISK_HEIGHT = 64
COLUMN_GAP = 72
ROW_GAP = 14
MARGIN = 6
HEADING = 22
"""Sizes in units of the picture."""


class BoxKind(StrEnum):
    """What a box stands for."""

    CHANGED = "changed"
    NODE = "node"
    RISK = "risk"
    PILE = "pile"
    BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class Box:
    """One box.

    Attributes:
        key: identifies it in the picture; of a pile also in the address that opens it.
        kind: what it stands for.
        nodes: the objects that it stands for; none if something was not explored.
        reason: why it was not explored; empty for other boxes.
        x: left edge.
        y: upper edge.
        height: its height.
    """

    key: str
    kind: BoxKind
    nodes: tuple[ImpactNode, ...]
    reason: str = ""
    x: int = 0
    y: int = 0
    height: int = BOX_HEIGHT


@dataclass(frozen=True, slots=True)
class Line:
    """Dependencies between two boxes.

    Attributes:
        path: the line as the `d` of an SVG path.
        count: number of dependencies; 0 for what was not explored.
        label_x: place of the count.
        label_y: likewise.
        is_labelled: whether the count is drawn.
        is_hot: whether it is on a path to a baseline at risk.
    """

    path: str
    count: int
    label_x: int
    label_y: int
    is_labelled: bool
    is_hot: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its left edge, and the hops and number of the objects in it."""

    x: int
    hops: int
    count: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class ImpactPicture:
    """The picture: boxes in the order in which they are read, lines, columns, and its size."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    columns: tuple[Column, ...]
    width: int
    height: int
    has_piles: bool


def lay_out(graph: ImpactGraph, opened: str = "") -> ImpactPicture:
    """Return the picture of a graph.

    Args:
        graph: the graph.
        opened: key of the pile that is opened; empty for none.
    """
    columns = _columns(graph)
    readers = Counter(edge.source for edge in graph.edges)
    is_piled = len(graph.nodes) > MAX_SINGLES or any(len(nodes) > MAX_COLUMN_BOXES for nodes in columns)
    risks = _singled_out(graph.dependents)
    boxed = [
        _piled(index, nodes, risks, readers, opened, by_owner=graph.is_complete)
        if is_piled and index
        else _singles(nodes, readers)
        for index, nodes in enumerate(columns)
    ]
    if beyond := _beyond(graph):
        kept, last = boxed[: MAX_COLUMNS - 1], boxed[MAX_COLUMNS - 1 :]
        boxed = [*kept, [*(box for boxes in last for box in boxes), *beyond]]
    heights = [sum(box.height + ROW_GAP for box in boxes) - ROW_GAP for boxes in boxed]
    tallest = max(heights, default=0)
    placed = [
        _place(boxes, MARGIN + index * (BOX_WIDTH + COLUMN_GAP), HEADING + (tallest - height) // 2)
        for index, (boxes, height) in enumerate(zip(boxed, heights, strict=True))
    ]
    return ImpactPicture(
        boxes=tuple(box for boxes in placed for box in boxes),
        lines=tuple(_lines(graph, placed)),
        columns=tuple(_headings(columns)),
        width=2 * MARGIN + len(placed) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP,
        height=HEADING + tallest + MARGIN,
        has_piles=any(box.kind is BoxKind.PILE for boxes in placed for box in boxes),
    )


def risk_order(node: ImpactNode) -> tuple[int, str, int, str, str]:
    """Return the order of objects by risk: by priority, then the time due, then the nearest."""
    if node.baseline is None:
        return 1, "", node.hops, node.name, node.id
    return -(node.priority or 0), node.due or "99", node.hops, node.name, node.id


def _columns(graph: ImpactGraph) -> list[list[ImpactNode]]:
    found: defaultdict[int, list[ImpactNode]] = defaultdict(list)
    for node in graph.nodes:
        found[0 if node.is_changed else min(max(node.hops, 1), MAX_COLUMNS - 1)].append(node)
    return [found[hops] for hops in range(max(found, default=-1) + 1)]


def _headings(columns: Sequence[Sequence[ImpactNode]]) -> Iterable[Column]:
    for index, nodes in enumerate(columns):
        is_last = index == MAX_COLUMNS - 1 and any(node.hops > index for node in nodes)
        yield Column(MARGIN + index * (BOX_WIDTH + COLUMN_GAP), index, len(nodes), is_last)


def _singled_out(nodes: Iterable[ImpactNode]) -> frozenset[str]:
    risks = sorted((node for node in nodes if node.baseline is not None), key=risk_order)
    return frozenset(node.id for node in risks[:MAX_RISKS])


def _single(node: ImpactNode) -> Box:
    if node.is_changed:
        return Box(f"n-{node.id}", BoxKind.CHANGED, (node,))
    if node.baseline is not None:
        return Box(f"n-{node.id}", BoxKind.RISK, (node,), height=RISK_HEIGHT)
    return Box(f"n-{node.id}", BoxKind.NODE, (node,))


def _singles(nodes: Iterable[ImpactNode], readers: Mapping[str, int]) -> list[Box]:
    ordered = sorted(nodes, key=lambda node: (node.baseline is None, -readers[node.id], node.name, node.id))
    return [_single(node) for node in ordered]


def _piled(
    column: int,
    nodes: Sequence[ImpactNode],
    risks: frozenset[str],
    readers: Mapping[str, int],
    opened: str,
    *,
    by_owner: bool,
) -> list[Box]:
    """Return the boxes of a column whose objects are piled, with at most `MAX_COLUMN_BOXES` of them."""
    alone = [node for node in nodes if node.id in risks]
    others = [node for node in nodes if node.id not in risks]
    room = max(MAX_COLUMN_BOXES - len(alone), 1)
    if len(others) <= room:
        return _singles(nodes, readers)
    piles = _piles(column, others, by_owner=by_owner)
    if len(piles) > room and by_owner:
        piles = _piles(column, others, by_owner=False)
    if len(piles) > room:
        rest = tuple(node for pile in piles[room - 1 :] for node in pile.nodes)
        piles = [*piles[: room - 1], Box(f"p-{column}-rest", BoxKind.PILE, rest)]
    boxes = _singles(alone, readers)
    for pile in piles:
        if len(pile.nodes) == 1:
            boxes.append(_single(pile.nodes[0]))
        elif pile.key == opened:
            shown = _singles(pile.nodes, readers)
            boxes += shown[:MAX_OPENED]
            if left := tuple(node for box in shown[MAX_OPENED:] for node in box.nodes):
                boxes.append(Box(f"{pile.key}-more", BoxKind.PILE, left))
        else:
            boxes.append(pile)
    return boxes


def _piles(column: int, nodes: Iterable[ImpactNode], *, by_owner: bool) -> list[Box]:
    """Return piles by workspace, and owner, the largest first."""

    def key(node: ImpactNode) -> tuple[str, str]:
        return str(node.workspace or ""), (node.owner or "") if by_owner else ""

    piles = [
        Box("-".join(("p", str(column), *group)).rstrip("-"), BoxKind.PILE, tuple(items))
        for group, items in groupby(sorted(nodes, key=lambda node: (*key(node), node.name, node.id)), key)
    ]
    return sorted(piles, key=lambda pile: (-len(pile.nodes), pile.key))


def _beyond(graph: ImpactGraph) -> list[Box]:
    reasons = dict.fromkeys(item.reason for item in graph.unexplored)
    return [Box(f"beyond-{reason}", BoxKind.BEYOND, (), reason) for reason in reasons if reason != "owners"]


def _place(boxes: Iterable[Box], x: int, y: int) -> list[Box]:
    placed = []
    for box in boxes:
        placed.append(Box(box.key, box.kind, box.nodes, box.reason, x, y, box.height))
        y += box.height + ROW_GAP
    return placed


def _lines(graph: ImpactGraph, placed: Sequence[Sequence[Box]]) -> Iterable[Line]:
    column_of = {box.key: index for index, boxes in enumerate(placed) for box in boxes}
    boxes = {box.key: box for column in placed for box in column}
    box_of = {node.id: box for box in boxes.values() for node in box.nodes}
    counts: Counter[tuple[str, str]] = Counter()
    for edge in graph.edges:
        source, target = box_of.get(edge.source), box_of.get(edge.target)
        if source and target and column_of[source.key] < column_of[target.key]:
            counts[source.key, target.key] += 1
    for item in graph.unexplored:
        source, target = box_of.get(item.node_id or ""), boxes.get(f"beyond-{item.reason}")
        if source and target and column_of[source.key] < column_of[target.key]:
            counts[source.key, target.key] += 0
    hot = _leading_to_risk(counts, boxes)
    for (source_key, target_key), count in sorted(counts.items()):
        source, target = boxes[source_key], boxes[target_key]
        yield _line(source, target, count, is_hot=target_key in hot)


def _leading_to_risk(counts: Iterable[tuple[str, str]], boxes: Mapping[str, Box]) -> set[str]:
    """Return the keys of the boxes that are on a baseline at risk, or from which a path leads to one."""
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in counts:
        sources[target].append(source)
    found = {key for key, box in boxes.items() if box.kind is BoxKind.RISK}
    waiting = list(found)
    while waiting:
        for source in sources[waiting.pop()]:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def _line(source: Box, target: Box, count: int, *, is_hot: bool) -> Line:
    x, y = source.x + BOX_WIDTH, source.y + source.height // 2
    to_x, to_y = target.x, target.y + target.height // 2
    middle = (x + to_x) // 2
    return Line(
        path=f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}",
        count=count,
        label_x=to_x - 6,
        label_y=to_y - 5,
        is_labelled=count > 1 or (count == 1 and target.kind is BoxKind.PILE),
        is_hot=is_hot,
    )
