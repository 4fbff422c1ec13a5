from __future__ import annotations

import random
from itertools import pairwise

import pytest

from common.impact_graph import MAX_NODES, ImpactEdge, ImpactGraph, ImpactNode, Unexplored
from console.web.views.impact_layout import (
    BOX_WIDTH,
    MAX_COLUMN_BOXES,
    MAX_COLUMNS,
    MAX_OPENED,
    BoxKind,
    ImpactPicture,
    lay_out,
)

ROOT = ImpactNode("root", "root", "owner-0", 1, "node", 0, is_changed=True)


def node(id_: str, hops: int, *, owner: str = "owner-1", risk: bool = False) -> ImpactNode:
    baseline, priority, due = ("B", 8, "07:30") if risk else (None, None, None)
    return ImpactNode(id_, f"node_{id_}", owner, 1, "node", hops, baseline, priority, due)


def chain(*nodes: ImpactNode) -> ImpactGraph:
    everything = (ROOT, *nodes)
    edges = [ImpactEdge(first.id, second.id) for first, second in zip(everything, nodes, strict=False)]
    return ImpactGraph(everything, tuple(edges))


def crowd(count: int, *, risks: int = 0, seed: int = 1) -> ImpactGraph:
    """Return a graph of `count` dependents in up to six hops."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable graph
    nodes = [ROOT]
    edges = []
    for number in range(count):
        source = chance.choice([each for each in nodes if each.hops < 6])
        added = node(str(number), source.hops + 1, owner=f"owner-{chance.randrange(20)}", risk=number < risks)
        nodes.append(added)
        edges.append(ImpactEdge(source.id, added.id))
    return ImpactGraph(tuple(nodes), tuple(edges))


def kinds(picture: ImpactPicture) -> list[BoxKind]:
    return [box.kind for box in picture.boxes]


def test_few_objects_are_drawn_alone_from_left_to_right() -> None:
    picture = lay_out(chain(node("a", 1), node("b", 2)))
    assert kinds(picture) == [BoxKind.CHANGED, BoxKind.NODE, BoxKind.NODE]
    assert [box.x for box in picture.boxes] == sorted({box.x for box in picture.boxes})
    assert len(picture.lines) == 2
    assert not picture.has_piles


def test_objects_on_baselines_come_first_and_the_path_to_them_is_marked() -> None:
    picture = lay_out(chain(node("a", 1), node("b", 2, risk=True)))
    assert kinds(picture)[-1] is BoxKind.RISK
    assert all(line.is_hot for line in picture.lines)


def test_the_last_column_has_all_that_are_farther_away() -> None:
    picture = lay_out(chain(*(node(str(hops), hops) for hops in range(1, 7))))
    assert len({box.x for box in picture.boxes}) == MAX_COLUMNS
    assert picture.columns[-1].is_last
    assert picture.columns[-1].count == 4


def test_many_objects_are_piled_but_none_on_a_baseline_is_hidden() -> None:
    graph = crowd(104, risks=2)
    picture = lay_out(graph)
    assert picture.has_piles
    assert kinds(picture).count(BoxKind.RISK) == 2
    drawn = [each.id for box in picture.boxes for each in box.nodes]
    assert sorted(drawn) == sorted(each.id for each in graph.nodes)


def test_a_pile_opens() -> None:
    graph = crowd(104)
    pile = max(
        (box for box in lay_out(graph).boxes if box.kind is BoxKind.PILE), key=lambda box: len(box.nodes)
    )
    opened = lay_out(graph, pile.key)
    alone = {box.nodes[0].id for box in opened.boxes if box.kind is BoxKind.NODE}
    assert len(alone & {each.id for each in pile.nodes}) == min(len(pile.nodes), MAX_OPENED)


def test_an_unknown_pile_opens_nothing() -> None:
    graph = crowd(104)
    assert lay_out(graph, "p-<script>") == lay_out(graph)


def test_what_was_not_explored_is_a_box_of_its_own() -> None:
    graph = ImpactGraph(
        (ROOT, node("a", 1)), (ImpactEdge("root", "a"),), (Unexplored("a", "depth"),), is_complete=False
    )
    picture = lay_out(graph)
    assert (picture.boxes[-1].kind, picture.boxes[-1].reason) == (BoxKind.BEYOND, "depth")
    assert [line.count for line in picture.lines if not line.count] == [0]


@pytest.mark.parametrize("count", [1, 12, 13, 30, 31, 100, 499])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_boxes_overlap_and_all_are_inside(count: int, seed: int) -> None:
    picture = lay_out(crowd(count, risks=count // 20, seed=seed))
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - BOX_WIDTH
        assert 0 <= box.y <= picture.height - box.height
    for x in {box.x for box in picture.boxes}:
        column = sorted((box for box in picture.boxes if box.x == x), key=lambda box: box.y)
        assert len(column) <= MAX_COLUMN_BOXES + 1
        for upper, lower in pairwise(column):
            assert upper.y + upper.height <= lower.y


def test_the_picture_is_the_same_at_every_load() -> None:
    graph = crowd(200, risks=5)
    shuffled = list(graph.nodes)
    random.Random(3).shuffle(shuffled)  # noqa: S311
    assert lay_out(graph) == lay_out(ImpactGraph(tuple(shuffled), graph.edges))


def test_the_largest_graph_is_drawn_with_few_boxes() -> None:
    assert len(lay_out(crowd(MAX_NODES - 1, risks=20)).boxes) <= MAX_COLUMNS * MAX_COLUMN_BOXES


def test_a_graph_with_a_cycle_is_drawn() -> None:
    graph = ImpactGraph(
        (ROOT, node("a", 1), node("b", 2, risk=True)),
        (ImpactEdge("root", "a"), ImpactEdge("a", "b"), ImpactEdge("b", "a"), ImpactEdge("a", "a")),
    )
    assert len(lay_out(graph).lines) == 2


def test_nothing_is_drawn_for_nothing() -> None:
    assert lay_out(ImpactGraph(())).boxes == ()
