"""Findings as JSON: round trip, and records of older versions."""

from __future__ import annotations

import pytest

from common.verdicts import (
    MAX_SUBJECTS,
    AppliedWaiver,
    Finding,
    Severity,
    Subject,
    SubjectKind,
    limit_subjects,
)


def test_a_finding_round_trips_through_json() -> None:
    subjects = (
        Subject(SubjectKind.NODE, "7", "dwd_a"),
        Subject(SubjectKind.FILE, name="a", aliases=("a.sql", "b/a.sql")),
    )
    one = Finding(
        "r",
        Severity.WARN,
        "节点。",
        waived=AppliedWaiver("W-1", "known: for long", 1_780_272_000.0),
        subjects=subjects,
        params=(("count", 3), ("readers", "ads_a")),
        english="Nodes.",
    )
    assert Finding.from_json(one.to_json()) == one


def test_a_record_of_an_earlier_version_is_read() -> None:
    raw = {"rule": "r", "severity": "warn", "message": "m.", "waived": "W-1: known: for long"}
    found = Finding.from_json(raw)
    assert (found.subjects, found.params, found.english) == ((), (), None)
    assert found.waived == AppliedWaiver("W-1", "known: for long")
    later = Finding.from_json(raw | {"waived": {"id": "W-1", "reason": "known"}})
    assert later.waived == AppliedWaiver("W-1", "known")
    assert later.to_json()["waived"] == {"id": "W-1", "reason": "known"}


def test_a_subject_needs_an_id_or_a_name() -> None:
    with pytest.raises(ValueError, match="id or a name"):
        Subject(SubjectKind.NODE)


def test_a_table_is_known_without_project_and_catalogue() -> None:
    assert Subject(SubjectKind.TABLE, "odps.p.t", "p.t").names == ("odps.p.t", "p.t", "t")
    assert Subject(SubjectKind.NODE, "1", "a.b").names == ("a.b",)


def test_an_id_and_a_name_are_different_subjects() -> None:
    assert Subject(SubjectKind.NODE, "1", "a").key == Subject(SubjectKind.NODE, "1").key
    assert Subject(SubjectKind.NODE, "1").key != Subject(SubjectKind.NODE, None, "1").key


def test_subjects_beyond_the_limit_are_replaced_by_one_that_no_name_matches() -> None:
    many = [Subject(SubjectKind.NODE, str(number)) for number in range(MAX_SUBJECTS + 5)]
    kept = limit_subjects((*many, *many))
    assert kept == (*many[:MAX_SUBJECTS], Subject(SubjectKind.NODE, name="(more)"))
    assert limit_subjects(kept) == kept
    assert limit_subjects(many[:MAX_SUBJECTS]) == tuple(many[:MAX_SUBJECTS])
