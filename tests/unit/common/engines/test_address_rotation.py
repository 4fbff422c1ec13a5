"""The order in which the nodes of a cluster are tried."""

from __future__ import annotations

from common.engines.address_rotation import AddressRotation

NODES = ("a", "b", "c")


def test_what_failed_is_tried_after_all_others() -> None:
    rotation = AddressRotation(NODES)
    first, second, third = rotation.in_order()
    rotation.note_failure(first)
    assert rotation.in_order() == [second, third, first]
    rotation.note_failure(second)
    rotation.note_failure(third)
    assert rotation.in_order() == [first, second, third]


def test_processes_begin_with_different_nodes() -> None:
    assert {AddressRotation(NODES).in_order()[0] for _ in range(200)} == {*NODES}
