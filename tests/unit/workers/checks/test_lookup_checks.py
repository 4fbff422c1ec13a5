"""The checks with lookups, on a small artificial workspace."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from common.events import Event
from common.snapshot import FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import Finding, Severity
from tests.support.sample_workspace import HOME, Workspace, node, table
from workers.checks import registry
from workers.checks.api import Context, SkipCheck
from workers.dataworks.errors import AccessDenied, Throttled
from workers.dataworks.models import Baseline, Consumer, Node, NodeOutput, ProducingTask

CHECKS = registry.load_checks()
MORNING = datetime.fromisoformat("2026-11-20T10:00:00+08:00").timestamp()


def ask(
    name: str,
    code: str,
    data: Any,
    workspace: Workspace,
    *,
    snapshot: Snapshot | None = None,
    options: dict[str, Any] | None = None,
    language: Language = Language.ENGLISH,
) -> list[Finding]:
    check = CHECKS[name]
    event = Event("m-1", code, HOME, "1923", True, data, 0)
    given_options = check.options.model_validate(options or {})
    context = Context(event, snapshot or Snapshot(), given_options, workspace, MORNING, language)
    return list(check.run(context))


def rules(found: list[Finding]) -> list[str]:
    return [item.rule for item in found]


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("undeploy-node", "Node n1 (1) is still needed by"),
        ("freeze-node", "Node n1 (1), once frozen, would hold up"),
    ],
)
def test_live_nodes_below_block(code: str, begins: str) -> None:
    workspace = Workspace(
        children={
            1: [node(10, owner=None), node(11), node(14, "PAUSE")],
            11: [node(12, owner="77", project=9)],
            14: [node(15)],
        }
    )
    (found,) = ask("downstream-impact", code, {"nodeIds": [1]}, workspace)
    assert (found.rule, found.severity) == ("downstream-nodes", Severity.BLOCK)
    assert found.message == (
        f"{begins} 3 nodes (2 owners; workspaces 9, 93124): "
        "n10 (10, no owner), n11 (11, 1923), n12 (12, 77; via n11)."
    )


def test_nodes_of_one_operation_share_a_finding_and_do_not_count() -> None:
    workspace = Workspace(children={1: [node(2)], 2: [node(3)]})
    (found,) = ask("downstream-impact", "freeze-node", {"nodeIds": ["1", 2, 2]}, workspace)
    assert found.message == (
        "Nodes n1 (1), n2 (2), once frozen, would hold up "
        "1 node (1 owner; workspace 93124): n3 (3, 1923; via 2)."
    )


@pytest.mark.parametrize(
    "workspace",
    [
        Workspace(),
        Workspace(children={1: [node(2, "PAUSE")], 2: [node(3)]}),
        Workspace(children={1: [node(1)]}),
        Workspace(children={1: [node(2)]}, nodes={1: node(1, "PAUSE")}),
        Workspace(nodes={1: node(1, baseline=7, priority=5)}),
        Workspace(
            nodes={1: node(1, baseline=7, priority=8)},
            baselines={7: Baseline(7, "b", 8, None, enabled=False)},
        ),
        Workspace(nodes={1: node(1, "PAUSE", baseline=7, priority=8)}),
    ],
    ids=[
        "alone",
        "frozen below",
        "its own yesterday",
        "frozen already",
        "calm",
        "off",
        "frozen on a baseline",
    ],
)
def test_unaffected_nodes_pass_a_freeze(workspace: Workspace) -> None:
    assert ask("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace) == []


def test_deleting_a_frozen_node_affects_its_dependents() -> None:
    workspace = Workspace(children={1: [node(2)]}, nodes={1: node(1, "PAUSE")})
    assert rules(ask("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace)) == [
        "downstream-nodes"
    ]


@pytest.mark.parametrize(
    ("workspace", "says"),
    [
        (
            Workspace(
                nodes={1: node(1, baseline=7, priority=8)},
                baselines={7: Baseline(7, "morning report", 8, "19")},
            ),
            "Baseline morning report, priority 8, is at risk through n1.",
        ),
        (
            Workspace(nodes={1: node(1, baseline=7, priority=7)}),
            "Baseline 7, priority 7, is at risk through n1.",
        ),
        (
            Workspace(
                children={1: [node(2, baseline=7, priority=7), node(3, baseline=8, priority=8)]},
                baselines={7: Baseline(7, "a", 7, None), 8: Baseline(8, "b", 8, None)},
            ),
            "Baseline b, priority 8, is at risk through n3, and 1 more baseline is at risk.",
        ),
    ],
)
def test_baselines_at_risk_block(workspace: Workspace, says: str) -> None:
    found = ask("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace)
    assert (found[0].rule, found[0].severity) == ("baseline-at-risk", Severity.BLOCK)
    assert found[0].message == says


def test_readers_in_other_workspaces_are_found_by_lineage() -> None:
    workspace = Workspace(
        outputs={1: [NodeOutput("shop.dwd", 1), NodeOutput("shop.1_out", 1)]},
        tables={"odps.shop.dwd": [table("odps.shop_dev.x"), table("odps.other.y"), table("odps.third.z")]},
        tasks={"odps.other.y": [ProducingTask("5", "n5")]},
        nodes={5: node(5)},
        readers={"odps.shop.dwd": [Consumer("dataservice-api.1")]},
    )
    (found,) = ask("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace)
    assert (found.rule, found.severity) == ("readers-in-other-workspaces", Severity.BLOCK)
    assert found.message == (
        "shop.dwd of node n1 (1) is read by 1 table and 1 consumer: dataservice-api.1, third.z."
    )
    assert rules(ask("downstream-impact", "freeze-node", {"nodeIds": [1]}, workspace)) == []
    (mild,) = ask(
        "downstream-impact",
        "undeploy-node",
        {"nodeIds": [1]},
        workspace,
        options={"other_workspaces": "warn"},
    )
    assert mild.severity is Severity.WARN


def test_a_table_that_lineage_does_not_know_has_no_readers() -> None:
    workspace = Workspace(outputs={1: [NodeOutput("shop.x", 1)]}, unknown={"odps.shop.x"})
    assert ask("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace) == []


def test_findings_are_kept_when_a_later_lookup_fails() -> None:
    workspace = Workspace(
        children={1: [node(2)]}, faults={"outputs": AccessDenied("ListNodeInputOrOutput", "Forbidden")}
    )
    found = ask("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace)
    assert [(item.rule, item.severity) for item in found] == [
        ("downstream-nodes", Severity.BLOCK),
        ("not-checked", Severity.WARN),
    ]
    assert found[1].message == "Not checked: ListNodeInputOrOutput: Forbidden."


@pytest.mark.parametrize("lookup", ["children", "node", "outputs", "tables", "consumers"])
def test_a_lookup_error_never_passes(lookup: str) -> None:
    workspace = Workspace(
        outputs={1: [NodeOutput("shop.x", 1)]}, faults={lookup: Throttled("X", "Throttling.User")}
    )
    with pytest.raises(Throttled):
        ask("downstream-impact", "undeploy-node", {"nodeIds": [1]}, workspace)


def test_an_unknown_node_and_one_beyond_the_limit_are_reported() -> None:
    found = ask("downstream-impact", "freeze-node", {"nodeIds": [5]}, Workspace(unknown={5}))
    assert [(item.rule, item.severity, item.message) for item in found] == [
        ("not-checked", Severity.WARN, "Not checked: 5, unknown to DataWorks.")
    ]
    data = {"nodeIds": [1, 2, 3]}
    found = ask("downstream-impact", "freeze-node", data, Workspace(), options={"max_calls": 2})
    assert [item.message for item in found] == ["Not checked: everything beyond 3 (lookup limit)."]


def test_the_node_of_a_deleted_file_need_not_be_in_production() -> None:
    assert ask("downstream-impact", "delete-file", {"nodeId": 5}, Workspace(unknown={5})) == []


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
    assert f"Node n{asked} ({asked}) is still needed by 1 node" in found.message


@pytest.mark.parametrize(
    ("data", "snapshot"),
    [({}, Snapshot()), ({"nodeId": 0}, Snapshot()), ({}, Snapshot(file=FileSnapshot(1, "f", 10, "")))],
)
def test_a_file_without_a_node_is_skipped(data: dict[str, Any], snapshot: Snapshot) -> None:
    with pytest.raises(SkipCheck):
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
        ("start-surge", "unfreeze-node", {"nodeIds": ["x"]}),
        ("backfill-scope", "backfill-data", {}),
        ("backfill-scope", "backfill-data", {"includeNodeIds": "1,2"}),
    ],
)
def test_an_invalid_event_blocks_with_a_reason(name: str, code: str, data: dict[str, Any]) -> None:
    workspace = Workspace()
    (found,) = ask(name, code, data, workspace)
    assert (found.rule, found.severity) == ("event-invalid", Severity.BLOCK)
    assert workspace.calls == []


@pytest.mark.parametrize(
    ("parents", "count"),
    [([node(2, "PAUSE")], 1), ([node(2)], 0), ([node(2, None)], 0), ([node(3, "PAUSE")], 0), ([], 0)],
)
def test_frozen_parents(parents: list[Node], count: int) -> None:
    found = ask("frozen-parents", "unfreeze-node", {"nodeIds": [1, 3]}, Workspace(parents={1: parents}))
    assert len(found) == count
    assert all(
        item.severity is Severity.BLOCK
        and item.message == "Nodes n1 (1), n3 (3) would wait for 1 frozen node: n2 (2, 1923; via 1)."
        for item in found
    )


def test_a_frozen_ancestor_blocks_and_a_live_one_beyond_the_depth_is_info() -> None:
    workspace = Workspace(parents={1: [node(2)], 2: [node(3)], 3: [node(4, "PAUSE")]})
    (found,) = ask("frozen-parents", "unfreeze-node", {"nodeIds": [1]}, workspace)
    assert found.message == "Node n1 (1) would wait for 1 frozen node: n4 (4, 1923; via n2 > n3)."
    (found,) = ask("frozen-parents", "unfreeze-node", {"nodeIds": [1]}, workspace, options={"depth": 2})
    assert (found.rule, found.severity) == ("not-checked", Severity.INFO)


def test_an_input_without_a_producer_blocks() -> None:
    workspace = Workspace(
        inputs={1: ["shop_root", "shop.a", "shop.b", ""]}, makers={"shop.a": [node(2)]}, unknown={9}
    )
    found = ask("frozen-parents", "unfreeze-node", {"nodeIds": [1, 9]}, workspace)
    assert rules(found) == ["missing-parents", "not-checked"]
    assert found[0].message == "Nodes n1 (1), 9 depend on shop.b, which no node outputs any more."
    assert ("makers", ("shop.a", "shop.b")) in workspace.calls


HOURLY = "00 00 00-23/1 * * ?"
DAILY = "00 30 09 * * ?"


def test_a_surge_of_starts_blocks() -> None:
    workspace = Workspace(
        children={
            1: [node(2, cron=HOURLY), node(3, "PAUSE", cron=HOURLY), node(4, "MANUAL", cron=HOURLY)],
            2: [node(5, cron="00 00 23 * * ?")],
        },
        nodes={1: node(1, "PAUSE", cron=DAILY)},
    )
    (found,) = ask("start-surge", "unfreeze-node", {"nodeIds": [1]}, workspace, options={"max_instances": 11})
    assert found.message == (
        "Unfrozen at 10:00, node n1 (1) would start 12 instances of 2 nodes at once, 11 are allowed; "
        "most of them n2 (2): 11, n1 (1): 1."
    )
    options = {"max_instances": 12}
    assert ask("start-surge", "unfreeze-node", {"nodeIds": [1]}, workspace, options=options) == []
    early = {"max_instances": 11, "time_zone": "UTC"}
    assert ask("start-surge", "unfreeze-node", {"nodeIds": [1]}, workspace, options=early) == []


def test_a_node_with_an_unknown_schedule_counts_as_one_instance() -> None:
    workspace = Workspace(nodes={1: node(1, cron=None), 2: node(2, cron="0 0 24 * * ?")})
    event = {"nodeIds": [1, 2]}
    (found,) = ask("start-surge", "unfreeze-node", event, workspace, options={"max_instances": 1})
    assert "would start 2 instances of 2 nodes at once" in found.message


def test_an_incomplete_surge_is_reported() -> None:
    workspace = Workspace(
        children={1: [node(2)], 2: [node(3)]}, faults={("children", 2): AccessDenied("G", "No")}
    )
    (found,) = ask("start-surge", "unfreeze-node", {"nodeIds": [1]}, workspace)
    assert (found.rule, found.severity) == ("not-checked", Severity.WARN)
    with pytest.raises(AccessDenied):
        ask(
            "start-surge",
            "unfreeze-node",
            {"nodeIds": [1]},
            Workspace(faults={"node": AccessDenied("G", "No")}),
        )


def backfill(**more: Any) -> dict[str, Any]:
    periods = json.dumps([{"bizBeginTime": "2026-11-01", "bizEndTime": "2026-11-02"}])
    return {"rootNodeId": 1, "includeNodeIds": [1], "multipleTimePeriods": periods, **more}


@pytest.mark.parametrize(
    ("changed", "rule", "says"),
    [
        (node(1, rerunnable=False), "backfill-not-rerunnable", "are not rerunnable: n1 (1, 1923)."),
        (node(1, project=9), "backfill-workspaces", "of other workspaces: n1 (1, 1923), workspace 9."),
        (
            node(1, baseline=7, priority=8),
            "backfill-baseline",
            "Baseline 7, priority 8, is at risk through n1.",
        ),
        (node(1, rerunnable=None), "not-checked", "whether n1 (1, 1923) may be rerun."),
    ],
)
def test_nodes_of_a_backfill(changed: Node, rule: str, says: str) -> None:
    workspace = Workspace(nodes={1: changed})
    (found,) = ask("backfill-scope", "backfill-data", backfill(), workspace)
    assert found.rule == rule
    assert says in found.message
    assert ask("backfill-scope", "backfill-data", backfill(), Workspace()) == []
    dry = backfill(includeNodeIds=[1, 2], excludeNodeIds=["1"])
    assert ask("backfill-scope", "backfill-data", dry, workspace) == []


@pytest.mark.parametrize("include", [None, []])
def test_a_backfill_of_whole_branches_is_counted_behind_excluded_nodes_too(include: object) -> None:
    workspace = Workspace(
        children={1: [node(2), node(9, "PAUSE")], 2: [node(3), node(4, rerunnable=False)], 9: [node(10)]}
    )
    data = backfill(includeNodeIds=include, excludeNodeIds=[2])
    found = ask("backfill-scope", "backfill-data", data, workspace, options={"max_nodes": 2})
    assert rules(found) == ["backfill-nodes", "backfill-not-rerunnable"]
    assert found[0].message == "The backfill runs at least 3 nodes, all below n1 (1, 1923); 2 are allowed."
    assert rules(ask("backfill-scope", "backfill-data", data, workspace)) == ["backfill-not-rerunnable"]


def test_an_endless_branch_ends_at_the_limit() -> None:
    workspace = Workspace(children={number: [node(number + 1)] for number in range(1, 300)})
    options = {"max_nodes": 5, "depth": 50}
    found = ask("backfill-scope", "backfill-data", backfill(includeNodeIds=[]), workspace, options=options)
    assert found[0].message == "The backfill runs at least 7 nodes, all below n1 (1, 1923); 5 are allowed."


def test_nodes_of_a_backfill_whose_lookup_fails() -> None:
    found = ask("backfill-scope", "backfill-data", backfill(), Workspace(unknown={1}))
    assert [(item.rule, item.severity) for item in found] == [("not-checked", Severity.WARN)]
    with pytest.raises(Throttled):
        ask(
            "backfill-scope",
            "backfill-data",
            backfill(),
            Workspace(faults={"node": Throttled("GetNode", "T")}),
        )


@pytest.mark.parametrize(
    ("name", "code", "data", "says"),
    [
        ("downstream-impact", "freeze-node", {"nodeIds": [1]}, "节点 n1 (1) 冻结后将阻塞 2 个节点（"),
        ("downstream-impact", "undeploy-node", {"nodeIds": [1]}, "节点 n1 (1) 仍被依赖：2 个节点（"),
        (
            "frozen-parents",
            "unfreeze-node",
            {"nodeIds": [1]},
            "节点 n1 (1) 会一直等待 1 个节点（已冻结）：n8",
        ),
        ("start-surge", "unfreeze-node", {"nodeIds": [1]}, "若在 10:00 解冻，将同时启动 3 个节点的 3 个实例"),
        (
            "backfill-scope",
            "backfill-data",
            backfill(includeNodeIds=[]),
            "的全部下游，至少 3 个节点，上限为 1。",
        ),
    ],
)
def test_findings_in_chinese(name: str, code: str, data: dict[str, Any], says: str) -> None:
    workspace = Workspace(children={1: [node(2), node(3)]}, parents={1: [node(8, "PAUSE")]})
    options = {"start-surge": {"max_instances": 1}, "backfill-scope": {"max_nodes": 1}}.get(name)
    found = ask(name, code, data, workspace, options=options, language=Language.CHINESE)
    assert says in found[0].message
    assert found[0].help
