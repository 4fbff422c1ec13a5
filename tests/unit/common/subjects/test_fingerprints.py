"""Fingerprints of findings: equal for the same finding, different for any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.events import Event
from common.subjects.event_subject import subject_of
from common.subjects.fingerprints import add_fingerprints
from common.verdicts import Finding, Severity, Subject, SubjectKind

FOUND = Finding("r", Severity.WARN, "Node 7 has 3 readers: ads_a.", 1, 1)


def node(number: int, name: str | None = None) -> Subject:
    return Subject(SubjectKind.NODE, str(number), name)


def prints(
    *findings: Finding, code: str = "freeze-node", check: str = "c", project: int = 1, **data: Any
) -> list[str]:
    about = subject_of(check, Event("e", code, project, None, True, data, 0), None)
    return [str(item.fingerprint) for item in add_fingerprints(findings, about)]


@pytest.mark.parametrize(
    "change",
    [
        {"message": "Node 7 has 12 readers: ads_a."},
        {"message": "Node 7 has 3 readers: ads_renamed."},
        {"message": "节点 7 有 3 个下游：ads_a。", "english": "Node 7 has 3 readers: ads_a."},
        {"params": (("count", 12), ("readers", "ads_b"))},
        {"subjects": (node(7, "renamed"),)},
        {"line": 9, "column": 4, "severity": Severity.BLOCK, "help": "h"},
    ],
)
def test_text_counts_dependents_and_position_make_no_difference(change: dict[str, Any]) -> None:
    one = replace(FOUND, subjects=(node(7, "dwd_a"),))
    assert prints(one, nodeIds=[7]) == prints(replace(one, **change), nodeIds=[7])


def test_the_order_of_subjects_makes_no_difference() -> None:
    one, other = (replace(FOUND, subjects=items) for items in ((node(7), node(8)), (node(8), node(7))))
    assert prints(one) == prints(other)


@pytest.mark.parametrize(
    "subjects",
    [
        (node(8),),
        (node(7), node(8)),
        (Subject(SubjectKind.TABLE, "7"),),
        (node(7), Subject(SubjectKind.COLUMN, "odps.p.t.amount")),
    ],
)
def test_subjects_make_a_difference(subjects: tuple[Subject, ...]) -> None:
    one, other = (replace(FOUND, subjects=items) for items in ((node(7),), subjects))
    assert prints(one) != prints(other)


def test_the_same_message_about_another_event_differs() -> None:
    seen = [
        prints(FOUND, code="commit-file", fileId=1),
        prints(FOUND, code="commit-file", fileId=2),
        prints(FOUND, code="commit-table", tableName="t", maxComputeProject="p"),
        prints(FOUND, code="commit-table", tableName="t", maxComputeProject="q"),
        prints(FOUND, nodeIds=[1]),
        prints(FOUND, nodeIds=[1], check="d"),
        prints(FOUND, nodeIds=[1], project=2),
        prints(replace(FOUND, rule="s"), nodeIds=[1]),
    ]
    assert len({one for (one,) in seen}) == len(seen)


def test_another_node_in_the_same_event_makes_no_difference_to_the_first() -> None:
    one = replace(FOUND, subjects=(node(7),))
    assert prints(one, nodeIds=[7]) == prints(one, nodeIds=[7, 8])


def test_when_one_of_several_equal_findings_is_fixed_no_other_takes_its_fingerprint() -> None:
    first, second = prints(FOUND, replace(FOUND, message="Another one."))
    assert first != second
    assert prints(FOUND)[0] not in (first, second)


def test_a_check_does_not_choose_a_fingerprint() -> None:
    assert prints(replace(FOUND, fingerprint="own"), nodeIds=[7]) == prints(FOUND, nodeIds=[7])


CODE = replace(FOUND, code_digest="d")


def test_the_same_code_has_another_fingerprint_in_another_workspace_and_file() -> None:
    seen = [
        prints(CODE, code="commit-file", fileId=1, fileName="a"),
        prints(CODE, code="commit-file", fileId=2, fileName="a"),
        prints(CODE, code="commit-file", fileName="a"),
        prints(CODE, code="commit-file", fileName="1"),
        prints(CODE, code="commit-file", fileId=1, project=2),
        prints(CODE, code="commit-file", fileId=1, check="d"),
        prints(replace(CODE, rule="s"), code="commit-file", fileId=1),
        prints(replace(CODE, code_digest="e"), code="commit-file", fileId=1),
        prints(replace(CODE, code_digest=None), code="commit-file", fileId=1),
    ]
    assert len({one for (one,) in seen}) == len(seen)


def test_a_file_has_the_same_fingerprints_when_it_is_renamed_or_gets_a_node() -> None:
    new = prints(CODE, code="commit-file", fileId=1, fileName="a")
    assert new == prints(CODE, code="deploy-file", fileId=1, fileName="b", nodeId=7)


def test_names_with_separators_are_distinguished() -> None:
    one, other = (
        prints(replace(FOUND, subjects=tuple(Subject(SubjectKind.NODE, name=name) for name in names)))
        for names in (("a", "b"), ("a\x00node name b",))
    )
    assert one != other


def test_applying_fingerprints_twice_changes_nothing() -> None:
    about = subject_of("c", Event("e", "commit-file", 1, None, True, {"fileId": 1}, 0), None)
    once = list(add_fingerprints([CODE, CODE, FOUND], about))
    assert list(add_fingerprints(once, about)) == once
