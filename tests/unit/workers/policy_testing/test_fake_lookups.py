"""The fake lookups of a case behave like DataWorks."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from common.snapshot import Column
from workers.checks.api import Lookups
from workers.dataworks.errors import AccessDenied, RequestRejected
from workers.dataworks.models import Baseline, ColumnRef, Consumer, NodeOutput, ProducingTask, TableRef
from workers.policy_testing.fake_lookups import FakeLookups
from workers.policy_testing.world import ACTIONS, CaseWorld

WORLD: dict[str, Any] = {
    "nodes": {
        1: {"name": "ods", "owner": 19, "baseline": 7, "outputs": ["shop.ods"], "code": "select 1"},
        2: {"parents": [1], "cross_cycle_parents": [2, 99], "scheduler": "PAUSE", "project": 5},
        3: {"parents": [1, 2], "inputs": ["shop.ods", "shop.gone"], "outputs": [{"name": "o", "table": "t"}]},
    },
    "baselines": {7: {"name": "morning", "priority": 8, "owner": "19"}},
    "tables": {
        "odps.shop.ods": {
            "columns": {"id": "BIGINT", "name": "STRING"},
            "partitions": {"ds": "STRING"},
            "keys": ["id"],
            "producers": [1, 98],
            "consumers": ["dataservice-api.1", {"name": "bi.2", "third_party": True}],
            "lifecycle": 30,
        },
        "odps.shop.dwd": {
            "made_from": ["odps.shop.ODS", "odps.shop.dwd"],
            "columns_made_from": {"key": ["odps.shop.ods.id"]},
        },
        "odps.mart.ads": {"made_from": ["odps.shop.ods"], "project": 5},
    },
    "deployed": {501: "select 2"},
}


def lookups(**more: Any) -> FakeLookups:
    return FakeLookups(CaseWorld.model_validate({**WORLD, **more}), 93124)


def test_every_lookup_exists_and_can_be_made_to_fail() -> None:
    methods = {name for name, _ in inspect.getmembers(Lookups, inspect.isfunction)}
    wanted = {name for name in methods - {"begin"} if not name.startswith("_")}
    assert set(ACTIONS) == wanted
    port: Lookups = lookups(failing=list(ACTIONS))
    for name, action in ACTIONS.items():
        argument = ["x"] if name == "nodes_by_output" else 1
        with pytest.raises(AccessDenied, match=action):
            getattr(port, name)(argument)


def test_children_and_parents() -> None:
    world = lookups()
    assert [(node.id, node.cross_cycle) for node in world.node_children(1)] == [(2, False), (3, False)]
    assert [(node.id, node.cross_cycle) for node in world.node_children(2)] == [(2, True), (3, False)]
    assert [(node.id, node.cross_cycle) for node in world.node_parents(2)] == [(1, False), (2, True)]
    assert world.node_children(99) != ()
    assert world.node_parents(99) == ()
    assert world.node_children(7) == ()


def test_a_node_and_its_inherited_fields() -> None:
    node = lookups().node(1)
    assert (node.name, node.owner, node.project_id, node.priority, node.scheduler) == (
        "ods",
        "19",
        93124,
        8,
        "NORMAL",
    )
    assert (lookups().node(2).name, lookups().node(2).project_id) == ("node_2", 5)
    assert lookups().node_code(1) == "select 1"


def test_inputs_and_outputs() -> None:
    world = lookups()
    assert world.node_inputs(2) == (NodeOutput("shop.ods", 2),)
    assert [item.name for item in world.node_inputs(3)] == ["shop.ods", "shop.gone"]
    assert world.node_outputs(3) == (NodeOutput("o", 3, "t"),)
    found = world.nodes_by_output(["shop.ods", "nobody"])
    assert {name: [node.id for node in nodes] for name, nodes in found.items()} == {
        "shop.ods": [1],
        "nobody": [],
    }


def test_baselines() -> None:
    assert lookups().baseline(7) == Baseline(7, "morning", 8, "19")


def test_table_names_are_case_insensitive() -> None:
    info = lookups().table_info("ODPS.shop.ods")
    assert info.columns == (
        Column("id", "BIGINT", "", key=True),
        Column("name", "STRING", ""),
        Column("ds", "STRING", "", partition=True),
    )
    assert (info.guid, info.project_id, info.project_name, info.lifecycle) == (
        "odps.shop.ods",
        93124,
        "shop",
        30,
    )


def test_lineage() -> None:
    world = lookups()
    assert world.downstream_tables("odps.shop.ods") == (
        TableRef("odps.shop.dwd", "dwd", "shop"),
        TableRef("odps.mart.ads", "ads", "mart"),
    )
    assert len(world.downstream_tables("odps.shop.ods", 1)) == 1
    assert world.downstream_tables("odps.shop.dwd") == (TableRef("odps.shop.dwd", "dwd", "shop"),)
    assert world.downstream_columns("odps.shop.ods.ID") == (
        ColumnRef("odps.shop.dwd.key", "key", "dwd", "shop"),
    )
    assert world.consumers("odps.shop.ods") == (Consumer("dataservice-api.1"), Consumer("bi.2", True))
    assert world.consumers("odps.shop.gone") == ()
    assert world.producing_tasks("odps.shop.ods") == (
        ProducingTask("1", "ods"),
        ProducingTask("98", "node_98"),
    )


def test_deployed_code() -> None:
    assert lookups().deployed_code(501) == "select 2"
    assert lookups().deployed_code(502) is None


@pytest.mark.parametrize(
    ("lookup", "argument"),
    [
        ("node", 99),
        ("node_code", 99),
        ("node_inputs", 99),
        ("node_outputs", 99),
        ("baseline", 99),
        ("table_info", "odps.shop.gone"),
        ("producing_tasks", "odps.shop.gone"),
    ],
)
def test_lookups_of_unknown_objects_are_rejected(lookup: str, argument: object) -> None:
    with pytest.raises(RequestRejected, match="not found"):
        getattr(lookups(), lookup)(argument)
