"""Fingerprints of findings: the same for the same thing, another for another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.events import Event
from common.verdicts import Finding, Severity
from workers.about import about
from workers.fingerprints import fingerprinted, of


def prints(
    *messages: str, code: str = "freeze-node", check: str = "c", project: int = 1, **data: Any
) -> list[str]:
    what = about(check, Event("e", code, project, None, True, data, 0), None)
    found = fingerprinted([Finding("r", Severity.WARN, message) for message in messages], what)
    return [str(item.fingerprint) for item in found]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 live nodes depend on node 7: a.", "12 live nodes depend on node 7: a."),
        ("At least 5,000 nodes, 3 owners.", "At least 800 nodes, 4 owners."),
        ("有 3 个节点依赖节点 7。", "有 25 个节点依赖节点 7。"),
        ("It reads 1.5 TB.", "It reads 2 TB."),
        ("90% of rows", "8% of rows"),
    ],
)
def test_counts_make_no_difference(one: str, other: str) -> None:
    assert prints(one, nodeIds=[7]) == prints(other, nodeIds=[7])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 live nodes depend on node 7: a.", "3 live nodes depend on node 8: a."),
        ("Node 702 is frozen.", "Node 703 is frozen."),
        ("700123 is missing.", "700124 is missing."),
        ("节点 702 已冻结。", "节点 703 已冻结。"),
        ("Column a2 goes.", "Column a3 goes."),
        ("Column amount is read by 3 tables.", "Column price is read by 3 tables."),
        ("Closed until 2026-11-21 06:00 (Asia/Shanghai).", "Closed until 2026-11-22 06:00 (Asia/Shanghai)."),
    ],
)
def test_things_make_a_difference(one: str, other: str) -> None:
    assert prints(one, nodeIds=[7, 8]) != prints(other, nodeIds=[7, 8])


def test_the_same_words_about_another_thing_differ() -> None:
    same = "It is closed."
    seen = [
        prints(same, code="commit-file", fileId=1),
        prints(same, code="commit-file", fileId=2),
        prints(same, code="commit-table", tableName="t", maxComputeProject="p"),
        prints(same, code="commit-table", tableName="t", maxComputeProject="q"),
        prints(same, nodeIds=[1]),
        prints(same, nodeIds=[1], check="d"),
        prints(same, nodeIds=[1], project=2),
    ]
    assert len({one for (one,) in seen}) == len(seen)


def test_another_node_in_the_same_event_makes_no_difference_to_the_first() -> None:
    assert prints("Node 7 has readers.", nodeIds=[7]) == prints("Node 7 has readers.", nodeIds=[7, 8])


def test_equal_findings_are_told_apart() -> None:
    first, second = prints("Period 1 of it.", "Period 2 of it.")
    assert first != second
    assert prints("Period 9 of it.") == [first]


def test_a_check_that_knows_better_keeps_its_own() -> None:
    what = about("c", Event("e", "freeze-node", 1, None, True, {}, 0), None)
    own = Finding("r", Severity.WARN, "m", fingerprint=of("c", "r", 7, "amount"))
    assert list(fingerprinted([own], what)) == [own]
    assert of("c", "r", 7, "amount") not in (of("c", "r", 7, "price"), of("c", "r", "7amount"))


def test_place_and_severity_make_no_difference() -> None:
    what = about("c", Event("e", "commit-file", 1, None, True, {"fileId": 1}, 0), None)
    one = Finding("r", Severity.WARN, "m", 1, 1)
    moved = replace(one, line=9, column=4, severity=Severity.BLOCK, help="h")
    (a,), (b,) = fingerprinted([one], what), fingerprinted([moved], what)
    assert a.fingerprint == b.fingerprint
