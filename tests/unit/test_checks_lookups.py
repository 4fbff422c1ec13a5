"""The checks that ask DataWorks, on a small made-up workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from common.events import Event
from common.verdicts import Finding, Severity
from workers.checks import registry
from workers.checks.check import Context, Lookups, Skip
from workers.dataworks.errors import Throttled
from workers.dataworks.values import Environment, FileSnapshot, Node, Snapshot, TableInfo, TableRef

CHECKS = registry.load()


def node(number: int, scheduler: str | None = "NORMAL", owner: str | None = "1923") -> Node:
    return Node(number, f"n{number}", owner, 93124, "ODPS_SQL", scheduler)


@dataclass
class Workspace:
    """Answers from two maps, and remembers what it was asked."""

    children: dict[int, list[Node]] = field(default_factory=dict)
    parents: dict[int, list[Node]] = field(default_factory=dict)
    tables: list[TableRef] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)
    fault: Exception | None = None

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        self.asked.append((node_id, environment))
        if self.fault:
            raise self.fault
        return tuple(self.children.get(node_id, ()))

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        self.asked.append((node_id, environment))
        return tuple(self.parents.get(node_id, ()))

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:  # noqa: ARG002
        return node(node_id)

    def downstream_tables(self, guid: str, most: int = 100) -> tuple[TableRef, ...]:
        self.asked.append(guid)
        return tuple(self.tables[:most])

    def table_info(self, guid: str) -> TableInfo:
        raise NotImplementedError(guid)

    def deployed_code(self, file_id: int) -> str | None:
        raise NotImplementedError(file_id)


def ask(
    name: str,
    code: str,
    data: Any,
    workspace: Workspace,
    *,
    snapshot: Snapshot | None = None,
    options: dict[str, Any] | None = None,
) -> list[Finding]:
    check = CHECKS[name]
    event = Event("m-1", code, 93124, "1923", True, data, 0)
    given_options = check.options.model_validate(options or {})
    return list(check.ask(Context(event, snapshot or Snapshot(), given_options, cast(Lookups, workspace), 0)))


@pytest.mark.parametrize("code", ["undeploy-node", "freeze-node"])
def test_live_children_block(code: str) -> None:
    workspace = Workspace(
        children={1: [node(10, owner=None), node(11), node(12), node(13), node(14, "PAUSE")]}
    )
    (found,) = ask("downstream-impact", code, {"nodeIds": [1]}, workspace)
    assert (found.rule, found.severity) == ("downstream-nodes", Severity.BLOCK)
    assert found.message == (
        "4 live nodes depend on node 1: n10 (10, no owner), n11 (11, 1923), n12 (12, 1923) and 1 more."
    )
    assert workspace.asked == [(1, Environment.PROD)]


def test_children_of_the_same_operation_do_not_count() -> None:
    workspace = Workspace(children={1: [node(2)], 2: [node(3)]})
    found = ask("downstream-impact", "freeze-node", {"nodeIds": ["1", 2, 2]}, workspace)
    assert [item.message for item in found] == ["1 live node depends on node 2: n3 (3, 1923)."]


def test_nothing_below_passes() -> None:
    workspace = Workspace(children={1: [node(2, "PAUSE")]})
    assert ask("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace) == []


@pytest.mark.parametrize(
    ("data", "snapshot", "asked"),
    [
        ({"nodeId": 7}, Snapshot(), 7),
        ({"nodeId": "7"}, Snapshot(), 7),
        ({}, Snapshot(file=FileSnapshot(1, "f", 10, "", node_id=8)), 8),
        ({"nodeId": None}, Snapshot(file=FileSnapshot(1, "f", 10, "", node_id=8)), 8),
    ],
)
def test_a_deleted_file_is_looked_up_by_its_node(
    data: dict[str, Any], snapshot: Snapshot, asked: int
) -> None:
    workspace = Workspace(children={asked: [node(9)]})
    (found,) = ask("downstream-impact", "delete-file", data, workspace, snapshot=snapshot)
    assert f"node {asked}:" in found.message


@pytest.mark.parametrize(
    ("data", "snapshot"),
    [({}, Snapshot()), ({"nodeId": 0}, Snapshot()), ({}, Snapshot(file=FileSnapshot(1, "f", 10, "")))],
)
def test_a_file_without_a_node_is_skipped(data: dict[str, Any], snapshot: Snapshot) -> None:
    with pytest.raises(Skip):
        ask("downstream-impact", "delete-file", data, Workspace(), snapshot=snapshot)


@pytest.mark.parametrize(
    ("name", "code", "data"),
    [
        ("downstream-impact", "freeze-node", {}),
        ("downstream-impact", "freeze-node", {"nodeIds": []}),
        ("downstream-impact", "freeze-node", {"nodeIds": None}),
        ("downstream-impact", "freeze-node", {"nodeIds": "1"}),
        ("downstream-impact", "freeze-node", {"nodeIds": [None]}),
        ("downstream-impact", "delete-file", {"nodeId": {"a": 1}}),
        ("frozen-parents", "unfreeze-node", {"nodeIds": ["x"]}),
        ("table-readers", "deploy-table", {}),
        ("table-readers", "deploy-table", {"maxComputeProject": "p", "tableName": 7}),
    ],
)
def test_an_event_that_cannot_be_read_blocks_and_says_so(name: str, code: str, data: dict[str, Any]) -> None:
    workspace = Workspace()
    (found,) = ask(name, code, data, workspace)
    assert (found.rule, found.severity) == ("event-unreadable", Severity.BLOCK)
    assert workspace.asked == []


def test_faults_of_the_lookup_are_the_caller_s_to_handle() -> None:
    workspace = Workspace(fault=Throttled("GetNodeChildren", "Throttling.User"))
    with pytest.raises(Throttled):
        ask("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace)


@pytest.mark.parametrize(
    ("parents", "count"),
    [([node(2, "PAUSE")], 1), ([node(2)], 0), ([node(2, None)], 0), ([node(3, "PAUSE")], 0), ([], 0)],
)
def test_frozen_parents(parents: list[Node], count: int) -> None:
    found = ask("frozen-parents", "unfreeze-node", {"nodeIds": [1, 3]}, Workspace(parents={1: parents}))
    assert len(found) == count
    assert all(item.severity is Severity.BLOCK and "n2 (2, 1923)" in item.message for item in found)


TABLE = {"maxComputeProject": "shop", "tableName": "dwd_order"}


def refs(count: int) -> list[TableRef]:
    return [TableRef(f"odps.shop.t{number}", f"t{number}", "shop") for number in range(count)]


@pytest.mark.parametrize(
    ("readers", "options", "message"),
    [
        (0, {}, None),
        (1, {}, "1 table is made from shop.dwd_order: shop.t0."),
        (2, {"most_readers": 2}, None),
        (3, {"most_readers": 2}, "3 tables are made from shop.dwd_order: shop.t0, shop.t1, shop.t2."),
        (50, {}, "At least 5 tables are made from shop.dwd_order: shop.t0, shop.t1, shop.t2 and 2 more."),
    ],
)
def test_table_readers(readers: int, options: dict[str, Any], message: str | None) -> None:
    workspace = Workspace(tables=refs(readers))
    found = ask("table-readers", "deploy-table", TABLE, workspace, options=options)
    assert [item.message for item in found] == ([message] if message else [])
    assert workspace.asked == ["odps.shop.dwd_order"]


def test_a_table_is_not_its_own_reader() -> None:
    workspace = Workspace(tables=[TableRef("odps.Shop.DWD_order", "dwd_order", "shop")])
    assert ask("table-readers", "deploy-table", TABLE, workspace) == []
